"""A log to look at, and a viewer of it that is really served on loopback."""

from __future__ import annotations

import asyncio
import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from handmade_run import events, manifest, play

from society import load, open_log, play_sync
from society.core.events import Event, RunEnded, Settled, Spoke
from society.core.policy import Draft
from society.core.rows import RuleEvent, Transfer
from society.log import Log
from society.views.web.serve import viewer

LAKE = """
name: lake-of-three
about: Three fishers and a watched quota.
rounds: 3
mechanism: {kind: common_pool, capacity: 60}
theme: {resource: fish, place: the lake, act: catch, role: fisher, round: month}
agents:
  - {name: Ann, goal: {kind: group_welfare}}
  - {name: Bo, persona: You have a loan to pay back.}
  - {name: Cy, policy: {kind: scripted, rule: sequence, actions: [6, 20, 6]}}
stages:
  talk: {turns: 1, channels: [public, private]}
  declare: {predict: per_agent}
instruments:
  - {kind: quota, amount: 8, enforcement: soft, detection: 1, fine: 2}
"""

HOSTILE = (
    "<script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 1'>",
    '"><svg onload=window.pwned=1><a href=javascript:window.pwned=1>x</a>',
    "</template></textarea></style></script><iframe src='http://203.0.113.7/'></iframe>",
    "{{ 7 * 7 }} {% raw %} ${7*7} <!-- ]]>",
    "<style>*{display:none}</style><link rel=stylesheet href=http://203.0.113.7/x.css>",
    "<form action=http://203.0.113.7/><button>Pay</button></form><base href=http://203.0.113.7/>",
    "\x1b[2J\x1b]8;;http://203.0.113.7\x07link\x1b]8;;\x07",
    "\u202egnihtemos\u202c and \u2066hidden\u2069 \u200b\u200d\ufeff",
    "Z\u0351\u036b\u0343\u036a\u0342\u036b\u033d\u034f\u0334\u0319\u0324algo",
    "x" * 1_000_000,
)


def hostile_events() -> list[Event]:
    """The hand-made run, with attacks in every place where an agent's words can stand."""
    told: list[Event] = []
    for event in events():
        if isinstance(event, Spoke) and event.agent == 0:
            drafts = tuple(Draft(None if place % 2 else (1,), text) for place, text in enumerate(HOSTILE))
            told.append(replace(event, messages=drafts, error=HOSTILE[2]))
        elif isinstance(event, Settled) and event.round == 1:
            told.append(
                replace(
                    event,
                    transfers=(Transfer(1, None, 3, HOSTILE[1], HOSTILE[2]),),
                    rule_events=(RuleEvent("propose", HOSTILE[0], (0, 1), HOSTILE[3], 5),),
                    coalitions=((HOSTILE[1], (0, 1)),),
                )
            )
        elif isinstance(event, RunEnded):
            told.append(replace(event, reason=HOSTILE[0]))
        else:
            told.append(event)
    return told


async def _write(log: Log, told: list[Event]) -> str:
    writer = log.start_run(manifest(), command="society run lake")
    await play(writer, told)
    await writer.finish("completed")
    return str(writer.run_id)


def make_log(folder: Path, url: str = "") -> Path:
    """A log of four runs: two of a lake, one made by hand, one full of attacks."""
    file = folder / "society.db"
    log_at = url or str(file)
    (folder / "lake.yaml").write_text(LAKE)
    scenario = load(folder / "lake.yaml")
    with open_log(log_at) as log:
        for model in ("mock:liar", "mock:sustainable"):
            play_sync(scenario, model=model, seed=1, log=log)
        asyncio.run(_write(log, events()))
        asyncio.run(_write(log, hostile_events()))
    return file


def run_ids(file: Path) -> list[str]:
    """The runs in the order in which `make_log` made them: liars, sustainable, by hand, hostile."""
    with open_log(file) as log:
        return [str(row[0]) for row in log.sql("SELECT id FROM run ORDER BY rowid").values]


class Asker:
    """A client that asks as plainly as can be: what is not given is not sent."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.address, self.port, self.path = address, int(parts.port or 0), parts.path
        self.token = parse_qs(parts.query)["token"][0]
        self.origin = f"http://127.0.0.1:{self.port}"
        self.cookie = ""

    def raw(self, path: str, *, method: str = "GET", headers: list[tuple[str, str]] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers if headers is not None else [("Host", f"127.0.0.1:{self.port}")]:
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        found = Answer(answer.status, dict(answer.getheaders()), answer.read().decode("utf-8"))
        connection.close()
        return found

    def get(self, path: str, **more: str) -> Answer:
        """Asked as the browser of a reader does who has opened the address with the token."""
        if not self.cookie:
            self.cookie = self.raw(f"/?token={self.token}").headers["set-cookie"].split(";")[0]
        headers = [("Host", f"127.0.0.1:{self.port}"), ("Cookie", self.cookie), *more.items()]
        return self.raw(path, headers=headers)


class Answer:
    def __init__(self, status: int, headers: dict[str, str], text: str) -> None:
        self.status, self.headers, self.text = status, {k.lower(): v for k, v in headers.items()}, text


@contextmanager
def served(file: Path | str) -> Iterator[Asker]:
    """A viewer of the log in a thread, as long as it is needed."""
    with open_log(file) as log:
        made = viewer(log, port=0)
        thread = threading.Thread(target=made.run, daemon=True)
        thread.start()
        try:
            yield Asker(made.address)
        finally:
            made.server.should_exit = True
            thread.join(30)
