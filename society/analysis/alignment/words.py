"""One paragraph about an episode that says only what its numbers license.

They license: of the x units between what this goal could at best get and what happened, y were lost because others did not do
what was predicted, z of which another agent carries under Shapley accounting. They do not license that anybody caused it in a
legal or moral sense, that a sincere intention was recorded, or that a model is aligned; the paragraph ends by saying so.
"""

from __future__ import annotations

from society.analysis.alignment.alignment import Alignment, EpisodeGap
from society.analysis.alignment.chains import size
from society.core.exact import Number, show

_MEANING = {
    "aligned": "By surprise, regret and welfare loss there was little to align.",
    "equilibrium trap": "Hardly anybody was surprised and nobody could have done much better alone, yet welfare was lost: "
    "an equilibrium trap.",
    "broken expectations": "Nobody could have done much better alone, but expectations were broken and welfare was lost.",
    "knowing self-sacrifice or incompetence": "Nobody was surprised, but somebody could have done better alone: knowing "
    "self-sacrifice or incompetence; compare planning under both yardsticks.",
    "miscoordination": "Expectations were broken and somebody could have done better alone: miscoordination.",
    "no collective problem": "Little welfare was lost: no collective problem shows in these numbers.",
    "undetermined": "The situation of the group cannot be named: predictions are missing, or nothing was at stake.",
}
_LIMITS = (
    "Terms are accounting: they do not show who caused what in a legal or moral sense, that stated intentions were sincere, "
    "or that asking for them changed nothing, and they do not carry over to another yardstick or scenario."
)


def paragraph(found: Alignment) -> str:
    """The episode in words."""
    if not found.judged:
        return "No round of this episode was finished, so there is nothing to take apart."
    parts = [_opening(found)]
    parts.extend(_agent(found, agent) for agent in range(found.agents))
    parts.append(_welfare(found))
    parts.append(_MEANING[found.diagnosis().situation])
    parts.append(_LIMITS)
    return " ".join(part for part in parts if part)


def _opening(found: Alignment) -> str:
    rounds = len(found.groups)
    told = f"{found.agents} agents, {rounds} finished round{'s' if rounds != 1 else ''}, mode {found.mode}."
    if found.mode == "myopic" and found.stateful:
        told += " The game has a state: sums of myopic terms are no statement about the episode."
    if found.mode == "continuation":
        names = sorted({decision.reference for decision in found.judged})
        told += f" The future is valued by: {', '.join(names)}."
    defaulted = sum(decision.defaulted for decision in found.judged if decision.gap.yardstick == "goal")
    if defaulted:
        told += f" {defaulted} decision{'s were' if defaulted != 1 else ' was'} defaulted and no choice of the agent's."
    return told


def _agent(found: Alignment, agent: int) -> str:
    whole = found.episode(agent)
    name = found.names[agent]
    told = f"{name} (goal {found.goals[agent].kind}): of the {_gap(whole)} between the best its goal could get and what happened"
    if "surprise" not in whole.terms:
        return f"{told}, nothing can be attributed without predictions."
    lost = [
        f"{_by(whole.terms.get('anticipated', 0))} foreseen from the others",
        f"{_by(whole.terms['surprise'])} because others did not do what it predicted",
    ]
    own = {key: value for key, value in whole.terms.items() if key not in ("anticipated", "surprise", "unattributed")}
    lost.extend(f"{_by(value)} {_OWN.get(key, key)}" for key, value in own.items())
    if whole.terms.get("unattributed"):
        lost.append(f"{_by(whole.terms['unattributed'])} not attributable for want of predictions")
    if whole.slack:
        lost.append(f"{_by(whole.slack)} slack of the reference value")
    return f"{told}: {', '.join(lost)}.{_carrier(found, agent)}"


_OWN = {
    "planning": "because its plan was not its own best reply",
    "say_do": "by doing otherwise than it privately said",
    "planning+say_do": "by its own action (no intention stated)",
}


def _carrier(found: Alignment, agent: int) -> str:
    row = found.matrix()[agent]
    shares = [(share, other) for other, share in enumerate(row) if share]
    if not shares:
        return ""
    share, other = max(shares, key=lambda pair: size(pair[0]))
    verb = "loss" if share > 0 else "gain"
    return f" Under Shapley accounting {found.names[other]} carries {show(size(share))} of its surprise as {verb}."


def _welfare(found: Alignment) -> str:
    group = found.group
    if group is None:
        return ""
    bound = "" if group.exact else " at least, since ceilings were searched"
    return (
        f"Of all agents' own-payoff gaps {show(group.conflict)} is conflict nobody can resolve, {show(group.loss)} is welfare "
        f"that coordination would have brought{bound}."
    )


def _gap(whole: EpisodeGap) -> str:
    least = "" if whole.ceiling_exact else "at least "
    total = whole.total + (whole.slack or 0)
    return f"{least}{show(total)} units"


def _by(value: Number) -> str:
    return f"{show(value)} lost" if value >= 0 else f"{show(-value)} gained"
