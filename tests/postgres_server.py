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
        import psycopg  # noqa: F401  # only to see whether the driver is there
    except ImportError:
        return "psycopg is not installed"
    if os.geteuid() == 0 and subprocess.run(["id", USER], capture_output=True, check=False).returncode:
        return f"PostgreSQL refuses to run as root, and there is no user {USER}"
    return ""


class Cluster:
    """A server that can be stopped and started again.

    Attributes:
        url: of its databases, with ``{database}`` left open.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._data = folder, str(folder / "data")
        self._as_user = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
        self.url = f"postgresql://{USER}@/{{database}}?host={folder}"
        self._run("initdb", "-D", self._data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync")

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[Cluster]:
        with tempfile.TemporaryDirectory(prefix="society-pg-") as name:
            if os.geteuid() == 0:
                shutil.chown(name, USER)
            cluster = cls(Path(name))
            cluster.start()
            try:
                yield cluster
            finally:
                cluster.stop()

    def start(self) -> None:
        options = f"-c listen_addresses='' -k {self.folder}"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", str(self.folder / "server.log"), "-o", options, "start")

    def stop(self) -> None:
        """At once, as when the power fails."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        programs = binaries()
        assert programs is not None, "whoever asks for a server looks whether there is one"
        subprocess.run(
            [*self._as_user, str(programs / program), *arguments],
            check=True,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@contextmanager
def running_server() -> Iterator[str]:
    """Start a server; gives the URL of its maintenance database with ``{database}`` left open."""
    with Cluster.started() as cluster:
        yield cluster.url


def fresh_database(server: str, name: str) -> str:
    """The URL of a new, empty database on the server."""
    import psycopg

    with psycopg.connect(server.format(database="postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.format(database=name)
