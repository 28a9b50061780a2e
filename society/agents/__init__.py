"""Policies: how an agent comes to an answer.

cast         one policy per seat, from a scenario
llm          a language model: render, ask, read, ask once more
scripted     rules from the literature, found by their kind
human        a person at the terminal
prompting    strict templates from ``prompts/``
transcript   what an agent has seen, one line an entry, so that no message can pass for another line
window       the part of that which still fits into a prompt
schemas      the JSON Schema of each answer
extracting   the JSON objects in a model's words
reading      a model's words as a typed answer, strictly
"""
