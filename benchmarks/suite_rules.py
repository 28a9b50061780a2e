"""The rules, and what is computed by calling them again: decomposition and coalition values."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.results import Result, Size, at_least, middle
from society import load, open_log
from society.analysis import align, coalitions, shapley
from society.analysis.simulator_games import SimulatorGames
from society.core.seeds import Noise
from society.episode import Episode
from society.instruments import INSTRUMENTS
from society.mechanisms import MECHANISMS
from society.playing import play

TWELVE = [
    *("rounds=12", "stages.talk.turns=0", "mechanism.capacity=240"),
    "agents=[" + ", ".join(f"{{name: Fisher {seat + 1}}}" for seat in range(12)) + "]",
]

THREE = (
    "[{kind: tax, rate: 1/2, rebate: 1}, {kind: quota, enforcement: soft, detection: 1/2, fine_per_unit: 2, fine_to: victims},"
    " {kind: contract, imposed: 6, imposed_penalty: 3}]"
)


def rules(size: Size) -> Iterator[Result]:
    """The common pool of five: one round at a time, and many at once."""
    from society.governance.governed import Governed

    pool = MECHANISMS.parse({"kind": "common_pool", "agents": 5})
    quota = INSTRUMENTS.parse({"kind": "quota", "amount": 10, "enforcement": "soft", "detection": "1/2", "fine": 4})
    state, noise, joint = pool.initial_state(), Noise(1, 1), (10, 12, 8, 11, 9)
    steps = size.of(5_000, 50)
    yield middle("single, bare", _rate(lambda: pool.step(state, joint, noise), steps, size), "rounds/s")
    governed = Governed(pool, (quota,))
    first = governed.initial_state()
    yield middle(
        "single, under a quota", _rate(lambda: governed.step(first, joint, noise), steps // 5, size), "rounds/s"
    )
    joints = np.random.default_rng(1).integers(0, 40, size=(size.of(200_000, 1_000), 5))
    batched = _rate(lambda: pool.batch(state, joints, noise), size.of(10, 2), size)
    yield middle("batched", [rate * joints.size for rate in batched], "agent-steps/s", at_least(10_000_000))


def decomposition(size: Size) -> Iterator[Result]:
    """The alignment decomposition of a whole episode: 12 agents, 12 rounds, bare and under a tax, a quota and a contract."""
    for words, more in (("", []), (", under three instruments", [f"instruments={THREE}"])):
        episode = _played([*TWELVE, f"rounds={size.of(12, 1)}", *more])
        took = _seconds(lambda played=episode: align(played), size)  # type: ignore[misc]  # the episode of this turn
        yield middle(f"12 agents, {len(episode.settled)} rounds{words}", took, "s")


def coalition_values(size: Size) -> Iterator[Result]:
    """The worth of every coalition by enumeration of the rules, and the four notions of an episode."""
    pool = MECHANISMS.parse({"kind": "common_pool", "agents": 5})
    games = _seconds(lambda: SimulatorGames(pool, actions=size.of(11, 3)).alpha().values, size)
    yield middle(f"32 coalitions of 5 agents, {size.of(11, 3)} actions each", games, "s")
    worth = [min(240, 20 * mask.bit_count() ** 2) for mask in range(1 << 12)]
    yield middle("Shapley value of 12 agents", _seconds(lambda: shapley(12, worth), size), "s")
    episode = _played([f"rounds={size.of(12, 1)}", "stages.talk.turns=0"])
    yield middle(
        f"the coalitions of an episode of {len(episode.settled)} rounds",
        _seconds(lambda: coalitions(episode), size),
        "s",
    )


def _played(overrides: list[str]) -> Episode:
    with open_log("sqlite://") as log:
        return asyncio.run(play(load("fishery", overrides), model="mock:conditional", log=log)).episode


def _seconds(work: Callable[[], object], size: Size) -> list[float]:
    took = []
    for _ in range(size.repeats):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return took


def _rate(work: Callable[[], object], times: int, size: Size) -> list[float]:
    """How often a second, in each repetition."""

    def repeated() -> None:
        for _ in range(times):
            work()

    return [times / seconds for seconds in _seconds(repeated, size)]
