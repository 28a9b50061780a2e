"""A PostgreSQL server for the tests: a cluster of its own in a temporary folder, on a socket nobody else sees."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "postgres"


def binaries() -> Path | None:
    """Where the server's programs are, or None."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


def why_not() -> str:
    """Why no server can be started here; empty if one can."""
    if binaries() is None:
        return "no PostgreSQL server on this machine (apt-get install postgresql)"
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "psycopg is not installed"
    if os.geteuid() == 0 and subprocess.run(["id", USER], capture_output=True, check=False).returncode:
        return f"PostgreSQL refuses to run as root, and there is no user {USER}"
    return ""


@contextmanager
def running_server() -> Iterator[str]:
    """Start a server; gives the URL of its maintenance database with ``{database}`` left open."""
    programs = binaries()
    assert programs is not None
    as_user = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="society-pg-") as name:
        folder = Path(name)
        if as_user:
            shutil.chown(folder, USER)

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [*as_user, str(programs / program), *arguments],
                check=True,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

        data, log = str(folder / "data"), str(folder / "server.log")
        run("initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync")
        run("pg_ctl", "-D", data, "-w", "-l", log, "-o", f"-c listen_addresses='' -k {folder}", "start")
        try:
            yield f"postgresql://{USER}@/{{database}}?host={folder}"
        finally:
            run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def fresh_database(server: str, name: str) -> str:
    """The URL of a new, empty database on the server."""
    import psycopg

    with psycopg.connect(server.format(database="postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.format(database=name)
