"""The first call to a model goes alone."""

from __future__ import annotations

import asyncio

import pytest

from society.core.calls import ChatMessage, ModelRequest, ModelResponse, Position
from society.core.errors import ProviderRefused
from society.models.first import FirstAlone, Trial


class Provider:
    """Answers after a few turns of the loop; remembers how many calls were ever under way at once."""

    def __init__(self, *fates):
        self.fates, self.calls, self.under_way, self.most = list(fates), 0, 0, 0

    async def complete(self, request):
        self.calls += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        fate = self.fates.pop(0) if self.fates else None
        for _ in range(5):
            await asyncio.sleep(0)
        self.under_way -= 1
        if fate is not None:
            raise fate
        return ModelResponse("{}")

    async def close(self):
        pass


def question(agent):
    return ModelRequest(Position(1, "act", 0, agent), "some", (ChatMessage("user", "?"),))


async def ask(provider, trial, agents=5):
    clients = [FirstAlone(provider, trial) for _ in range(agents)]
    return await asyncio.gather(*(c.complete(question(a)) for a, c in enumerate(clients)), return_exceptions=True)


async def test_a_refused_key_costs_one_request_for_five_agents():
    provider = Provider(ProviderRefused("wrong key"))
    answers = await ask(provider, Trial())
    assert provider.calls == 1
    assert [type(answer) for answer in answers] == [ProviderRefused] * 5


async def test_after_the_first_answer_all_ask_at_once():
    provider = Provider()
    answers = await ask(provider, Trial())
    assert [type(answer) for answer in answers] == [ModelResponse] * 5
    assert (provider.calls, provider.most) == (5, 4)


async def test_a_model_that_has_answered_holds_nobody_back():
    provider, trial = Provider(), Trial()
    await ask(provider, trial)
    await ask(provider, trial)
    assert provider.most == 5


async def test_a_first_call_that_is_cancelled_leaves_the_turn_to_the_next():
    provider, trial = Provider(), Trial()
    first = asyncio.create_task(FirstAlone(provider, trial).complete(question(0)))
    await asyncio.sleep(0)
    second = asyncio.create_task(FirstAlone(provider, trial).complete(question(1)))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert (await second).text == "{}"


async def test_those_who_waited_go_on_one_after_the_other_in_the_order_in_which_they_came():
    """So that the first question is on its way before the last is worded."""
    turns, began = 0, dict[int, int]()

    class Noting(Provider):
        async def complete(self, request):
            began[request.at.agent] = turns
            return await super().complete(request)

    async def count():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await ask(Noting(), Trial())
    counting.cancel()
    assert list(began) == [0, 1, 2, 3, 4]
    assert len(set(began.values())) == 5


async def test_who_comes_after_a_first_call_that_failed_makes_another():
    provider, trial = Provider(ProviderRefused("wrong key")), Trial()
    await ask(provider, trial)
    again = await ask(provider, trial)
    assert [type(answer) for answer in again] == [ModelResponse] * 5
