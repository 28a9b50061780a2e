"""The way from one layout of the log to the next: one file a step in `versions`, run by Alembic.

A step changes tables, and moves what they hold; it says how tables were in its day and imports nothing of the package, so that it
stays right when the package goes on. Views, comments, the dictionary and (in SQLite) the letter of each table are made anew after
the last step, see `society.log.layout.upgrade`. The number of a layout is the name of its revision and stands in `log_info`: a
log has one version, and says so itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Connection

HERE = Path(__file__).parent


def steps_after(connection: Connection, layout: int) -> Iterator[Callable[[], None]]:
    """The steps from a layout to the newest, in order, each ready to be taken on this connection."""
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(HERE))
    ahead = list(scripts.iterate_revisions("head", str(layout)))
    with Operations.context(MigrationContext.configure(connection)):
        for script in reversed(ahead):
            yield script.module.upgrade
