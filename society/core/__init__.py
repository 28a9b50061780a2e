"""The words everything is written in: pure data and pure functions.

No file, clock, network or global generator is touched here, and nothing of ours is imported.

    exact       numbers that stay exact: int and Fraction, and how they are written down
    seeds       keyed noise: the same key gives the same luck, whoever asks, in whatever order
    actions     what an agent may do: amounts, choices, divisions, routes
    mechanism   the stage game: joint action in, payoffs and next state out
    instrument  governance: the hooks around a round
    governed    a mechanism under instruments: the whole round pipeline, as one game
    ruler       what was possible: optimum, ceiling, equilibria, by enumeration or closed form
    goals       what an agent wants, as a utility and as a sentence
    policy      the typed questions an agent is asked, and its answers
    calls       one question to a language model and its answer, and the journal of them
    rows        what governance did: transfers, and what happened to a rule
    events      what happened, in canonical form and hashed into a chain
    registry    kinds that are found by being there
    errors      the tree of what can go wrong
"""
