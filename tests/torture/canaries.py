"""T9: what is private reaches nobody it is not meant for, and a key reaches nobody at all.

In each run every agent has a persona and a goal that hold a canary, says things to some of the others, and declares in private what it
is after; the provider repeats the key in errors, and agents type it. Then every prompt is searched for canaries of others, and the log
with its side files, what is printed, the transcript, every export and the page for the key.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import society
from society.cli import main
from society.core.events import Declared, Spoke
from society.exports import export
from society.log import open_log
from society.views.web.one_file import one_file
from tests.torture.answering import envelope
from tests.torture.chaos import KEY, Storm, scratch
from tests.torture.kills import sampling_seed
from tests.torture.provider_faults import Served, fault
from tests.torture.tally import Tally

OTHER_KEY = 'sk-other"key\\with-quotes'
"""A key that looks different inside JSON."""
LOOKED_AT = 20
"""Every so many runs, all that can be made of the log is looked at too."""

SCENARIO = """
name: canaries
rounds: 2
mechanism: {{kind: public_goods, endowment: 20}}
stages: {{talk: {{turns: 1, order: {order}, channels: [public, private]}}, declare: {{predict: total, objective: true}}}}
on_failure: {{attempts: 2, allowed_share: 1}}
agents:
{agents}
"""
AGENT = """  - name: {name}
    persona: My secret is {secret} and nobody may know.
    goal: {{kind: threshold, quantity: own_payoff, at_least: {target}}}
"""


def canaries(tally: Tally, count: int) -> None:
    """So many runs."""
    for case in tally.cases(count):
        with tally.case(case) as luck, tempfile.TemporaryDirectory(prefix="torture-", dir=scratch()) as name:
            Watched(tally, case, luck, Path(name)).play()
            tally.add("runs")
        if case % 100 == 99:
            tally.progress(f"{case + 1} runs, {len(tally.failures)} failures")
        if tally.given_up:
            break


class Watched:
    """One run, and all words in it that are not for everybody."""

    def __init__(self, tally: Tally, case: int, luck: random.Random, folder: Path) -> None:
        self.tally, self.case, self.luck, self.folder = tally, case, luck, folder
        agents = range(luck.choice((2, 3, 3, 4)))
        self.secrets = [f"canary{luck.getrandbits(60):x}" for _ in agents]
        self.targets = [str(luck.randrange(10**9, 10**10)) for _ in agents]
        listed = "".join(
            AGENT.format(name=f"Agent {chr(65 + seat)}", secret=self.secrets[seat], target=self.targets[seat])
            for seat in agents
        )
        order = luck.choice(("simultaneous", "fixed", "rotating"))
        scenario = society.loads(SCENARIO.format(order=order, agents=listed))
        self.storm = Storm(
            tally, case, luck, scenario, folder, rate=0.9, maker=self._tells, crashes=luck.random() < 0.3,
            openai_api_key=OTHER_KEY,
        )  # fmt: skip

    def _tells(self, good: str, luck: random.Random) -> Served:
        """A good answer with canaries in it, or a fault that repeats the key."""
        key = luck.choice((KEY, OTHER_KEY))
        if luck.random() < 0.15:
            return Served("5xx", "tried again", 500, json.dumps({"error": {"message": f"no {key}"}}).encode())
        if luck.random() < 0.03:
            return Served("bad key", "refused", 401, json.dumps({"error": {"message": f"bad key {key}"}}).encode())
        if luck.random() < 0.1:
            return fault(good, luck)
        answer = json.loads(good)
        for message in answer.get("messages", ()):
            message["text"] = f"canary{luck.getrandbits(60):x}" + luck.choice(("", "", f" my key is {key}"))
        if "objective" in answer:
            answer["objective"] = f"canary{luck.getrandbits(60):x}" + luck.choice(("", f" {key}"))
        served = envelope(json.dumps(answer), **luck.choice(({}, {"model": f"tiny {key}"})))
        return Served("odd but plain", "harmless", body=json.dumps(served).encode())

    def play(self) -> None:
        """Play it, through every stop, and then look."""
        self.storm.play()
        with open_log(self.storm.path, secrets=(KEY, OTHER_KEY)) as log:
            run_id = str(self.storm.run_id)
            readers = self._readers(log.events(run_id))
            agents = {sampling_seed(call.sampling): call.agent for call in log.calls(run_id)}
            for who, messages in self.storm.provider.prompts.items():
                if who in agents:
                    self._search(agents[who], json.dumps(messages, ensure_ascii=False), readers)
            report = log.verify(run_id)
            self.tally.check(self.case, "invariant violations", report.sound, f"verify: {report.faults[:2]}")
            if self.case % LOOKED_AT == 0:
                self._look_at_everything(log)
        for path in self.folder.rglob("*"):
            if path.is_file():
                self._no_key(path.name, path.read_bytes())
        self._no_key("an error", " ".join(self.storm.said).encode())

    def _readers(self, events: Any) -> dict[str, set[int]]:
        """Every canary, and who may read it."""
        readers = {words: {seat} for many in (self.secrets, self.targets) for seat, words in enumerate(many)}
        for event in events:
            if isinstance(event, Spoke):
                everybody = set(range(len(self.secrets)))
                for draft in event.messages:
                    if draft.text.startswith("canary"):
                        may = everybody if draft.to is None else {event.agent, *draft.to}
                        readers[draft.text.split()[0]] = may
            elif (
                isinstance(event, Declared)
                and event.declaration
                and (event.declaration.objective or "").startswith("c")
            ):
                readers[str(event.declaration.objective).split()[0]] = {event.agent}
        return readers

    def _search(self, agent: int, prompt: str, readers: dict[str, set[int]]) -> None:
        self.tally.add("prompts searched")
        for words, may in readers.items():
            if words in prompt:
                self.tally.add("canaries seen by those who may")
                self.tally.check(
                    self.case,
                    "secrets leaked",
                    agent in may,
                    f"agent {agent} reads {words}, which is for {sorted(may)}",
                )

    def _no_key(self, where: str, raw: bytes) -> None:
        self.tally.add("places searched for keys")
        for key in (KEY, OTHER_KEY):
            for form in {key, json.dumps(key)[1:-1]}:
                self.tally.check(self.case, "secrets leaked", form.encode() not in raw, f"{where} holds a key")

    def _look_at_everything(self, log: Any) -> None:
        """The exports, the page and what commands print."""
        run_id = str(self.storm.run_id)
        export(log, [run_id], self.folder / "export")
        self._no_key("the page", one_file(log, run_id).encode())
        with _no_keys_of_ours():
            for words in (["transcript"], ["align"], ["coalitions"], ["metrics"], ["verify"], ["runs", "--json"]):
                told = io.StringIO()
                with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
                    code = main(
                        [*words, *([] if words[0] == "runs" else [run_id]), "--log", f"sqlite:///{self.storm.path}"]
                    )
                self.tally.check(
                    self.case, "other failures", code == 0, f"society {words[0]}: {code}: {told.getvalue()[-300:]}"
                )
                self.tally.check(
                    self.case, "uncaught tracebacks", "Traceback" not in told.getvalue(), told.getvalue()[-300:]
                )
                self._no_key(f"society {words[0]}", told.getvalue().encode())


@contextlib.contextmanager
def _no_keys_of_ours() -> Iterator[None]:
    keys = {"SOCIETY_API_KEY": KEY, "OPENAI_API_KEY": OTHER_KEY}
    with mock.patch.dict(os.environ, keys):
        yield
