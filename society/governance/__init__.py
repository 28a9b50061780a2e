"""The governed round: what instruments, ledger and mechanism together make of a joint action.

`governed` is the whole, a pure function and the simulator of every counterfactual. In the order in which a round meets them:
`institution` (what is remembered from round to round), `rulebook` (what rules say and forbid), `negotiation` (moves in talk),
`pipeline` (restrict, transform, step, detect, pay; `pipeline_batch` for many joint actions at once), `detection`, `aftermath` (what a
round leaves behind: amendments, seizures, memories), `power` (who can change rules alone), `kin` (whom the rules treat alike),
`stored` (states as JSON).
"""
