"""Policies: how an agent comes to an answer.

Who decides:

    cast          one policy per seat, from a scenario
    llm           a language model: render, ask, read, ask once more
    scripted      rules from the literature, found by their kind
    human         a person at the terminal

What is asked:

    prompting     strict templates from ``prompts/``; lint finds their faults before the first question
    briefing      what one agent is told once
    questions     the words of a question; preview shows them without asking anybody
    transcript    what an agent has seen, one line an entry, so that no message can pass for another line
    window        the part of that which still fits into a prompt
    schemas       the JSON Schema of each answer; hints are what offline models go by

What is answered:

    extracting    the JSON objects in a model's words
    reading       a model's words as a typed answer, strictly: actions (stated), talk (utterances), declarations
"""
