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
    agent: Annotated[
        str | None,
        typer.Option(
            "--agent", metavar="NAME", envvar="SOCIETY_AGENT", help="With --prompts: whose; default: the first."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Show one thing whole: its rules, its fields with their units, and where it comes from."""
    import dataclasses

    from society.agents.preview import preview
    from society.cli.output import result, result_json
    from society.cli.shelves import shelf
    from society.scenario.load import load
    from society.views.catalogue import pick
    from society.views.terminal import safe, safe_lines
    from society.views.transcript import seat_of

    where = shelf(kind)
    if prompts and where.name == "scenario":
        scenario = load(name)
        shown = preview(scenario, 0 if agent is None else seat_of(agent, scenario.names))
        if json:
            result_json([dataclasses.asdict(one) for one in shown])
            return
        for one in shown:
            result(f"{one.stage.upper()} (about {one.tokens} tokens)\n")
            for role, words in (("system", one.system), ("user", one.question)):
                result(f"  {role}")
                result("".join(f"    | {line}".rstrip() + "\n" for line in safe_lines(words)))
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
