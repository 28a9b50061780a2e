"""`society show KIND NAME`: one thing, whole."""

from __future__ import annotations

from typing import Annotated

import typer

from society.cli.options import Json


def show(
    kind: Annotated[str, typer.Argument(help="scenario, mechanism, instrument, goal, metric or model.")],
    name: Annotated[str, typer.Argument(help="Its name, from `society list`.")],
    json: Json = False,
) -> None:
    """Show one thing whole: its rules, its fields with their units, and where it comes from."""
    from society.cli.output import result, result_json
    from society.cli.shelves import shelf
    from society.views.catalogue import pick
    from society.views.terminal import safe, safe_lines

    where = shelf(kind)
    card = pick(where.cards(), name, where.name)
    if json:
        result_json(card.as_json())
        return
    result(f"{card.name} ({card.kind})\n")
    result("\n".join(safe_lines(card.about or card.summary)))
    if card.fields:
        result("\nFIELDS\n")
        for field in card.fields:
            needed = "needed" if field.default is None else f"default {field.default}"
            result(f"  {field.name}: {field.type} ({needed})")
            if field.about:
                result(f"      {safe(field.about)}")
    for fact, words in (card.facts or {}).items():
        result(("\n" if fact == next(iter(card.facts or {})) else "") + f"{fact}: {words}")
    if card.sources:
        result(f"\nsources (references.bib): {', '.join(card.sources)}")
