"""`society show KIND NAME`: one thing, whole."""

from __future__ import annotations

from typing import Annotated

import typer

from society.cli.options import Json


def show(
    kind: Annotated[
        str, typer.Argument(help="scenario, mechanism, instrument, goal, metric, script, model or prompt.")
    ],
    name: Annotated[str, typer.Argument(help="Its name, from `society list`.")],
    *,
    prompts: Annotated[
        bool,
        typer.Option(
            "--prompts", envvar="SOCIETY_PROMPTS", help="Of a scenario: the exact prompts of its first round."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Show one thing whole: its rules, its fields with their units, and where it comes from."""
    import asyncio

    from society.cli.output import result, result_json
    from society.cli.shelves import shelf
    from society.rehearsal import rehearse
    from society.scenario.load import load
    from society.views.catalogue import pick
    from society.views.terminal import safe, safe_lines

    where = shelf(kind)
    if prompts and where.name == "scenario":
        asked = asyncio.run(rehearse(load(name), rounds=1)).prompts.values()
        if json:
            result_json([{"stage": q.at.stage, "messages": [[m.role, m.content] for m in q.messages]} for q in asked])
            return
        for question in asked:
            result(f"{question.at.stage.upper()}\n")
            for message in question.messages:
                result(f"  {message.role}")
                result("".join(f"    | {line}".rstrip() + "\n" for line in safe_lines(message.content)))
        return
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
