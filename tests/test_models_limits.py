"""What stands around a provider: journal, budget, cache, throttle and counters."""

import asyncio
import time
from contextlib import suppress

import pytest
from fault_server import VirtualClock

from society.core.calls import ChatMessage, ModelRequest, ModelResponse, Position, Sampling, Usage
from society.core.errors import BadInput, Diverged, Paused
from society.models.budget import Budgeted, RunBudget, Spent
from society.models.cache import Cache, cache_key
from society.models.counters import Counters
from society.models.faults import RetryLater
from society.models.mock import MockModel
from society.models.pool import ModelPool
from society.models.prices import Price
from society.models.record import Record
from society.models.retry import Retry
from society.models.settings import ProviderSettings
from society.models.throttle import Throttle, Throttled

SCHEMA = {"type": "object", "properties": {"amount": {"type": "integer", "minimum": 0, "maximum": 9}}}


def asked(agent=0, *, round=1, attempt=0, text="How much?", seed=None):
    at = Position(round, "act", 0, agent, attempt)
    return ModelRequest(
        at, "mock:greedy", (ChatMessage("user", text),), SCHEMA, sampling=Sampling(max_tokens=100, seed=seed)
    )


class Notebook:
    """A journal in memory, with the order of all that was told to it."""

    def __init__(self):
        self.told = []
        self.answers = {}

    def recall(self, request):
        known = self.answers.get(request.at)
        if known is None:
            return None
        if known[0] != request.hash:
            raise Diverged(str(request.at))
        return known[1]

    async def issue(self, request, *, reserved_usd):
        self.told.append(("issue", request.at.agent, reserved_usd))
        return sum(kind == "issue" for kind, *_ in self.told) - 1

    async def answered(self, request, issue, response):
        self.told.append(("answered", request.at.agent, issue))
        self.answers[request.at] = (request.hash, response)
        return response

    async def failed(self, request, issue, error, *, raw=b"", charged=False):
        self.told.append(("failed", error, raw))


