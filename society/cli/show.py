"""`society show KIND NAME`: one thing, whole."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from society.cli.options import Json

if TYPE_CHECKING:
    from society.views.catalogue import Card
    from society.views.tables import Cell

WIDTH = 100


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
    """Show one of them whole: rules, fields, sources.

    Fields stand with their units; mechanisms and scenarios with what is possible in them.
    """
    import dataclasses

    from society.agents.preview import preview
    from society.cli.output import result, result_json
    from society.cli.shelves import scenario_card, shelf
    from society.mechanisms import MECHANISMS
    from society.scenario.load import load
    from society.scenario.places import find_scenario
    from society.views.catalogue import pick
    from society.views.governed_rulers import governed_rows
    from society.views.rulers import instance_of, ruler_rows
    from society.views.tables import value
    from society.views.terminal import safe_lines
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
    if where.name == "scenario":
        card = scenario_card(name, find_scenario(name))
    else:
        card = pick(where.cards(), name, where.name)
    game, rounds = None, None
    governed: list[dict[str, Cell]] = []
    if where.name == "scenario" and "mechanism" in (card.facts or {}):
        scenario = load(name)
        game, rounds = scenario.mechanism, scenario.rounds
        governed = governed_rows(scenario)
    elif where.name == "mechanism":
        game = instance_of(MECHANISMS.type_of(name))
    rulers = ruler_rows(game, rounds) if game is not None else []
    if json:
        plain, under = (
            [{column: value(cell) for column, cell in row.items()} for row in rows] for rows in (rulers, governed)
        )
        further = {"rulers": plain} if game is not None else {}
        result_json({**card.as_json(), **further, **({"rulers_under_instruments": under} if governed else {})})
        return
    _tell(card, rulers, governed, None if game is None else game.agents)


def _tell(
    card: Card, rulers: Sequence[dict[str, Cell]], governed: Sequence[dict[str, Cell]], agents: int | None
) -> None:
    from society.cli.output import result
    from society.views.rulers import ruler_lines
    from society.views.terminal import safe, safe_lines

    result(f"{card.name} ({card.kind})\n")
    for line in safe_lines(card.about or card.summary):
        result(textwrap.fill(line, WIDTH) if len(line) > 2 * WIDTH else line)
    if card.fields:
        result("\nFIELDS\n")
        for field in card.fields:
            needed = "needed" if field.default is None else f"default {field.default}"
            result(f"  {field.name}: {field.type} ({needed})")
            if field.about:
                result(f"      {safe(field.about)}")
    for fact, words in (card.facts or {}).items():
        lines = textwrap.fill(f"{fact}: {words}", WIDTH, subsequent_indent="  ", break_long_words=False)
        result(("\n" if fact == next(iter(card.facts or {})) else "") + lines)
    if agents is not None:
        result(f"\nRULERS, without instruments, for {agents} agents\n")
        result("\n".join(f"  {line}" for line in ruler_lines(rulers)))
    if governed:
        result("\nRULERS, under the instruments in force at first; payoffs after transfers\n")
        result("\n".join(f"  {line}" for line in ruler_lines(governed)))
    if card.sources:
        result(f"\nsources (references.bib): {', '.join(card.sources)}")
