"""The whole client stack against a real server on loopback, which serves every fault a provider can have."""

import asyncio
import gzip
import json
import resource
import zlib

import pytest
from fault_server import GOOD, FaultServer, VirtualClock, completion, http

from society.core.calls import ChatMessage, ModelRequest, Position, Sampling
from society.core.errors import Paused, ProviderRefused
from society.models.pool import ModelPool
from society.models.settings import ProviderSettings

KEY = "sk-verysecretverysecret"
SCHEMA = {
    "type": "object",
    "properties": {"amount": {"type": "integer", "minimum": 0, "maximum": 9, "x-society": {"share": 3}}},
    "required": ["amount"],
}


def question(model, agent=0, **sampling):
    return ModelRequest(
        Position(1, "act", 0, agent), model, (ChatMessage("user", "How much?"),), SCHEMA, sampling=Sampling(**sampling)
    )


class Setting:
    """A pool, its clock and one client for a server."""

    def __init__(self, server, **settings):
        self.clock = VirtualClock()
        given = {"call_seconds": 5.0, "max_tries": 3, "api_key": KEY, **settings}
        self.pool = ModelPool(ProviderSettings(_env_file=None, **given), clock=self.clock, jitter=lambda: 0.5)
        self.model = f"tiny@{server.url}"

    async def ask(self, agent=0, **sampling):
        return await self.pool.client(self.model).complete(question(self.model, agent, **sampling))

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.pool.close()


async def after(*replies, **settings):
    """The answer after these replies, the server and the waits in between."""
    async with FaultServer(*replies) as server, Setting(server, **settings) as setting:
        response = await setting.ask()
        return response, server, setting


async def failure(error, *replies, **settings):
    """How it ends when these replies are all that comes."""
    async with FaultServer(*replies) as server, Setting(server, **settings) as setting:
        with pytest.raises(error) as caught:
            await setting.ask()
        assert KEY not in str(caught.value)
        assert KEY not in repr(caught.value.__cause__)
        return str(caught.value), server, setting


def error(message="no", **more):
    return {"error": {"message": message, **more}}


async def test_every_request_has_the_address_and_headers_that_the_client_gave_the_first():
    async with FaultServer(GOOD) as server, Setting(server) as setting:
        for agent in range(3):
            await setting.ask(agent)
    heads = [sorted(line for line in head.split("\r\n") if "ength:" not in line) for head in server.heads]
    assert heads[0] == heads[1] == heads[2]
    assert "POST /v1/chat/completions HTTP/1.1" in heads[2]
    assert f"Authorization: Bearer {KEY}".lower() in [line.lower() for line in heads[2]]


async def test_a_client_whose_first_requests_failed_still_learns_how_to_ask():
    response, server, _ = await after(http(500, "busy", Set_Cookie="a=b"), http(500, "busy"), GOOD)
    assert response.finish == "stop"
    assert len({"".join(sorted(head.lower().split("\r\n"))) for head in server.heads}) == 1
    assert "cookie" not in server.heads[2].lower()


async def test_a_good_answer_arrives_with_its_bytes_and_sizes():
    response, server, setting = await after(GOOD)
    assert json.loads(response.text) == {"amount": 5}
    assert (response.finish, response.usage.tokens_in, response.usage.tokens_out) == ("stop", 12, 6)
    assert response.usage.usd is None, "an unknown price is unknown"
    assert GOOD.endswith(response.raw)
    assert server.requests == 1
    assert setting.pool.counters.done == 1
    assert setting.pool.counters.unpriced == 1
    sent = server.bodies[0]
    assert sent["max_tokens"] == 512
    assert sent["response_format"]["json_schema"]["schema"]["properties"]["amount"] == {
        "type": "integer", "minimum": 0, "maximum": 9,
    }  # fmt: skip
    assert f"Bearer {KEY}" in server.heads[0]


