"""A key appears nowhere, whoever says it: the provider, an agent, an error, the command line."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from fault_server import GOOD, FaultServer, completion, http

from society.core.errors import BadInput
from society.log.text import without_password
from society.models.names import parse_name
from society.models.pool import ModelPool
from society.models.settings import ProviderSettings

ROOT = Path(__file__).parent.parent
KEY = "sk-canary-ABCDEF0123456789xyz"
PLAIN = "name: plain\nmechanism: common_pool\nagents: 2\nrounds: 1\nmodels: {default: mock:conditional}\n"
ENV = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "SOCIETY_API_KEY": KEY,
    "SOCIETY_MAX_TRIES": "1",
    "SOCIETY_DEBUG": "",
}
ECHOES = {
    "a refused key": http(401, {"error": {"message": f"bad key {KEY}"}}),
    "a page": http(403, f"<html>{KEY}</html>", Content_Type="text/html"),
    "an error of the server": http(500, f"boom {KEY}"),
    "an answer": http(200, completion(json.dumps({"message": f"my key is {KEY}", "action": KEY}))),
    "a refusal": http(200, completion(None, message={"refusal": f"no {KEY}"})),
    "the model served": http(200, completion('{"message": "hi", "action": 3}', model=KEY)),
    "a redirect": http(307, "", Location=f"http://127.0.0.1:1/{KEY}"),
    "no JSON": http(200, f"{KEY} {{"),
    "an error in a good status": http(200, {"error": {"message": KEY}}),
}


async def society(tmp_path, *words):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "society", *words,
        cwd=tmp_path, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, (out + err).decode("utf-8", "replace")


async def test_a_key_that_the_provider_echoes_is_printed_and_stored_nowhere(tmp_path):
    (tmp_path / "plain.yaml").write_text(PLAIN)
    told = ""
    for what, echo in ECHOES.items():
        async with FaultServer(echo) as server:
            address = f"tiny@{server.url}"
            code, words = await society(
                tmp_path, "run", "plain.yaml", "--model", address, "--set", f"about=has {KEY}", "--debug"
            )
            assert server.requests and code in (0, 1, 4, 5), (what, words)
            assert KEY in server.heads[0], "the server was given it"
            assert KEY not in words, what
    with sqlite3.connect(tmp_path / "logs" / "society.db") as database:
        runs = [row[0] for row in database.execute("SELECT id FROM run")]
    assert len(runs) == len(ECHOES)
    for words in (("transcript", runs[3], "--calls"), ("export", *runs, "--to", "out"), ("runs", "--json")):
        told += (await society(tmp_path, *words))[1]
    code, verdict = await society(tmp_path, "verify")
    assert code == 0, verdict
    assert KEY not in told + verdict
    assert [path for path in tmp_path.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()] == []


@pytest.mark.parametrize(
    "name",
    [
        "tiny@http://user:secretpw@127.0.0.1/v1",
        "tiny@http://127.0.0.1/v1?api_key=secretpw",
        "tiny@http://host/v1#secretpw",
    ],
)
def test_an_address_with_a_key_in_it_is_refused_without_showing_it(name):
    with pytest.raises(BadInput, match="SOCIETY_API_KEY") as refused:
        parse_name(name)
    assert "secretpw" not in str(refused.value)
    settings = ProviderSettings(openai_base_url=name.partition("@")[2], openai_api_key=KEY)
    with pytest.raises(BadInput) as refused:
        ModelPool(settings).client("openai:any")
    assert "secretpw" not in str(refused.value)


def test_the_password_of_a_database_is_not_kept_with_the_command(tmp_path):
    command = "society run x --log postgresql://me:topsecret@db/society --model tiny@http://host:8000/v1"
    kept = "society run x --log postgresql://me:[redacted]@db/society --model tiny@http://host:8000/v1"
    assert without_password(command) == kept


async def test_what_an_agent_says_of_the_key_is_taken_out_of_messages_and_prompts(tmp_path):
    (tmp_path / "plain.yaml").write_text(PLAIN)
    say = http(200, completion(json.dumps({"message": f"take my key {KEY} and go", "action": 3, "intended": 3})))
    async with FaultServer(GOOD, say) as server:
        await society(tmp_path, "run", "plain.yaml", "--model", f"tiny@{server.url}", "-q")
    with sqlite3.connect(tmp_path / "logs" / "society.db") as database:
        said = [row[0] for row in database.execute("SELECT text FROM message")]
        prompts = [row[0] for row in database.execute("SELECT content FROM prompt")]
    assert any("take my key [redacted] and go" in words for words in said)
    assert any("take my key \\u005bredacted] and go" in words or "[redacted]" in words for words in prompts)
