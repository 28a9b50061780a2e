"""The alignment instrument: from stated intent to realised outcome, exactly.

For one decision of one agent the distance between the best its yardstick could reach and what happened is a sum of terms:
what it foresaw, what its plan gave away, what it did otherwise than it said, and what others did otherwise than it expected.
Everything is computed by calling the rules again with other actions; no model is asked.

    worlds       one round as a function of what everybody does
    declared     a declaration, read; what is missing stays missing
    ceilings     best, worst and cooperative benchmark for any yardstick
    chains       the terms, and nothing but subtraction
    attribution  whose behaviour the surprise is
    decision     one decision, everything read and coded
    decompose    one decision, from plain arguments
"""
