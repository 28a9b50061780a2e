"""The server of the viewer: loopback only, until it is interrupted."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from society.core.errors import BadInput
from society.log import Log
from society.views.web.app import app_of

if TYPE_CHECKING:
    import uvicorn

DEFAULT_PORT = 8517
TRIES = 20


def listening(port: int | None) -> socket.socket:
    """A socket on this machine's loopback address: the port asked for (0: any), by default the first free one from 8517.

    Raises:
        BadInput: the port asked for is taken.
    """
    for one in [port] if port is not None else [*range(DEFAULT_PORT, DEFAULT_PORT + TRIES), 0]:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", one))
        except OSError as problem:
            sock.close()
            if port is not None:
                raise BadInput(f"port {port} cannot be used: {problem.strerror}; give another with --port") from None
        else:
            return sock
    raise BadInput("no port is free")


@dataclass
class Viewer:
    """A server that is about to run.

    Attributes:
        address: where the first page stands, with the token.
        server: the server, which runs until it is told to stop.
        sock: where it listens.
    """

    address: str
    server: uvicorn.Server
    sock: socket.socket

    def run(self) -> None:
        """Serve until stopped."""
        try:
            self.server.run(sockets=[self.sock])
        finally:
            self.sock.close()


def viewer(log: Log, *, run: str | None = None, port: int | None = None) -> Viewer:
    """A viewer of a log that listens already; connections wait until it runs.

    Args:
        log: what is shown; it is only read.
        run: the run whose page is opened first, by its id.
        port: where to listen on loopback; 0: any free port; None: the first free one from 8517.

    Raises:
        BadInput: the port cannot be used.
        LogUnusable: the log cannot be read.
    """
    import uvicorn

    log.ids()  # opens the log before threads do; what is wrong with it is told here, not in the browser
    sock = listening(port)
    token = secrets.token_urlsafe(32)
    number = sock.getsockname()[1]
    app = app_of(log, token=token, pass_=secrets.token_urlsafe(32), port=number)
    config = uvicorn.Config(
        app, http="h11", ws="none", lifespan="off", log_level="error", access_log=False, server_header=False,
        proxy_headers=False, timeout_keep_alive=5, timeout_graceful_shutdown=1, h11_max_incomplete_event_size=65_536,
    )  # fmt: skip
    path = f"/run/{quote(run, safe='')}" if run else "/"
    sock.listen(512)
    return Viewer(f"http://127.0.0.1:{number}{path}?token={token}", uvicorn.Server(config), sock)


def serve(log: Log, *, run: str | None = None, port: int | None = None, ready: Callable[[str], None]) -> None:
    """Show a log until interrupted; `ready` is told the address with its token once the server listens.

    Raises:
        BadInput: the port cannot be used.
    """
    made = viewer(log, run=run, port=port)
    ready(made.address)
    made.run()
