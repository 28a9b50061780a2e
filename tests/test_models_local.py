"""The embedded model: real, small, and held to its schema."""

import asyncio
import json

import pytest

from society import load, open_log, play
from society.auditing import audit
from society.core.calls import ChatMessage, ModelRequest, Position, Sampling
from society.models.install import find_weights
from society.models.pool import ModelPool
from society.models.settings import ProviderSettings

pytest.importorskip("xllamacpp")
pytestmark = [
    pytest.mark.local,
    pytest.mark.skipif(find_weights() is None, reason="society models install smollm2"),
]

SCHEMA = {
    "type": "object",
    "properties": {
        "because": {"type": "string", "maxLength": 30},
        "amount": {"type": "integer", "minimum": 3, "maximum": 7, "x-society": {"share": 4}},
    },
    "required": ["because", "amount"],
    "additionalProperties": False,
}


async def test_an_answer_keeps_its_schema_and_equal_seeds_give_equal_answers():
    pool = ModelPool(ProviderSettings(_env_file=None, local_reproducible=True, local_threads=1))
    messages = (ChatMessage("system", "You fish in a lake."), ChatMessage("user", "How many fish do you take?"))
    request = ModelRequest(Position(1, "act", 0, 0), "local", messages, SCHEMA, sampling=Sampling(0.8, None, 60, 7))
    client = pool.client("local")
    beats = 0

    async def heart():
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0.01)

    heartbeat = asyncio.create_task(heart())
    first, second = await client.complete(request), await client.complete(request)
    heartbeat.cancel()
    await pool.close()
    answer = json.loads(first.text)
    assert set(answer) == {"because", "amount"}
    assert 3 <= answer["amount"] <= 7
    assert len(answer["because"]) <= 30
    assert first.text == second.text
    assert (first.finish, first.usage.usd) == ("stop", 0.0)
    assert beats > 10, "the event loop went on while the model computed"


async def test_a_run_of_it_is_sound_and_derived_again_without_asking_it(tmp_path):
    fields = ["rounds=1", "stages.talk.turns=0", "stages.declare=off"]
    with open_log(tmp_path / "s.db") as log:
        await play(load("prisoners_dilemma", fields), model="local", log=log)
        found = await audit(log)
    assert found.report.faults == () and found.derived == 1
