"""What is possible in a game, in words: optimum, ceilings, equilibria, prices, and how far each can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from society.core.actions import Action, Joint
from society.core.exact import show
from society.core.mechanism import Bound, Mechanism
from society.rulers import Finding, Ruler, episode_optimum
from society.views.tables import Cell, words
from society.views.terminal import safe

NONE = "no ruler"


def ruler_rows(mechanism: Mechanism[Any], rounds: int | None = None) -> list[dict[str, Cell]]:
    """One row a ruler: its value, the profile that reaches it, whether it is exact, and how it was found.

    Args:
        mechanism: the game; its first round is measured, without instruments.
        rounds: also the best that all together can get in so many rounds.
    """
    try:
        return _rows(Ruler(mechanism), mechanism, rounds)
    except ValueError as problem:  # more actions than can be listed
        return [{"ruler": NONE, "value": None, "reached by": "", "exact": False, "how": str(problem)}]


def _rows(ruler: Ruler[Any], mechanism: Mechanism[Any], rounds: int | None) -> list[dict[str, Cell]]:
    rows = [_bound("most for all in round 1", ruler.optimum), _bound("most for the first agent", ruler.ceiling[0])]
    if rounds is not None:
        best = episode_optimum(mechanism, rounds)
        if best is not None:
            rows.append(_bound(f"most for all in {rounds} rounds", best))
    found = ruler.equilibria
    for place, (name, bound) in enumerate((("worst", ruler.worst_equilibrium), ("best", ruler.best_equilibrium))):
        if bound is None:
            if not place:
                rows.append(
                    {
                        "ruler": "pure equilibrium",
                        "value": None,
                        "reached by": "",
                        "exact": found.exact,
                        "how": found.how,
                    }
                )
        else:
            rows.append(_bound(f"{name} pure equilibrium, all together", bound))
    rows.append(_finding("price of anarchy", ruler.price_of_anarchy))
    rows.append(_finding("price of stability", ruler.price_of_stability))
    return rows + _dilemma(ruler)


def _dilemma(ruler: Ruler[Any]) -> list[dict[str, Cell]]:
    """How strong the dilemma is between the two actions called cooperation and defection; nothing where there are none."""
    diagram = ruler.schelling
    if diagram is None:
        return []
    poles = f"between {_action(diagram.cooperation)} and {_action(diagram.defection)}"
    verdict = "a social dilemma" if diagram.is_dilemma else "no social dilemma"
    return [
        _finding("greed", Finding(diagram.greed, how=f"gain of the only one to defect, {poles}; {verdict}")),
        _finding("fear", Finding(diagram.fear, how=f"gain of defecting when nobody else cooperates, {poles}")),
        _finding("self-interest level", ruler.self_interest_level),
        _finding("selfishness level", ruler.selfishness_level),
    ]


def _bound(name: str, bound: Bound) -> dict[str, Cell]:
    reached = "" if bound.profile is None else profile_words(bound.profile)
    return {"ruler": name, "value": bound.value, "reached by": reached, "exact": bound.exact, "how": bound.how}


def _finding(name: str, finding: Finding) -> dict[str, Cell]:
    return {"ruler": name, "value": finding.value, "reached by": "", "exact": finding.exact, "how": finding.how}


def profile_words(profile: Joint) -> str:
    """``10, 10, 10`` or, for crowds that act alike, ``5 x 10``."""
    if len(profile) > 2 and len(set(profile)) == 1:
        return f"{len(profile)} x {_action(profile[0])}"
    return ", ".join(_action(action) for action in profile)


def _action(action: Action) -> str:
    if isinstance(action, str):
        return action
    return "/".join(map(show, action)) if isinstance(action, tuple) else show(action)


def instance_of(kind: type[Mechanism[Any]]) -> Mechanism[Any] | None:
    """The mechanism with its default parameters, for as many agents as its own default or a common number; None if it has none."""
    default = kind.model_fields["agents"].default
    for agents in [*([default] if isinstance(default, int) else []), 5, 4, 3, 2, 1]:
        try:
            return kind.model_validate({"kind": kind.model_fields["kind"].default, "agents": agents})
        except ValidationError:
            continue
    return None


def ruler_lines(rows: Sequence[dict[str, Cell]]) -> list[str]:
    """The rows for people, one line each."""
    lines = []
    for row in rows:
        if row["ruler"] == NONE:
            lines.append(f"{NONE}: {safe(str(row['how']))}")
            continue
        at = f" at {safe(str(row['reached by']))}" if row["reached by"] else ""
        trust = "exact" if row["exact"] else "the best found"
        lines.append(f"{row['ruler']}: {words(row['value'])}{at} ({trust}: {safe(str(row['how']))})")
    return lines
