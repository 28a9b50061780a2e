"""What is possible in a game, in words: optimum, ceilings, equilibria, prices, and how far each can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from pydantic import ValidationError

from society.analysis import general_self_interest_level
from society.core.actions import Action, Joint
from society.core.exact import show, tidy
from society.core.mechanism import Bound, Mechanism
from society.core.prices import price_parts
from society.rulers import Finding, Mixed, Ruler, SteadyPlay, episode_optimum
from society.rulers.steady import WORLDS
from society.views.tables import Cell, words
from society.views.terminal import safe

NONE = "no ruler"

ROUNDS = 12
"""The length of the episodes a mechanism without a scenario is measured over."""

MOST_STEADY = 8
"""Up to how many agents all groups of steady cooperators are played through."""


def ruler_rows(mechanism: Mechanism[Any], rounds: int | None = None) -> list[dict[str, Cell]]:
    """One row a ruler: its value, the profile that reaches it, whether it is exact, and how it was found.

    Args:
        mechanism: the game; its first round is measured, without instruments.
        rounds: also the best that all together can get in so many rounds.
    """
    stateful = not mechanism.repeated
    try:
        rows = _of_round(Ruler(mechanism))
    except ValueError as problem:  # more actions than can be listed
        rows = [{"ruler": NONE, "value": None, "reached by": "", "exact": False, "how": str(problem)}]
    else:
        if not stateful:
            rows += _dilemma(Ruler(mechanism)) + _patience(Ruler(mechanism))
    if stateful or rounds is not None:
        rows += _of_episode(mechanism, ROUNDS if rounds is None else rounds, stateful)
    rows += [_finding(name, Finding(found, how="closed form")) for name, found in mechanism.known_landmarks().items()]
    return rows


def _of_episode(mechanism: Mechanism[Any], rounds: int, stateful: bool) -> list[dict[str, Cell]]:
    """What a whole episode can give; with a state also its price of anarchy and its dilemma, which one round cannot tell."""
    best = episode_optimum(mechanism, rounds)
    rows = [] if best is None else [bound_row(f"most for all in {rounds} rounds", best)]
    if not stateful:
        return rows
    known = {
        ("worst", "anarchy"): mechanism.known_worst_equilibrium(rounds),
        ("best", "stability"): mechanism.known_best_equilibrium(rounds),
    }
    for (which, price), reached in known.items():
        if reached is None:
            continue
        rows.append(
            _finding(f"{which} equilibrium of {rounds} rounds, all together", Finding(reached, how="closed form"))
        )
        parts = None if best is None else price_parts(best.value, reached)
        if best is not None and parts is not None:
            value = tidy(Fraction(parts[0]) / Fraction(parts[1]))
            how = f"optimum {best.how}; equilibrium closed form"
            rows.append(_finding(f"price of {price} of {rounds} rounds", Finding(value, best.exact, how)))
    if mechanism.poles(mechanism.initial_state()) is not None and mechanism.agents <= MOST_STEADY:
        play = SteadyPlay(mechanism, rounds)
        trust = "" if play.certain else f"; payoffs are means of {WORLDS} worlds"
        rows += [
            {
                **row,
                "ruler": f"{row['ruler']} over {rounds} rounds",
                "exact": row["exact"] and play.certain,
                "how": f"{row['how']}{trust}",
            }
            for row in _dilemma(Ruler(play))
        ]
    return rows


def _of_round(ruler: Ruler[Any]) -> list[dict[str, Cell]]:
    rows = [
        bound_row("most for all in round 1", ruler.optimum),
        bound_row("most for the first agent", ruler.ceiling[0]),
    ]
    found = ruler.equilibria
    if found.exact and len(found):
        how = f"{found.how}, up to the order of the seats" if found.up_to_order else found.how
        rows.append(_finding("pure equilibria", Finding(len(found), how=how)))
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
            rows.append(bound_row(f"{name} pure equilibrium, all together", bound))
    rows += _mixed(ruler)
    rows.append(_finding("price of anarchy", ruler.price_of_anarchy))
    rows.append(_finding("price of stability", ruler.price_of_stability))
    return rows


def _mixed(ruler: Ruler[Any]) -> list[dict[str, Cell]]:
    """The mixed equilibria: each agent's chances, and what they are worth to all together."""
    found = ruler.mixed_equilibria or ()
    return [
        {
            "ruler": f"mixed equilibrium{f' {number}' if len(found) > 1 else ''}, all together",
            "value": sum(mixed.payoffs),
            "reached by": _chances(mixed, ruler.board.grids),
            "exact": mixed.exact,
            "how": ("" if mixed.exact else "irrational, right to the last digits; ")
            + "each agent indifferent between the options it mixes",
        }
        for number, mixed in enumerate(found, start=1)
    ]


def _chances(mixed: Mixed, grids: Sequence[Sequence[Action]]) -> str:
    """``C 0.5, D 0.5`` for agents that all mix alike, else one such list for each, in seat order."""
    told = [
        ", ".join(f"{_action(action)} {show(chance, 4)}" for action, chance in zip(grid, strategy, strict=True))
        for grid, strategy in zip(grids, mixed.strategies, strict=True)
    ]
    return f"{told[0]} each" if len(set(told)) == 1 else "; ".join(told)


def _dilemma(ruler: Ruler[Any]) -> list[dict[str, Cell]]:
    """How strong the dilemma is between the two actions called cooperation and defection; nothing where there are none."""
    diagram = ruler.schelling
    if (
        diagram is None
    ):  # no pair of actions is called cooperation and defection; concern for others has a meaning all the same
        return [] if ruler.board.unlisted else [_finding("selfishness level", ruler.selfishness_level)]
    poles = f"between {_action(diagram.cooperation)} and {_action(diagram.defection)}"
    verdict = "a social dilemma" if diagram.is_dilemma else "no social dilemma"
    rows = [
        _finding("greed", Finding(diagram.greed, how=f"gain of the only one to defect, {poles}; {verdict}")),
        _finding("fear", Finding(diagram.fear, how=f"gain of defecting when nobody else cooperates, {poles}")),
        _finding("self-interest level", ruler.self_interest_level),
        _finding("general self-interest level", _general_level(ruler)),
        _finding("selfishness level", ruler.selfishness_level),
    ]
    if diagram.risk_dominant is not None:
        how = "does better against one who does either with even chances"
        rows.append(
            {
                "ruler": "risk-dominant",
                "value": _action(diagram.risk_dominant),
                "reached by": "",
                "exact": True,
                "how": how,
            }
        )
    return rows


def _patience(ruler: Ruler[Any]) -> list[dict[str, Cell]]:
    """How much the future must count for two threats to sustain cooperation, when the round is played again and again."""
    diagram = ruler.schelling
    if diagram is None or not diagram.is_dilemma:
        return []
    rows = [
        _finding(
            "discount at which grim trigger sustains cooperation", Finding(diagram.grim_discount, how="(T-R)/(T-P)")
        )
    ]
    copied = diagram.tit_for_tat_discount
    if copied is not None:
        how = "the larger of (T-R)/(T-P) and (T-R)/(R-S)"
        rows.append(_finding("discount at which tit for tat sustains cooperation", Finding(copied, how=how)))
    return rows


def _general_level(ruler: Ruler[Any]) -> Finding:
    try:
        return general_self_interest_level(ruler)
    except (ImportError, ValueError) as problem:  # no scipy; more agents than a programme is solved for
        return Finding(None, exact=False, how=str(problem))


def bound_row(name: str, bound: Bound) -> dict[str, Cell]:
    """A bound as a row."""
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
