"""Over HTTP: the sandbox beside bare programs and other packages, all on one server."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.peers import PEERS, Peer
from benchmarks.processes import Failed, measured
from benchmarks.results import Result, Size, Target, at_most, middle
from benchmarks.server import Server, serving
from benchmarks.workload import Workload, recorded, write

AIOHTTP = "benchmarks.programs.bare:aiohttp_loop"
OPENAI = "benchmarks.programs.bare:openai_post"
SANDBOX = "benchmarks.programs.sandbox:with_log"
UNLOGGED = "benchmarks.programs.sandbox:without_log"
WATCHED = "benchmarks.programs.sandbox:with_watched_log"

Took = dict[str, list[dict[str, float]]]
"""What each program took, by repetition."""


def hundred(size: Size) -> Iterator[Result]:
    """5 agents x 12 rounds x 2 calls x 20 episodes, 200 ms, 100 in flight."""
    workload = Workload() if not size.short else Workload(episodes=2, rounds=2, seconds=0.02, in_flight=10)
    took = _side_by_side(workload, size.repeats, {"aiohttp": AIOHTTP, "openai": OPENAI, "sandbox": SANDBOX})
    yield Result("critical path", workload.critical_path, "s")
    yield _wall("a bare aiohttp loop", took["aiohttp"], workload)
    yield _cpu("a bare aiohttp loop", took["aiohttp"], workload)
    yield _wall("the openai client, raw post", took["openai"], workload)
    yield _cpu("the openai client, raw post", took["openai"], workload)
    yield _wall("society", took["sandbox"], workload, at_most(1.10))
    yield _settled_wall(took["sandbox"], workload)
    yield _cpu("society", took["sandbox"], workload)
    pairs = zip(took["sandbox"], took["openai"], strict=True)
    ratios = [ours["cpu"] / theirs["cpu"] for ours, theirs in pairs]
    yield middle("CPU a call, society to the raw post", ratios, "x", at_most(1.3))
    yield middle("society: memory", [one["rss"] for one in took["sandbox"]], "MB")


def thousand(size: Size) -> Iterator[Result]:
    """5 agents x 3 rounds x 2 calls x 200 episodes, 1 s, 1,000 in flight.

    A second, since that is 1,000 calls a second to make: at 200 ms it would be 5,000, more than one process can send through
    the openai client at all, and the wall time would tell the CPU a call once more. What one process can do at most is shown beside.
    """
    workload = Workload(episodes=200, rounds=3, in_flight=1000, seconds=1.0)
    if size.short:
        workload = Workload(episodes=4, rounds=1, seconds=0.02, in_flight=20)
    took = _side_by_side(workload, size.repeats, {"aiohttp": AIOHTTP, "openai": OPENAI, "sandbox": SANDBOX})
    yield Result("critical path", workload.critical_path, "s")
    yield _wall("a bare aiohttp loop", took["aiohttp"], workload)
    yield _wall("the openai client, raw post", took["openai"], workload)
    yield _most("the openai client, raw post", took["openai"], workload)
    yield _wall("society", took["sandbox"], workload, at_most(1.4))
    yield _settled_wall(took["sandbox"], workload)
    yield _most("society", took["sandbox"], workload)
    yield middle("the openai client, raw post: memory", [one["rss"] for one in took["openai"]], "MB")
    yield middle("society: memory", [one["rss"] for one in took["sandbox"]], "MB", at_most(150))


def log_share(size: Size) -> Iterator[Result]:
    """What the log costs of a run over HTTP, and how long it holds the event loop at a time."""
    workload = Workload() if not size.short else Workload(episodes=2, rounds=2, seconds=0.02, in_flight=10)
    programs = {"logged": SANDBOX, "unlogged": UNLOGGED, "watched": WATCHED}
    took = _side_by_side(workload, size.repeats, programs)
    shares = [
        max(0.0, 100 * (1 - without["cpu"] / with_["cpu"]))
        for with_, without in zip(took["logged"], took["unlogged"], strict=True)
    ]
    yield middle("share of the log in the CPU of a run", shares, "%", at_most(15))
    yield middle("held by the log at a time, p99", [one["held_p99"] for one in took["watched"]], "ms", at_most(20))
    yield middle("held by the log at a time, longest", [one["held_most"] for one in took["watched"]], "ms")


def peers(size: Size) -> Iterator[Result]:
    """The sandbox beside other packages, all in one run on one server with the workload of `http`: each once, if it is installed."""
    workload = Workload() if not size.short else Workload(episodes=2, rounds=1, seconds=0.02, in_flight=10)
    with _prepared(workload) as (calls, server):
        for name, function in (("the openai client, raw post", OPENAI), ("society", SANDBOX)):
            took = measured(function, str(calls), server.url)
            server.count()
            yield from _three(name, took, workload)
        for peer in PEERS:
            try:
                took = _installed(peer, str(calls), server, size.peers_python)
            except Failed as problem:
                server.count()
                yield Result(peer.name, None, "", note=str(problem))
                continue
            asked = server.count()["asked"]
            note = peer.note if asked == workload.calls else f"asked {asked} of {workload.calls} calls"
            yield from _three(peer.name, took, workload, note)


def _three(name: str, took: dict[str, float], workload: Workload, note: str = "") -> Iterator[Result]:
    """What one program took, once."""
    yield replace(_wall(name, [took], workload), note=note)
    yield _cpu(name, [took], workload)
    yield middle(f"{name}: memory", [took["rss"]], "MB")


def _installed(peer: Peer, calls: str, server: Server, pythons: Sequence[str]) -> dict[str, float]:
    """What a peer took, with the first interpreter that has it.

    Raises:
        Failed: none has it, or it cannot play.
    """
    for python in pythons or (None,):
        try:
            return measured(peer.function, calls, server.url, python=python)
        except Failed as problem:
            if "ModuleNotFoundError" not in str(problem):
                raise Failed(f"failed: {problem}") from None
    raise Failed(f"skipped: {peer.install}")


@contextmanager
def _prepared(workload: Workload) -> Iterator[tuple[Path, Server]]:
    with tempfile.TemporaryDirectory() as folder, serving(workload.seconds) as server:
        calls = Path(folder) / "calls.json"
        write(calls, workload, recorded(workload))
        yield calls, server


def _side_by_side(workload: Workload, repeats: int, programs: dict[str, str]) -> Took:
    """Every program in turn, again and again; each has to make exactly the calls of the workload."""
    took: Took = {name: [] for name in programs}
    with _prepared(workload) as (calls, server):
        for _ in range(repeats):
            for name, function in programs.items():
                took[name].append(measured(function, str(calls), server.url))
                asked = server.count()["asked"]
                if asked != workload.calls:
                    raise Failed(f"{name} made {asked} calls, not {workload.calls}")
    return took


def _wall(name: str, took: list[dict[str, float]], workload: Workload, target: Target | None = None) -> Result:
    return middle(f"{name}: wall", [one["wall"] / workload.critical_path for one in took], "x critical path", target)


def _settled_wall(took: list[dict[str, float]], workload: Workload) -> Result:
    """What is left without the first call to a model, which goes alone so that a wrong key costs one request: once a process."""
    rest = [(one["wall"] - workload.seconds) / workload.critical_path for one in took]
    return middle("society: wall, less the first call of a process, which goes alone", rest, "x critical path")


def _cpu(name: str, took: list[dict[str, float]], workload: Workload) -> Result:
    return middle(f"{name}: CPU", [one["cpu"] * 1000 / workload.calls for one in took], "ms a call")


def _most(name: str, took: list[dict[str, float]], workload: Workload) -> Result:
    return middle(f"{name}: most that its CPU allows", [workload.calls / one["cpu"] for one in took], "calls/s")
