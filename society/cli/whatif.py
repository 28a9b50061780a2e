"""`society whatif RUN --round K --act Ann=5`: one counterfactual, without asking a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from society.cli.options import DEFAULT_LOG, Json, Log, Run

if TYPE_CHECKING:
    from society.core.actions import Action
    from society.episode import Episode


def whatif(
    run: Run = "last",
    *,
    round_: Annotated[int, typer.Option("--round", metavar="K", min=1, envvar="SOCIETY_ROUND", help="Which round.")],
    act: Annotated[
        list[str],
        typer.Option(
            "--act", metavar="NAME=ACTION", envvar="SOCIETY_ACT", help="Who would have done what; may be given again."
        ),
    ],
    log: Log = DEFAULT_LOG,
    json: Json = False,
) -> None:
    """Play one round again with other actions.

    The same state, luck, rules and sanctions; no model is asked and nothing is written. For example:
    society whatif last --round 2 --act Ann=5 --act Ben=5
    """
    from society.analysis import what_if
    from society.cli.output import result, result_json
    from society.log import open_log
    from society.views.whatif import whatif_json, whatif_text

    with open_log(log) as book:
        episode = book.episode(run)
    found = what_if(episode, round_, dict(_change(episode, round_, words) for words in act))
    if json:
        result_json(whatif_json(found))
    else:
        result(whatif_text(found, episode.scenario.theme))


def _change(episode: Episode, number: int, words: str) -> tuple[int, Action]:
    """Read NAME=ACTION as the seat and what it could choose in that round.

    Raises:
        BadInput: it has another form, nobody is called that, or the action is not allowed.
    """
    import json

    from society.core.errors import BadInput, Unreadable
    from society.views.transcript import seat_of

    name, equals, action = words.partition("=")
    if not equals or not action:
        raise BadInput(f"--act {words[:40]!r}: write NAME=ACTION, such as {episode.names[0]}=5")
    seat = seat_of(name.strip(), episode.names)
    played = next((r for r in episode.rounds if r.number == number and r.settled is not None), None)
    if played is None or played.settled is None:
        raise BadInput(f"round {number} was not finished; {len(episode.settled)} were")
    game = episode.phase(number).game
    space = game.space(game.state_from_plain(played.settled.state_before), seat)
    listed = f"[{action}]" if "," in action and not action.strip().startswith("[") else action
    try:
        raw = json.loads(listed, parse_float=str)
    except ValueError:
        raw = action
    try:
        return seat, space.read(raw)
    except Unreadable as problem:
        raise BadInput(f"--act {words[:40]!r}: {problem}") from None
