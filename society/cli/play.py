"""`society play SCENARIO --as NAME`: a person takes a seat."""

from __future__ import annotations

from typing import Annotated

import typer

from society.cli.options import DEFAULT_LOG, Log, Model, Set


def play(
    scenario: Annotated[str, typer.Argument(help="A file, or a name from `society list`.")],
    *,
    seat: Annotated[str, typer.Option("--as", metavar="NAME", envvar="SOCIETY_AS", help="Which agent you are.")],
    model: Model = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, envvar="SOCIETY_SEED", help="Default: the scenario's first.")
    ] = None,
    rounds: Annotated[
        int | None, typer.Option("--rounds", min=1, envvar="SOCIETY_ROUNDS", help="How many rounds.")
    ] = None,
    set_: Set = None,
    log: Log = DEFAULT_LOG,
) -> int:
    """Take the seat of one agent.

    You read what it would read, and answer as it would. A line of words is a message, a number or word alone an
    action, an empty line silence. Ctrl-D leaves; the run can be
    resumed. It is logged like any other.
    """
    import sys

    from society.cli.output import note
    from society.cli.performing import Job, Stopped, exit_code, perform
    from society.cli.results import report
    from society.log import open_log
    from society.models.settings import ProviderSettings
    from society.scenario.load import load
    from society.scenario.model import HumanPolicy
    from society.views.transcript import seat_of

    loaded = load(scenario, [*(set_ or ()), *([f"rounds={rounds}"] if rounds is not None else [])])
    place = seat_of(seat, loaded.names)
    agents = list(loaded.agents)
    agents[place] = agents[place].model_copy(update={"policy": HumanPolicy()})
    job = Job(loaded.model_copy(update={"agents": tuple(agents)}), model, loaded.seeds[0] if seed is None else seed)
    command = " ".join(["society", *sys.argv[1:]])
    with open_log(log, secrets=ProviderSettings.read().secrets) as book:
        try:
            played = perform([job], book, parallel=1, quiet=True, command=command)
        except Stopped as stopped:
            note("interrupted; `society resume` goes on where it stopped")
            return stopped.code
        report(played, book, (), json=False, quiet=False)
        return exit_code(played)