@pytest.mark.parametrize(
    ("reply", "waits"),
    [
        pytest.param(http(429, error("slow down")), [0.5], id="429 without a hint: half of the first ceiling of 1 s"),
        pytest.param(http(429, error(), Retry_After="2"), [2.1], id="2 s, and a little jitter on top"),
        pytest.param(http(429, error(), Retry_After="1.5"), [1.575], id="1.5 s"),
        pytest.param(http(429, error(), retry_after_ms="1500"), [1.575], id="1500 ms are 1.5 s"),
        pytest.param(http(429, error(), Retry_After="-3"), [0.5], id="negative"),
        pytest.param(http(429, error(), Retry_After="NaN"), [0.5], id="NaN"),
        pytest.param(http(429, error(), Retry_After="inf"), [0.5], id="inf"),
        pytest.param(http(429, error(), Retry_After="soon"), [0.5], id="a word"),
        pytest.param(http(429, error(), Retry_After="1_0"), [0.5], id="no numeral of HTTP"),
        pytest.param(http(429, error(), Retry_After="\u0661\u0660"), [0.5], id="digits of another script"),
        pytest.param(http(429, error(), X_Note="\u0661", Retry_After="2"), [2.1], id="a header that is not ASCII"),
        pytest.param(http(429, error(), Retry_After="Mon, 01 Jan 2024 00:00:00 GMT"), [0.5], id="a day that is over"),
        pytest.param(http(429, error(), Retry_After="Fri, 15 Jan 2027 08:17:10 GMT"), [31.5], id="a time, 30 s from now"),
        *[
            pytest.param(http(status, "<html>busy</html>", Content_Type="text/html"), [0.5], id=str(status))
            for status in (408, 409, 500, 502, 503, 504, 529)
        ],
        pytest.param(http(200, error("overloaded")), [0.5], id="an error with status 200"),
        pytest.param(http(200, completion(choices=[])), [0.5], id="no choices"),
        pytest.param(http(200, b""), [0.5], id="no body"),
        pytest.param(http(204, b""), [0.5], id="no content"),
        pytest.param(http(200, json.dumps(completion())[:30]), [0.5], id="half the JSON"),
        pytest.param(b"", [0.5], id="closed before the headers"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", [0.5], id="not HTTP"),
        pytest.param(GOOD[:-5], [0.5], id="a body shorter than announced"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"cho", [0.5], id="chunks that do not end"
        ),
        pytest.param(http(200, b"\x1f\x8bno gzip at all", Content_Encoding="gzip"), [0.5], id="broken gzip"),
        pytest.param(http(200, gzip.compress(b"{}")[:-9], Content_Encoding="gzip"), [0.5], id="half a gzip"),
        pytest.param(http(200, b"?", Content_Encoding="br"), [0.5], id="an encoding nobody asked for"),
    ],
)  # fmt: skip
async def test_a_passing_fault_is_waited_out_and_tried_again(reply, waits):
    response, server, setting = await after(reply, GOOD)
    assert response.text == '{"amount": 5}'
    assert server.requests == 2
    assert setting.clock.sleeps[:1] == pytest.approx(waits)
    assert setting.pool.counters.retries == 1


@pytest.mark.parametrize(
    ("reply", "error_type", "words"),
    [
        pytest.param(http(401, error(f"bad key {KEY}")), ProviderRefused, "SOCIETY_API_KEY", id="401 that echoes the key"),
        pytest.param(http(401, error("bad key sk-other******here")), ProviderRefused, "[key]", id="401 with part of a key"),
        pytest.param(http(403, error("no access")), ProviderRefused, "no access", id="403"),
        pytest.param(http(404, error("no such model")), ProviderRefused, "tiny@http://127.0.0.1", id="404"),
        pytest.param(http(404, "<html>\x1b[31mnothing</html>"), ProviderRefused, "<html> [31mnothing", id="404 as a page"),
        pytest.param(http(402, error("pay")), Paused, "quota", id="402"),
        pytest.param(http(429, error("more", code="insufficient_quota")), Paused, "quota", id="429 quota"),
        pytest.param(http(429, error(), Retry_After="86400"), Paused, "resume the run after 2027-01-16", id="a day to wait"),
        pytest.param(http(429, error(), Retry_After="9" * 15), Paused, "resume the run after 20", id="for ever"),
        pytest.param(http(400, error("bad thing")), ProviderRefused, "bad thing", id="400"),
        pytest.param(http(422, {"detail": [{"loc": ["body", "x"], "msg": "bad x"}]}), ProviderRefused, "bad x", id="422"),
        pytest.param(http(301, b"", Location="http://127.0.0.1:9/v1"), ProviderRefused, "redirects", id="301"),
        pytest.param(http(307, b"", Location="http://127.0.0.1:9/v1"), ProviderRefused, "redirects", id="307"),
    ],
)  # fmt: skip
async def test_what_no_try_would_change_stops_after_one_request(reply, error_type, words):
    said, server, setting = await failure(error_type, reply)
    assert words in said
    assert server.requests == 1
    assert setting.clock.sleeps == []


@pytest.mark.parametrize(
    ("reply", "finish"),
    [
        pytest.param(
            http(400, error("maximum context length is 8192", code="context_length_exceeded")), "error", id="400"
        ),
        pytest.param(http(500, error("the prompt exceeds the context window")), "error", id="500"),
        pytest.param(http(400, error("stopped", code="content_filter")), "filtered", id="filter"),
    ],
)
async def test_a_question_that_cannot_be_answered_is_an_answer_of_its_kind(reply, finish):
    response, server, _ = await after(reply)
    assert response.finish == finish
    assert response.text == ""
    assert response.detail
    assert server.requests == 1


async def test_what_fails_every_time_pauses_the_run_after_the_last_try():
    said, server, setting = await failure(Paused, http(503, error("overloaded")), max_tries=4)
    assert server.requests == 4
    assert "4 times" in said
    assert "overloaded" in said
    # Three retries of half their ceilings: 1, 2 and 4 s. Whoever waits also closes the gate, so the first sleep counts.
    assert sum(setting.clock.sleeps) == pytest.approx(0.5 + 1 + 2)


async def test_a_server_that_is_not_there_pauses_the_run():
    async with FaultServer(GOOD) as server:
        gone = server.url
    pool = ModelPool(ProviderSettings(_env_file=None, max_tries=2), clock=VirtualClock())
    try:
        with pytest.raises(Paused, match="cannot be reached"):
            await pool.client(f"tiny@{gone}").complete(question("tiny"))
    finally:
        await pool.close()


async def drip(writer):
    """A byte now and then, without end."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    for _ in range(1000):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def silence(writer):
    await asyncio.sleep(30)


@pytest.mark.parametrize("reply", [drip, silence])
async def test_a_hanging_server_meets_the_total_deadline(reply):
    said, server, _ = await failure(Paused, reply, call_seconds=0.3, max_tries=2)
    assert "no whole answer within 0.3 s" in said
    assert server.requests == 2


async def endless(writer):
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


def bomb(megabytes):
    """A gzip of so many megabytes of blanks."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b" " * 2**20
    return b"".join(packer.compress(block) for _ in range(megabytes)) + packer.flush()


@pytest.mark.parametrize("what", ["endless", "bomb", "large"])
async def test_no_body_takes_more_memory_than_allowed(what):
    replies = {
        "endless": endless,
        "bomb": http(200, bomb(300), Content_Encoding="gzip"),
        "large": http(200, b" " * 20_000_000),
    }
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said, server, _ = await failure(Paused, replies[what], max_tries=1, max_body_bytes=2**20)
    assert "larger than 1048576 bytes" in said
    assert server.requests == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


REFUSES_SCHEMA = http(400, error("response_format of type json_schema is not supported", param="response_format"))


async def test_a_server_without_schemas_is_asked_in_the_next_best_way_and_remembered():
    async with FaultServer(REFUSES_SCHEMA, REFUSES_SCHEMA, GOOD) as server, Setting(server) as setting:
        assert (await setting.ask()).finish == "stop"
        forms = [body.get("response_format", {}).get("type") for body in server.bodies]
        assert forms == ["json_schema", "json_object", None]
        assert "JSON Schema" in server.bodies[2]["messages"][-1]["content"]
        assert "x-society" not in json.dumps(server.bodies)
        await setting.ask()
        assert server.bodies[3] == server.bodies[2]
        assert len(setting.pool.notices) == 1
        assert setting.clock.sleeps == []


async def test_parameters_a_server_does_not_take_are_left_out_from_then_on():
    replies = (
        http(
            400, error("Unsupported parameter: 'max_tokens'; use 'max_completion_tokens' instead", param="max_tokens")
        ),
        http(400, error("temperature does not support 0.7 with this model", param="temperature")),
        GOOD,
    )
    async with FaultServer(*replies) as server, Setting(server) as setting:
        await setting.ask(temperature=0.7)
        assert server.bodies[0].keys() >= {"max_tokens", "temperature"}
        assert "max_tokens" not in server.bodies[2]
        assert "temperature" not in server.bodies[2]
        assert server.bodies[2]["max_completion_tokens"] == 512


async def test_agents_that_meet_the_same_refusal_at_once_step_down_one_rung_only():
    refusals = [REFUSES_SCHEMA] * 5
    async with FaultServer(GOOD, *refusals, GOOD) as server, Setting(server) as setting:
        await setting.ask(5)  # the first call goes alone; only later ones can meet a refusal together
        await asyncio.gather(*(setting.ask(agent) for agent in range(5)))
        last = server.bodies[-1]["response_format"]["type"]
        assert last == "json_object"


async def test_one_agents_429_makes_everybody_on_the_key_wait():
    async with (
        FaultServer(http(429, error(), Retry_After="20"), GOOD) as server,
        Setting(server, concurrency=1) as setting,
    ):
        await asyncio.gather(*(setting.ask(agent) for agent in range(3)))
        assert server.requests == 4
        assert setting.clock.now() - 1000 >= 20
        assert setting.pool.counters.pauses == 1


async def test_a_count_of_tokens_that_is_missing_is_estimated_and_costs():
    price = {"input": 1_000_000, "output": 1_000_000}
    async with FaultServer(http(200, completion(usage=None))) as server:
        setting = Setting(server, prices={f"tiny@{server.url}": price})
        async with setting:
            usage = (await setting.ask()).usage
            assert usage.estimated
            # Prompt: (9 characters and 16 for the frame) / 4 + 1; answer: 13 characters / 4 + 1.
            assert (usage.tokens_in, usage.tokens_out, usage.usd) == (7, 4, 11.0)


async def test_another_model_than_asked_is_noticed():
    async with FaultServer(http(200, completion(model="huge"))) as server, Setting(server) as setting:
        assert (await setting.ask()).served_model == "huge"
        assert any("'huge'" in notice for notice in setting.pool.notices)
