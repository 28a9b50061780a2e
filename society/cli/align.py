"""`society align RUN`: what was lost between goal and outcome, to what, and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, cast, get_args

import typer

from society.cli.options import DEFAULT_LOG, Json, Log, Run, Sql

if TYPE_CHECKING:
    from society.analysis.alignment.chains import Mode


def align(
    run: Run = "last",
    *,
    log: Log = DEFAULT_LOG,
    rounds: Annotated[bool, typer.Option("--rounds", envvar="SOCIETY_EACH_ROUND", help="Every round as well.")] = False,
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="NAME", envvar="SOCIETY_AGENT", help="Only this agent.")
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(
            "--mode", metavar="MODE", envvar="SOCIETY_MODE",
            help="myopic: each round alone. continuation: with what can still be had, the default where there is a state. "
            "episode: whole plans at once.",
        ),
    ] = None,
    luck: Annotated[
        str | None,
        typer.Option(
            "--luck", metavar="N|exact", envvar="SOCIETY_LUCK",
            help="Luck as a term of its own: averages over N fresh lucks, or exact where the rules know the expectation.",
        ),
    ] = None,
    json: Json = False,
    sql: Sql = False,
) -> None:  # fmt: skip
    """Tell what was lost between intent and outcome, and to whom.

    Each agent's gap between the best its goal could get and what happened is taken apart: what it foresaw of the others,
    what surprised it, what its plan cost it, and what it did otherwise than it said. No model is asked. The terms are kept
    in the log, in the tables gap_term, stage_value and surprise_share; --sql prints how to ask for them.
    """
    from society.analysis import align as decompose
    from society.cli.output import note, result, result_json
    from society.core.errors import BadInput, LogUnusable
    from society.log import open_log
    from society.run import Run as Played
    from society.views.alignment import alignment_sql, alignment_text
    from society.views.alignment_json import alignment_json
    from society.views.transcript import seat_of

    if sql and (mode or luck):
        raise BadInput("--sql asks for what the log keeps, in the default mode and luck; leave out --mode and --luck")
    with open_log(log) as book:
        played = Played(book.find(run).id, book)
        seat = None if agent is None else seat_of(agent, played.episode.names)
        if mode is None and luck is None:
            alignment = played.alignment
            if not alignment.unfinished:
                try:
                    played.keep_alignment()
                except LogUnusable as problem:
                    note(f"it is not kept in the log: {problem}")
        else:
            alignment = decompose(played.episode, mode=_mode(mode), expected=_lucks(luck))
    if sql:
        result(alignment_sql(played.id))
    elif json:
        result_json(alignment_json(alignment))
    else:
        result(alignment_text(alignment, rounds=rounds, agent=seat))


def _mode(word: str | None) -> Mode | None:
    """Read --mode.

    Raises:
        BadInput: there is no such mode.
    """
    from society.analysis.alignment.chains import Mode
    from society.core.errors import BadInput, did_you_mean

    known = get_args(Mode)
    if word is not None and word not in known:
        raise BadInput(f"--mode {word!r}: expected one of: {', '.join(known)}{did_you_mean(word, known)}")
    return cast("Mode | None", word)


def _lucks(word: str | None) -> int | Literal["exact"] | None:
    """Read --luck.

    Raises:
        BadInput: it is neither a number of two or more nor the word exact.
    """
    from society.core.errors import BadInput

    if word is None or word == "exact":
        return cast("Literal['exact'] | None", word)
    if not word.isdecimal() or not 2 <= int(word) <= 100_000:
        raise BadInput(f"--luck {word!r}: expected a number of lucks from 2 to 100000, or 'exact'")
    return int(word)
