"""`society list`: what there is."""

from __future__ import annotations

from typing import Annotated

import typer

from society.cli.options import Json


def list_kinds(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="KIND", help="scenarios, mechanisms, instruments, goals, metrics, scripts, models or prompts."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List scenarios, mechanisms, instruments, goals ...

    Also metrics, scripts, models and prompts. `society show KIND NAME` tells more of each.
    """
    from society.cli.output import result, result_json
    from society.cli.shelves import shelf, shelves
    from society.views.tables import pad, width
    from society.views.terminal import safe

    chosen = shelves() if what is None else [shelf(what)]
    if json:
        result_json({s.plural: [card.as_json() for card in s.cards().values()] for s in chosen})
        return
    for place, one in enumerate(chosen):
        cards = one.cards()
        wide = max((width(name) for name in cards), default=0)
        if what is None:
            result(("\n" if place else "") + one.plural.upper())
        for name, card in cards.items():
            summary = safe(card.summary)
            clipped = summary if len(summary) <= 100 else summary[:99].rstrip() + "…"
            result(f"  {pad(name, wide)}  {clipped}".rstrip())
