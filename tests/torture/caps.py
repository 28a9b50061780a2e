"""T14: a run on a budget never spends more than it may, whatever its provider says it used.

The provider knows what it bills: a token for four characters. What it reports is always missing, negative, not a number, or huge. The run
stops on its budget; it goes on with a larger one and ends.
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from pathlib import Path
from typing import Any

import society
from society.core.calls import Usage
from society.core.errors import Paused
from society.log import Log, open_log
from society.models.pool import ModelPool
from society.models.prices import Price
from society.models.settings import ProviderSettings
from society.playing import play, resume
from society.scenario.model import Budget
from tests.torture.answering import envelope
from tests.torture.chaos import KEY, MODEL, scratch
from tests.torture.kills import sampling_seed
from tests.torture.provider_faults import Served
from tests.torture.tally import Tally
from tests.torture.virtual import ChaosProvider, Fate, VirtualLoop, run, simulated

PRICE = Price(input=3.0, output=12.0)
SCENARIO = """
name: caps
rounds: 3
mechanism: {kind: public_goods, endowment: 20}
agents: 4
stages: {talk: {turns: 1, order: simultaneous}, declare: {predict: total}}
"""
LOST = 0.2
"""How many of the answers are paid for and cannot be used, in every second run or so."""
NOT_COUNTS: tuple[Any, ...] = (None, -5, -(10**30), 10**30, "9", "NaN", float("inf"), 1.5, [], {}, True, 0)


def usage_of(luck: random.Random) -> Any:
    """A report of tokens that cannot be true."""
    wrong = luck.choice(NOT_COUNTS)
    match luck.randrange(4):
        case 0:
            return luck.choice([None, [], "", 0, {}])
        case 1:
            return {"prompt_tokens": wrong, "completion_tokens": wrong}
        case 2:
            return {"prompt_tokens": wrong, "completion_tokens": luck.choice(NOT_COUNTS), "total_tokens": 3}
        case _:
            details = {"cached_tokens": luck.choice([10**30, -7, "x"])}
            return {"prompt_tokens": wrong, "completion_tokens": wrong, "prompt_tokens_details": details}


def miscounted(good: str, luck: random.Random, lost: float) -> Served:
    """A good answer with a report of tokens that cannot be true, as Python writes JSON (NaN and Infinity are left out).

    Or something that is no answer though it is billed: half of one, a page, an answer that comes too late or whose end is missing.
    """
    body = json.dumps(envelope(good, usage=usage_of(luck)))
    whole = body.replace("Infinity", "1e999").encode()
    if luck.random() < lost:
        return luck.choice(
            [
                Served("half", "tried again", body=whole[: len(whole) // 2]),
                Served("a page", "tried again", body=b"<html></html>"),
                Served("too late", "tried again", body=whole, delay=1e6),
                Served("broken off", "tried again", body=whole, broken=True),
            ]
        )
    return Served("miscounted", "harmless", body=body.replace("Infinity", "1e999").encode())


def caps(tally: Tally, count: int) -> None:
    """So many runs, each on a budget of its own."""
    for case in tally.cases(count):
        with tally.case(case) as luck, tempfile.TemporaryDirectory(prefix="torture-", dir=scratch()) as name:
            Purse(tally, case, luck, Path(name)).play()
        if case % 50 == 49:
            tally.progress(f"{case + 1} runs, {len(tally.failures)} failures")
        if tally.given_up:
            break


class Purse:
    """One run, what it may spend, and what it is billed."""

    def __init__(self, tally: Tally, case: int, luck: random.Random, folder: Path) -> None:
        self.tally, self.case, self.luck, self.path = tally, case, luck, folder / "log.db"
        lost = luck.choice((0, LOST))
        self.provider = ChaosProvider(f"{tally.seed} {case}", 1, lambda good, luck: miscounted(good, luck, lost))
        self.at_once = luck.randint(1, 8)
        self.settings = ProviderSettings(
            _env_file=None,
            concurrency=self.at_once,
            api_key=KEY,
            prices={MODEL: PRICE},
        )

    def play(self) -> None:
        """On a small budget until it is spent, then on larger ones to the end."""
        tally, case, luck = self.tally, self.case, self.luck
        cap, run_id = luck.uniform(0.002, 0.05), None
        for _ in range(40):
            budget = self._budget(cap)
            stopped = self._segment(budget, run_id)
            with open_log(self.path) as log:
                (info,) = log.runs()
                run_id = info.id
                tally.check(case, "invariant violations", log.verify().sound, f"verify: {log.verify().faults[:2]}")
                self._booked(log)
            billed, most = self._billed(budget), float(budget.tokens or budget.usd or 0)
            tally.check(case, "other failures", billed <= most, f"billed {billed:.5f} on a budget of {most:.5f}")
            tally.peak("thousandths of the budget that were billed", round(1000 * billed / most))
            if not stopped:
                tally.add("runs finished")
                return
            tally.add("stops on a spent budget")
            cap *= luck.uniform(1.2, 3)
        tally.fail(case, "other failures", "the run does not come to its end though its budget grows")

    def _budget(self, cap: float) -> Budget:
        if self.luck.random() < 0.25:
            return Budget(tokens=int(cap * 1_000_000 / 4))
        return Budget.model_validate({"usd": f"{cap:.6f}"})

    def _segment(self, budget: Budget, run_id: str | None) -> bool:
        """Play until the end or until the budget stops it; whether it did."""
        loop = VirtualLoop()
        with simulated(self.provider, Fate()):
            log = open_log(self.path, secrets=self.settings.secrets)
            try:
                run(loop, self._go(log, loop, budget, run_id))
            except Paused as problem:
                if "budget" not in str(problem) and "without an answer" not in str(problem):
                    raise
                return True
            finally:
                log.close()
        return False

    async def _go(self, log: Log, loop: VirtualLoop, budget: Budget, run_id: str | None) -> None:
        pool = ModelPool(self.settings, clock=loop, jitter=self.luck.random)
        try:
            if run_id is None:
                scenario = society.loads(SCENARIO).model_copy(update={"budget": budget})
                await play(scenario, model=MODEL, log=log, pool=pool, seed=self.case)
            else:
                await resume(run_id, log=log, pool=pool, budget=budget)
        finally:
            await asyncio.sleep(0)
            await pool.close()

    def _billed(self, budget: Budget) -> float:
        """What the provider bills for all that it answered, in tokens or in US dollars, as the budget is."""
        used = [self._used(who) for who, many in self.provider.served.items() for _ in many]
        if budget.usd is None:
            return sum(one.tokens_in + one.tokens_out for one in used)
        return sum(PRICE.of(one) or 0 for one in used)

    def _used(self, who: int) -> Usage:
        characters = sum(len(message["content"]) for message in self.provider.prompts[who])
        return Usage(characters // 4 + 1, len(self.provider.good[who]) // 4 + 1, None, None, False)

    def _booked(self, log: Log) -> None:
        """A count that cannot be true is booked as an estimate and marked so; nothing is booked as free, or as less than nothing."""
        rows = log.sql(
            "SELECT sampling, tokens_in, tokens_out, usd, estimated FROM model_call WHERE status = 'answered'"
        )
        for row in rows.rows():
            served = self.provider.served[sampling_seed(row["sampling"])][-1]
            self.tally.add("answers booked")
            plain = all(isinstance(row[name], int) and row[name] > 0 for name in ("tokens_in", "tokens_out"))
            self.tally.check(
                self.case, "silent actions", plain and 0 < row["usd"] < 1, f"{served.body[-200:]!r} is booked as {row}"
            )
            self.tally.check(self.case, "silent actions", bool(row["estimated"]), f"{row} is not marked as an estimate")
