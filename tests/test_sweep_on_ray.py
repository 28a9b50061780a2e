"""A sweep on a cluster: real workers, a real PostgreSQL server, a real HTTP provider, and workers killed in the middle of it."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from fault_server import completion, http
from postgres_server import running_server, why_not
from provider import provider

from society.cli import main
from society.core.calls import Usage
from society.core.errors import Paused
from society.log import Log, open_log
from society.models.budget import RunBudget
from society.models.faults import RetryLater
from society.models.settings import ProviderSettings
from society.models.throttle import Throttle
from society.sweep.shared_limits import Limits, SharedLimits

ROOT = Path(__file__).parent.parent
ROUNDS, AGENTS, CONCURRENCY, LATENCY = 6, 2, 4, 0.1
LAKE = f"""
name: lake
rounds: {ROUNDS}
seeds: [7]
mechanism: {{kind: common_pool, capacity: 100}}
agents: [{{name: Ann}}, {{name: Ben}}]
stages: {{talk: off, declare: off}}
models: {{default: "MODEL"}}
"""
SWEEP = """
name: small
scenarios: [lake.yaml]
seeds: 0-3
axes:
  mechanism.capacity: [50, 100]
metrics: [total_welfare]
"""
no_ray = "" if importlib.util.find_spec("ray") else "Ray is not installed: pip install 'society-sandbox[ray]'"


# A cluster


def kill_a_writer(log: Log, spared: set[int]) -> int | None:
    """Kill a worker that has committed some answers of a run it is still at; which one."""
    sql = (
        "SELECT r.pid FROM run AS r JOIN model_call AS c ON c.run_id = r.id AND c.status = 'answered'"
        " WHERE r.status = 'running' GROUP BY r.pid HAVING COUNT(*) >= 3"
    )
    for pid in log.sql(sql).column("pid"):
        if pid not in spared:
            os.kill(pid, signal.SIGKILL)
            return int(pid)
    return None


@pytest.mark.postgres
@pytest.mark.skipif(bool(why_not() or no_ray), reason=why_not() or no_ray or "both are there")
def test_killed_workers_runs_end_as_if_nobody_had_been_killed_and_no_answer_is_paid_twice(tmp_path: Path, monkeypatch) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOCIETY_CONCURRENCY", str(CONCURRENCY))
    Path("small.yaml").write_text(SWEEP)
    with provider(http(200, completion('{"action": 3}')), seconds=LATENCY) as serving, running_server() as server:
        Path("lake.yaml").write_text(LAKE.replace("MODEL", "openai:tiny"))
        monkeypatch.setenv("OPENAI_BASE_URL", serving.server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
        assert main(["sweep", "small.yaml", "--log", "whole.db", "--quiet"]) == 0
        wanted = 2 * 4 * ROUNDS * AGENTS
        assert serving.server.requests == wanted
        url = server.format(database="postgres")
        words = ["sweep", "small.yaml", "--ray", "local", "--workers", "2", "--log", url, "--json"]
        command = [sys.executable, "-m", "society", *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with open_log(url) as log:
            log.prepare()
            sweep = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            killed: set[int] = set()
            while sweep.poll() is None:
                if len(killed) < 2 and (pid := kill_a_writer(log, killed | {sweep.pid})) is not None:
                    killed.add(pid)
                time.sleep(0.05)
            out, err = sweep.communicate()
            assert sweep.returncode == 0, err.decode()
            assert len(killed) == 2
            told = json.loads(out)
            assert (told["played"], told["failures"]) == (8, {})
            assert log.verify().faults == ()  # among others: nothing that was answered was asked again
            tries = log.sql("SELECT status, COUNT(*) AS n FROM model_call GROUP BY status").rows()
            counted = {row["status"]: row["n"] for row in tries}
            assert counted["answered"] == wanted
            sent = serving.server.requests - wanted
            assert sent <= sum(counted.values())  # a try is in the journal before it is sent
            assert sent - wanted <= 2 * CONCURRENCY  # only what was in flight at a killed worker was sent again
            with open_log("whole.db") as whole:
                heads = [{(run.cell, run.seed): (run.status, run.head) for run in book.runs()} for book in (whole, log)]
            assert heads[0] == heads[1] and len(heads[0]) == 8
        assert (
            serving.most <= CONCURRENCY + 2 * CONCURRENCY
        )  # what a dead worker had in flight, its provider still works on


def test_a_cluster_needs_a_log_that_all_machines_reach(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SWEEP)
    Path("lake.yaml").write_text(LAKE.replace("MODEL", "mock:greedy"))
    monkeypatch.setattr("society.cli.extras.find_spec", lambda _: object())
    assert main(["sweep", "small.yaml", "--ray", "auto"]) == 2
    assert "a log that all its machines can reach: --log postgresql://" in capsys.readouterr().err


def test_without_ray_the_words_that_install_it_are_told(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SWEEP)
    Path("lake.yaml").write_text(LAKE.replace("MODEL", "mock:greedy"))
    monkeypatch.setattr("society.cli.extras.find_spec", lambda name: None if name == "ray" else object())
    assert main(["sweep", "small.yaml", "--ray", "local"]) == 2
    assert "sweeps on a cluster need ray: pip install 'society-sandbox[ray]'" in capsys.readouterr().err


def test_several_processes_are_for_those_who_think_not_for_those_who_wait(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SWEEP)
    Path("lake.yaml").write_text(LAKE.replace("MODEL", "openai:tiny"))
    assert main(["sweep", "small.yaml", "--workers", "3"]) == 2
    assert "share the limits with --ray local" in capsys.readouterr().err


# The limits that workers share, in one process


class Near:
    """A desk at which the limits sit themselves."""

    def __init__(self, limits: SharedLimits) -> None:
        self.limits = limits
        self.told: set[asyncio.Task[None]] = set()

    def ask(self, method: str, *arguments: object):
        return getattr(self.limits, method)(*arguments)

    def tell(self, method: str, *arguments: object) -> None:
        self.told.add(asyncio.ensure_future(getattr(self.limits, method)(*arguments)))


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def inside(limits: Limits) -> AsyncIterator[None]:
    async with limits.gate("there").slot(1):
        yield


def office(concurrency: int = 2, purse: RunBudget | None = None) -> SharedLimits:
    return SharedLimits(ProviderSettings.read(), purse, lambda _: Throttle(concurrency=concurrency))


async def test_calls_of_all_workers_pass_one_gate() -> None:
    kept = office(2)
    workers = [Limits(Near(kept), number) for number in range(3)]
    now = most = 0

    async def call(limits: Limits) -> None:
        nonlocal now, most
        async with inside(limits):
            now += 1
            most = max(most, now)
            await settle()
            now -= 1

    await asyncio.gather(*(call(limits) for limits in workers * 4))
    assert (now, most) == (0, 2)


async def test_a_refusal_on_one_worker_slows_all_of_them() -> None:
    kept = office(8)
    refused, served, gone = (Limits(Near(kept), number) for number in range(3))
    with suppress(RetryLater):
        async with inside(refused):
            raise RetryLater("slower", shared=True)
    await settle()
    assert kept._gate("there").at_once == 4
    for _ in range(4):
        async with inside(served):
            pass
    await settle()
    assert kept._gate("there").at_once == 5
    await inside(gone).__aenter__()
    await kept.forget(2)  # it says nothing of the provider
    with suppress(RetryLater):
        async with inside(refused):
            raise RetryLater("no JSON")
    await settle()
    assert kept._gate("there").at_once == 5 and kept._gate("there")._in_flight == 0


async def test_who_stops_waiting_takes_no_place_and_a_dead_worker_gives_its_places_back() -> None:
    kept = office(1)
    dead, alive = Limits(Near(kept), 1), Limits(Near(kept), 2)
    held = inside(dead)
    await held.__aenter__()
    impatient = asyncio.ensure_future(inside(alive).__aenter__())
    await settle()
    impatient.cancel()
    await settle()
    assert impatient.cancelled()
    waiting = asyncio.ensure_future(inside(alive).__aenter__())
    await settle()
    assert not waiting.done()
    await kept.forget(1)
    await asyncio.wait_for(waiting, 5)


async def test_the_purse_is_one_and_what_a_dead_worker_set_aside_counts_as_spent() -> None:
    purse = RunBudget(usd=1.0)
    kept = office(purse=purse)
    first, second = Limits(Near(kept), 1).purse(), Limits(Near(kept), 2).purse()
    await first.hold(100, 0.4)
    await second.hold(100, 0.4)
    third = asyncio.ensure_future(second.hold(100, 0.4))  # would be too much, unless what is set aside is not needed
    await settle()
    assert not third.done()
    second.release(100, 0.4, Usage(10, 10, None, 0.1))
    await asyncio.wait_for(third, 5)
    await kept.forget(1)
    assert purse.spent.usd == pytest.approx(0.5)
    second.release(100, 0.4, Usage(10, 10, None, 0.4))
    await settle()
    with pytest.raises(Paused, match=r"0\.9000 of 1 US dollars are spent"):
        await second.hold(100, 0.4)


async def test_a_hold_that_is_given_up_while_it_waits_is_given_back() -> None:
    purse = RunBudget(tokens=100)
    kept = office(purse=purse)
    one = Limits(Near(kept), 1).purse()
    await one.hold(80, 0.0)
    waiting = asyncio.ensure_future(one.hold(80, 0.0))
    await settle()
    waiting.cancel()
    one.release(80, 0.0, Usage(5, 5))
    await settle()
    await asyncio.wait_for(one.hold(80, 0.0), 5)
