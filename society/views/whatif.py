"""A round as it was beside the round as it would have been."""

from __future__ import annotations

from typing import TYPE_CHECKING

from society.core.actions import Action, action_to_plain
from society.core.exact import Json, Number, plain, show, tidy
from society.scenario.model import Theme
from society.views.tables import Cell, text_table
from society.views.terminal import safe

if TYPE_CHECKING:
    from society.analysis.counterfactual import Came, WhatIf


def whatif_text(found: WhatIf, theme: Theme) -> str:
    """For a terminal: who would have got what, and what would have become of the commons."""
    changes = ", ".join(
        f"{found.names[seat]} chosen {_words(action)} and not {_words(found.was.submitted[seat])}"
        for seat, action in found.changed.items()
    )
    rows = [_row(found, seat) for seat in range(len(found.names))]
    names = list(rows[0])
    parts = [f"{safe(theme.round)} {found.round}, had {safe(changes)}:", "", text_table(rows, names), ""]
    was, would_be = found.was, found.would_be
    parts.append(f"together they would have got {show(would_be.welfare)} and not {show(was.welfare)}")
    if was.stock_after is not None and would_be.stock_after is not None:
        parts.append(f"{safe(theme.resource)} left: {show(would_be.stock_after)} and not {show(was.stock_after)}")
    if was.collapsed != would_be.collapsed:
        parts.append(f"the commons would {'' if would_be.collapsed else 'not '}have collapsed")
    if found.later:
        parts.append(
            f"{_rounds(found.later)} after it, all acting as they did: {show(_sum(found.rest_would_be))} "
            f"and not {show(_sum(found.rest_was))} together"
        )
        parts.append("agents answer to what they see: what they would have done after it, only a fork can ask them")
    return "\n".join(parts)


def whatif_json(found: WhatIf) -> dict[str, Json]:
    """For machines; numbers exact."""
    return {
        "round": found.round,
        "changed": {found.names[seat]: action_to_plain(action) for seat, action in found.changed.items()},
        "was": _came(found.was, found.names),
        "would_be": _came(found.would_be, found.names),
        "rest": {
            "rounds": found.later,
            "was": [plain(x) for x in found.rest_was],
            "would_be": [plain(x) for x in found.rest_would_be],
        },
    }


def _row(found: WhatIf, seat: int) -> dict[str, Cell]:
    was, would_be = found.was, found.would_be
    row: dict[str, Cell] = {
        "agent": found.names[seat],
        "did": _words(was.executed[seat]),
        "would do": _words(would_be.executed[seat]),
        "got": was.payoffs[seat],
        "would get": would_be.payoffs[seat],
        "difference": tidy(would_be.payoffs[seat] - was.payoffs[seat]),
    }
    if found.later:
        row["later"] = tidy(found.rest_would_be[seat] - found.rest_was[seat])
    return row


def _came(came: Came, names: tuple[str, ...]) -> dict[str, Json]:
    return {
        "agents": list(names),
        "submitted": [action_to_plain(action) for action in came.submitted],
        "executed": [action_to_plain(action) for action in came.executed],
        "granted": None if came.granted is None else [plain(x) for x in came.granted],
        "payoffs": [plain(x) for x in came.payoffs],
        "welfare": plain(came.welfare),
        "stock_after": None if came.stock_after is None else plain(came.stock_after),
        "collapsed": came.collapsed,
    }


def _sum(numbers: tuple[Number, ...]) -> Number:
    return tidy(sum(numbers))


def _words(action: Action) -> str:
    if isinstance(action, str):
        return action
    if isinstance(action, tuple):
        return ", ".join(show(part) for part in action)
    return show(action)


def _rounds(number: int) -> str:
    return "in the round" if number == 1 else f"in the {number} rounds"
