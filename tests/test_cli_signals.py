"""What stops the command line from outside: signals, closed streams, too few files, a locale without letters."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from fault_server import GOOD, FaultServer, completion, http

ROOT = Path(__file__).parent.parent
PLAIN = "name: plain\nmechanism: common_pool\nagents: 3\nrounds: 2\nmodels: {default: mock:conditional}\n"
ENV = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture(autouse=True)
def _scenario(tmp_path):
    (tmp_path / "plain.yaml").write_text(PLAIN)


@pytest.fixture(autouse=True)
def _hears_hangups():
    """Under nohup the tests ignore SIGHUP, and what they start would inherit that."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def rows(tmp_path, question):
    with sqlite3.connect(tmp_path / "logs" / "society.db") as database:
        return database.execute(question).fetchall()


async def hang(writer):
    await asyncio.Event().wait()


async def started(tmp_path, *words):
    command = [sys.executable, "-m", "society", *words]
    return await asyncio.create_subprocess_exec(
        *command, cwd=tmp_path, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


async def asked(server, process, least=1):
    """Wait until the server has been asked so often."""
    while server.requests < least:
        assert process.returncode is None, await process.communicate()
        await asyncio.wait({asyncio.ensure_future(process.wait())}, timeout=0.02)


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)], ids=["INT", "TERM", "HUP"]
)
async def test_the_second_signal_stops_at_once_and_what_was_in_flight_stays_open(tmp_path, sent, code):
    """The provider hangs: after one signal its answer is waited for, after two nothing is."""
    async with FaultServer(hang) as server:
        process = await started(tmp_path, "run", "plain.yaml", "--model", f"tiny@{server.url}", "-q")
        await asked(server, process)
        process.send_signal(sent)
        await asyncio.wait({asyncio.ensure_future(process.wait())}, timeout=0.5)
        assert process.returncode is None, "it hears out the call in flight"
        process.send_signal(sent)
        _, err = await asyncio.wait_for(process.communicate(), 15)
    assert process.returncode == code, err
    assert b"Traceback" not in err and b"society resume" in err
    assert rows(tmp_path, "SELECT status FROM run") == [("interrupted",)]
    assert rows(tmp_path, "SELECT status FROM model_call") == [("issued",)] * server.requests


async def test_an_answer_in_flight_is_kept_by_the_first_signal_and_not_paid_for_again(tmp_path):
    gate = asyncio.Event()

    async def late(writer):
        await gate.wait()
        writer.write(http(200, completion('{"message": "as you like"}')))
        await writer.drain()

    async with FaultServer(late, GOOD) as server:
        process = await started(tmp_path, "run", "plain.yaml", "--model", f"tiny@{server.url}", "-q")
        await asked(server, process)
        process.send_signal(signal.SIGINT)
        await asyncio.wait({asyncio.ensure_future(process.wait())}, timeout=0.3)
        gate.set()
        _, err = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode == 130, err
        assert rows(tmp_path, "SELECT status FROM model_call") == [("answered",)] * server.requests


async def test_a_hangup_that_is_ignored_is_ignored(tmp_path):
    """nohup society run ... goes on when the terminal closes."""
    async with FaultServer(GOOD) as server:
        command = f"trap '' HUP; exec {sys.executable} -m society run plain.yaml --model tiny@{server.url} -q"
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", command, cwd=tmp_path, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        await asked(server, process, 3)
        process.send_signal(signal.SIGHUP)
        _, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode in (0, 1), err
    assert rows(tmp_path, "SELECT rounds_played FROM run") == [(2,)]


def shell(tmp_path, command):
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=ENV, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done


SOCIETY = f"{sys.executable} -m society"


def test_streams_that_are_closed_harm_nothing(tmp_path):
    done = shell(tmp_path, f"{SOCIETY} run plain.yaml -q <&- >&- 2>&-")
    assert done.returncode == 0 and rows(tmp_path, "SELECT status FROM run") == [("completed",)]
    assert shell(tmp_path, f"{SOCIETY} verify").returncode == 0


def test_a_reader_that_has_read_enough_is_no_error(tmp_path):
    shell(tmp_path, f"{SOCIETY} run plain.yaml -q")
    done = shell(tmp_path, f"{SOCIETY} transcript last --json | head -c 10; {SOCIETY} runs | true")
    assert done.returncode == 0 and done.stderr == ""


def test_too_few_files_are_said_to_be_too_few(tmp_path):
    done = shell(tmp_path, f"ulimit -n 20; {SOCIETY} run plain.yaml -q --seeds 0-29 --parallel 30")
    assert done.returncode == 2 and "ulimit -n" in done.stderr
    assert shell(tmp_path, f"{SOCIETY} verify").returncode == 0


def test_a_locale_without_letters_shows_them_as_numbers(tmp_path):
    command = f"LC_ALL=C PYTHONUTF8=0 PYTHONIOENCODING= {SOCIETY} run plain.yaml --set 'theme.resource=Fische ü 鱼'"
    done = shell(tmp_path, command)
    assert done.returncode == 0 and "Fische" in done.stdout
    told = shell(tmp_path, f"LC_ALL=C PYTHONUTF8=0 PYTHONIOENCODING=ascii {SOCIETY} transcript last")
    assert "Fische \\xfc \\u9c7c" in told.stdout