class Canned:
    """Answers or raises what it is given, one by one, and counts how many are in flight."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.calls = self.now = self.most = 0

    async def complete(self, request):
        reply = self.replies[min(self.calls, len(self.replies) - 1)]
        self.calls += 1
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def close(self): ...


def answer(tokens_in=10, tokens_out=5, usd=None):
    return ModelResponse("{}", raw=b"{}", usage=Usage(tokens_in, tokens_out, None, usd))


@pytest.fixture
async def pool():
    pool = ModelPool(ProviderSettings(_env_file=None))
    yield pool
    await pool.close()


async def test_every_call_is_issued_then_answered_and_never_asked_again(pool):
    book = Notebook()
    first = await pool.client("mock:greedy", journal=book).complete(asked())
    assert book.told == [("issue", 0, 0.0), ("answered", 0, 0)]
    again = await pool.client("mock:greedy", journal=book).complete(asked())
    assert (again.text, again.cached) == (first.text, True)
    assert len(book.told) == 2
    assert (pool.counters.done, pool.counters.recalled) == (1, 1)


async def test_another_question_at_a_journalled_position_stops(pool):
    book = Notebook()
    client = pool.client("mock:greedy", journal=book)
    await client.complete(asked())
    with pytest.raises(Diverged):
        await client.complete(asked(text="Something else?"))


async def test_replay_knows_the_journal_and_nothing_more(pool):
    book = Notebook()
    await pool.client("mock:greedy", journal=book).complete(asked())
    replay = pool.client("replay", journal=book)
    assert (await replay.complete(asked())).cached
    with pytest.raises(Paused, match="round 2"):
        await replay.complete(asked(round=2))
    assert len(book.told) == 2


async def test_a_try_without_an_answer_is_recorded_with_what_came_instead():
    book = Notebook()
    client = Retry(
        Record(Canned(RetryLater("no JSON", raw=b"<html>"), answer()), book, None),
        max_tries=2,
        seconds=60,
        clock=VirtualClock(),
    )
    await client.complete(asked())
    assert [kind for kind, *_ in book.told] == ["issue", "failed", "issue", "answered"]
    assert book.told[1] == ("failed", "no JSON", b"<html>")


async def test_retries_are_bounded_by_tries_and_by_time():
    few = Canned(RetryLater("busy"))
    with pytest.raises(Paused, match="5 times"):
        await Retry(few, max_tries=5, seconds=1e9, clock=VirtualClock()).complete(asked())
    assert few.calls == 5
    clock, long = VirtualClock(), Canned(RetryLater("busy", seconds=40))
    with pytest.raises(Paused):
        await Retry(long, max_tries=100, seconds=100, clock=clock, jitter=lambda: 0.0).complete(asked())
    assert clock.sleeps == [40, 40], "a third wait would end at 120 s, past the bound"


def test_waits_grow_to_a_minute_and_are_never_nothing():
    fullest = Retry(Canned(), max_tries=1, seconds=1, jitter=lambda: 1.0)
    assert [fullest.wait(tries, None) for tries in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert Retry(Canned(), max_tries=1, seconds=1, jitter=lambda: 0.0).wait(9, None) > 0


# A prompt of 9 bytes and 32 for its frame is at most 41 // 2 + 1 = 21 tokens; with 100 for the answer, a call holds 121.
HELD = 121


async def test_a_budget_of_tokens_stops_before_the_call_that_could_exceed_it():
    inner = Canned(answer(20, 30))
    client = Budgeted(inner, RunBudget(tokens=HELD + 50), None)
    await client.complete(asked())
    await client.complete(asked())
    with pytest.raises(Paused, match="100 of 171 tokens are used"):
        await client.complete(asked())
    assert inner.calls == 2


async def test_calls_wait_for_those_in_flight_before_the_budget_is_said_to_be_spent():
    inner = Canned(answer(20, 30))
    budget = RunBudget(tokens=HELD + 200)
    client = Budgeted(inner, budget, None)
    await asyncio.gather(*(client.complete(asked(agent)) for agent in range(5)))
    assert (inner.calls, budget.spent.tokens) == (5, 250)
    assert inner.most == 2


async def test_a_budget_of_money_is_never_exceeded_and_wants_a_price():
    price = Price(input=1_000_000, output=1_000_000)
    inner = Canned(answer(20, 30, 50.0))
    client = Budgeted(inner, RunBudget(usd=HELD + 49), price)
    await client.complete(asked())
    with pytest.raises(Paused, match=r"50\.0000 of 170 US dollars"):
        await client.complete(asked())
    with pytest.raises(BadInput, match="price of huge is unknown"):
        RunBudget(usd=1).check_price("huge", None)
    RunBudget(tokens=1).check_price("huge", None)


async def test_a_try_that_brought_no_answer_and_may_be_charged_for_counts_at_its_most():
    price = Price(input=1_000_000, output=1_000_000)
    budget = RunBudget(usd=10 * HELD)
    client = Budgeted(
        Canned(RetryLater("busy"), RetryLater("garbage", charged=True), answer(20, 30, 50.0)), budget, price
    )
    spent = []
    for _ in range(2):
        with pytest.raises(RetryLater):
            await client.complete(asked())
        spent.append(budget.spent.usd)
    await client.complete(asked())
    assert [*spent, budget.spent.usd] == [0, HELD, HELD + 50]


async def test_minutes_count_earlier_processes_too():
    clock = VirtualClock()
    client = Budgeted(Canned(answer()), RunBudget(minutes=2, spent=Spent(seconds=60), now=clock.now), None)
    await client.complete(asked())
    clock.time += 60
    with pytest.raises(Paused, match="2 minutes are over"):
        await client.complete(asked())


async def test_an_answer_of_unknown_size_never_refills_a_budget():
    budget = RunBudget(tokens=1000)
    await Budgeted(Canned(answer(None, None)), budget, None).complete(asked())
    assert budget.spent.tokens > 0
    budget.count(Usage(-500, -500, None, -3.0))
    assert budget.spent.tokens > 0
    assert budget.spent.usd == 0


async def test_a_recalled_answer_counts_against_the_budget_without_being_stopped_by_it(pool):
    book = Notebook()
    await pool.client("mock:greedy", journal=book).complete(asked())
    budget = RunBudget(tokens=1)
    client = pool.client("mock:greedy", journal=book, budget=budget)
    await client.complete(asked())
    assert budget.spent.tokens > 1
    with pytest.raises(Paused):
        await client.complete(asked(round=2))


async def test_the_cache_tells_agents_attempts_and_seeds_apart_but_not_rounds(tmp_path):
    assert cache_key(asked(0)) == cache_key(asked(0, round=7))
    others = [asked(1), asked(attempt=1), asked(seed=3), asked(text="?")]
    assert len({cache_key(request) for request in [asked(), *others]}) == 5


async def test_a_cached_answer_is_journalled_and_free(tmp_path):
    book, counters = Notebook(), Counters()
    mock = MockModel("greedy")
    first = await Cache(mock, tmp_path, None, ()).complete(asked())
    known = await Cache(Canned(RuntimeError("asked")), tmp_path, book, (counters,)).complete(asked(round=2))
    assert (known.text, known.raw, known.cached, known.usage.usd) == (first.text, first.raw, True, 0.0)
    assert [kind for kind, *_ in book.told] == ["issue", "answered"]
    assert counters.cached == 1


async def test_a_damaged_file_of_the_cache_is_asked_again(tmp_path):
    cache = Cache(MockModel("greedy"), tmp_path, None, ())
    first = await cache.complete(asked())
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    file.write_bytes(b"{")
    assert (await cache.complete(asked())).text == first.text
    assert file.read_bytes() == first.raw


async def test_no_more_calls_than_allowed_are_in_flight_and_they_start_in_order():
    throttle, now, most, order = Throttle(concurrency=3), 0, 0, []

    async def one(place):
        nonlocal now, most
        async with throttle.slot(1):
            order.append(place)
            now += 1
            most = max(most, now)
            await asyncio.sleep(0)
            now -= 1

    await asyncio.gather(*(one(place) for place in range(50)))
    assert (most, order) == (3, list(range(50)))


async def test_no_more_calls_than_allowed_start_in_any_period():
    throttle, starts = Throttle(concurrency=50, requests_per_minute=4, period=0.05), []

    async def one(place):
        async with throttle.slot(1):
            starts.append((time.monotonic(), place))

    await asyncio.gather(*(one(place) for place in range(13)))
    assert [place for _, place in starts] == list(range(13))
    assert all(later[0] - earlier[0] >= 0.05 for earlier, later in zip(starts, starts[4:], strict=False))


async def test_no_more_tokens_than_allowed_go_out_in_any_minute():
    clock = VirtualClock()
    throttle, starts = Throttle(concurrency=50, tokens_per_minute=100, clock=clock), []
    for size in (60, 40, 60, 30, 500):
        async with throttle.slot(size):
            starts.append(clock.now() - 1000)
    # 60 + 40 fit; 60 waits for the first 60 to be a minute old, 30 fits beside it; 500 takes a whole minute for itself.
    assert starts == [0, 0, 60, 60, 120]


REFUSED = RetryLater("slower", seconds=1, shared=True)


async def called(throttle, *, ends=None):
    """One call that ends well, or with a problem."""
    with suppress(Exception):
        async with throttle.slot(1):
            await asyncio.sleep(0)
            if ends is not None:
                raise ends


async def test_a_refusal_halves_what_is_in_flight_and_answers_bring_it_back_one_by_one():
    throttle, seen = Throttle(concurrency=8), []
    for ends in (REFUSED, REFUSED, *[None] * 35):
        await called(throttle, ends=ends)
        seen.append(throttle.at_once)
    # 8, 4, 2; then one more after 2 answers, after 3 more, after 4, 5, 6 and 7 more; never more than 8.
    assert seen == [4, 2, 2, *[3] * 3, *[4] * 4, *[5] * 5, *[6] * 6, *[7] * 7, *[8] * 9]


async def test_a_burst_that_is_refused_as_a_whole_halves_once_and_never_to_nothing():
    throttle = Throttle(concurrency=8)
    await asyncio.gather(*(called(throttle, ends=REFUSED) for _ in range(8)))
    assert throttle.at_once == 4
    for _ in range(5):
        await called(throttle, ends=REFUSED)
    assert throttle.at_once == 1


async def test_what_says_nothing_about_the_pace_changes_nothing():
    throttle = Throttle(concurrency=4)
    for ends in (RetryLater("garbage"), ValueError(), None, None):
        await called(throttle, ends=ends)
    assert throttle.at_once == 4
    slow = asyncio.ensure_future(called(throttle))
    await asyncio.sleep(0)
    await called(throttle, ends=REFUSED)
    await slow
    assert throttle.at_once == 2, "an answer that was under way before tells nothing of the new pace"
    await called(throttle)
    assert throttle.at_once == 2
    await called(throttle)
    assert throttle.at_once == 3


async def test_calls_that_wait_while_it_is_halved_keep_to_it():
    throttle, now, seen = Throttle(concurrency=8), 0, []

    async def one():
        nonlocal now
        async with throttle.slot(1):
            now += 1
            seen.append((now, throttle.at_once))
            for _ in range(5):
                await asyncio.sleep(0)
            now -= 1

    first = [asyncio.ensure_future(called(throttle, ends=REFUSED)) for _ in range(8)]
    await asyncio.gather(*first, *(one() for _ in range(12)))
    assert seen[3] == (4, 4) and len(seen) == 12 and all(flying <= allowed for flying, allowed in seen)
    assert throttle.at_once == 6  # of 12 answers 4 brought a fifth place and 5 more a sixth; 3 are left over


class Narrow:
    """A provider that refuses whoever comes while so many are being answered."""

    def __init__(self, most):
        self.most, self.now, self.refused = most, 0, 0

    async def complete(self, request):
        if self.now >= self.most:
            self.refused += 1
            raise REFUSED
        self.now += 1
        for _ in range(200):
            await asyncio.sleep(0)
        self.now -= 1
        return answer()

    async def close(self): ...


@pytest.mark.parametrize("most", [1, 3, 10])
async def test_a_provider_with_little_room_is_soon_asked_no_more_than_it_bears(most):
    narrow, clock = Narrow(most), VirtualClock()
    throttle = Throttle(concurrency=64, clock=clock)
    client = Retry(Throttled(narrow, throttle, ()), max_tries=200, seconds=1e9, throttle=throttle, clock=clock)
    await asyncio.gather(*(client.complete(asked(agent)) for agent in range(100)))
    assert throttle.at_once <= most + 1
    assert narrow.refused <= 64 + 100 // most, "those of the first burst, and one whenever there may be one more"


async def test_a_pause_holds_everybody_back():
    clock = VirtualClock()
    throttle = Throttle(concurrency=2, clock=clock)
    throttle.pause(30)
    throttle.pause(5)
    async with throttle.slot(1):
        assert clock.now() == 1030
