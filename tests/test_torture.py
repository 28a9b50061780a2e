"""The torture suites in their short form; their long form is `python -m tests.torture all --long`."""

from __future__ import annotations

import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest
from postgres_server import why_not

from tests.torture import traced
from tests.torture.__main__ import SUITES
from tests.torture.tally import Tally

ALONE = ("kill", "kill-postgres", "power", "syscalls", "mutants", "sweep", "sweep-postgres", "sweep-ray")
"""Their children are forks of the process that plays them, or have processes of their own: it has to be one without threads."""


def no_cluster() -> str:
    return why_not() or ("" if find_spec("ray") else "Ray is not installed: pip install 'society-sandbox[ray]'")


NEEDS = {
    "kill-postgres": why_not,
    "power": traced.why_not,
    "syscalls": traced.why_not,
    "sweep-postgres": why_not,
    "sweep-ray": no_cluster,
}
"""By suite, what tells why it cannot be played here; empty if it can."""


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("name", [name for name in SUITES if name not in ALONE])
def test_what_is_promised_holds_under(name: str) -> None:
    suite, short, _, _ = SUITES[name]
    tally = Tally(name, seed=1, quick=True)
    with warnings.catch_warnings():
        suite(tally, short)
    assert tally.sound, "\n".join(tally.failures[:3])


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name == "sweep-ray" else []) for name in ALONE]
)
def test_what_is_promised_holds_for_processes_that_are(name: str) -> None:
    reason = NEEDS.get(name, str)()
    if reason:
        pytest.skip(reason)
    played([sys.executable, "-m", "tests.torture", name])


@pytest.mark.slow
def test_every_bug_that_is_put_in_is_caught() -> None:
    played([sys.executable, "-m", "tests.torture", "mutants", "--long"])


def played(command: list[str]) -> None:
    done = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_a_failure_names_the_command_that_shows_it_again() -> None:
    tally = Tally("kill", seed=7, quick=True)
    with tally.case(3):
        raise ValueError("no")
    assert not tally.sound and "python -m tests.torture kill --seed 7 --only 3" in tally.failures[0]
    assert "1 FAILED" in tally.table()
