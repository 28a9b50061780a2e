"""The alignment instrument: from stated intent to realised outcome, exactly.

For one decision of one agent the distance between the best its yardstick could reach and what happened is a sum of terms:
what it foresaw, what its plan gave away, what it did otherwise than it said, and what others did otherwise than it expected.
Everything is computed by calling the rules again with other actions; no model is asked.

One decision, from the rules up:

    rules        the rules that are called again, and what is known of them
    worlds       one round as a function of what everybody does
    declared     a declaration, read; what is missing stays missing
    ceilings     the best and the worst of a round; searches where there is too much to try
    benchmarks   what everybody would do for the welfare of all
    replies      what an agent could best have done against given others
    case         one decision, and what it is judged by
    chains       the terms, and nothing but subtraction; orders: what their order changes
    attribution  the Shapley value; surprises: of revealing who really did what
    decision     all of it for one decision; luck: in expectation; principal: in the principal's eyes
    decompose    the same from plain arguments

Whole episodes:

    horizon      what a round is worth beyond itself
    plans        whole plans in the place of actions; plan_case and whole take them apart
    align        every decision of a played episode, from its log alone
    alignment    their sums; diagnosis, words and rows say and tell them
"""
