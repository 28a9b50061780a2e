"""What every test can rely on: no network beyond this machine, an environment of its own, quick hypothesis."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The quick form plays the same examples every time, so that what fails in it fails again; the long one looks for new ones.
settings.register_profile(
    "quick", max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches beyond loopback fails, by name of the host it wanted."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guard(address: object) -> None:
        if isinstance(address, tuple) and str(address[0]) not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address[0]}")

    def guarded(self: socket.socket, address: object) -> None:
        guard(address)
        return connect(self, address)

    def guarded_ex(self: socket.socket, address: object) -> int:
        guard(address)
        return connect_ex(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_ex)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key and no setting of the person who runs the tests reaches them."""
    for name in list(os.environ):
        if name.startswith(("SOCIETY_", "OPENAI_")):
            monkeypatch.delenv(name)


@pytest.fixture
def root() -> Path:
    """The top of the source tree."""
    return ROOT
