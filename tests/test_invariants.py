"""What holds in every round is looked at before the round is logged: each invariant is broken here, and named."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import import_module

import pytest
from handmade_run import events

from society import load, loads, open_log, play
from society.agents.llm import LlmPolicy
from society.agents.prompting import Prompts
from society.core.errors import BadInput, LogCorrupt
from society.core.events import Acted, Declared, Settled, Spoke, event_from_plain, event_to_plain
from society.core.mechanism import Mechanism
from society.core.rows import Transfer
from society.invariants import Invariants, Privacy
from society.mechanisms.common_pool import CommonPool
from society.scenario.places import shipped

casting = import_module("society.agents.cast")
TOLD = events("openai:large")


def first(kind, told=TOLD):
    return next(event for event in told if isinstance(event, kind))


def broken(change):
    """What is found when the first round is settled otherwise."""
    told = [change(event) if isinstance(event, Settled) and event.round == 1 else event for event in TOLD]
    return [str(found) for found in Invariants().broken(told)]


def test_a_run_as_it_was_played_breaks_nothing():
    assert list(Invariants().broken(TOLD)) == []


@pytest.mark.parametrize("kind", [Spoke, Declared, Acted])
def test_what_was_asked_for_has_one_outcome(kind):
    event = first(kind)
    missing = [str(found) for found in Invariants().broken([e for e in TOLD if e is not event])]
    assert missing and all("I1: it has no outcome" in found and "agent 0" in found for found in missing)
    place = TOLD.index(event)
    twice = [str(found) for found in Invariants().broken([*TOLD[: place + 1], event, *TOLD[place + 1 :]])]
    assert any("I1: it was told twice" in found for found in twice)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda e: replace(e, granted=(e.executed[0] + 1, *e.granted[1:])), "action round 1, agent 0: I4: it is given"),
        (lambda e: replace(e, granted=(-1, *e.granted[1:])), "action round 1, agent 0: I4: it is given -1"),
        (lambda e: replace(e, stock_before=1), "outcome round 1: I4: .* are given of a stock of 1"),
        (lambda e: replace(e, stock_after=-1), "outcome round 1: I4: a stock of -1 is left"),
        (lambda e: replace(e, stock_after=10**6), "outcome round 1: I4: a stock of 1000000 is left"),
        (lambda e: replace(e, stock_after=e.stock_after - 1), "outcome round 2: I4: it finds a stock of"),
        (lambda e: replace(e, state_after={"physical": {}}), "outcome round 2: I4: the state it finds"),
        (lambda e: replace(e, payoffs=(e.payoffs[0] + 1, *e.payoffs[1:])), "payoff round 1: I5: payoffs are not"),
        (
            lambda e: replace(e, transfers=(*e.transfers, Transfer(0, 0, 1, "toll", "toll"))),
            "transfer round 1, place .*: I5: who pays is who is paid",
        ),
        (lambda e: replace(e, total=float("inf")), "outcome round 1: I6: a number is not finite"),
    ],
    ids=lambda value: value[-20:] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_round_that_breaks_an_invariant_is_named(change, words):
    assert any(re.search(words, found) for found in broken(change)), broken(change)


async def test_a_mechanism_that_gives_more_than_there_is_stops_the_run_before_it_is_logged(tmp_path, monkeypatch):
    real = CommonPool.step

    def generous(self, state, joint, noise):
        done = real(self, state, joint, noise)
        return replace(done, granted=tuple(amount + 1 for amount in done.granted or ()))

    monkeypatch.setattr(CommonPool, "step", generous)
    with pytest.raises(LogCorrupt, match="I4: it is given"):
        await play(load("fishery"), model="mock:conditional", log=f"sqlite:///{tmp_path}/s.db")
    with open_log(tmp_path / "s.db") as log:
        assert log.find("last").status == "failed" and not log.episode("last").settled
        assert log.verify().faults == ()


async def test_a_forged_round_with_a_chain_made_anew_is_found_by_what_must_hold(tmp_path):
    """Whoever recomputes every hash still has to keep the books."""
    run = await play(load("fishery"), model="mock:conditional", log=f"sqlite:///{tmp_path}/s.db")
    told = list(run.episode.events)
    place = next(k for k, event in enumerate(told) if isinstance(event, Settled))
    settled = told[place]
    told[place] = replace(settled, stock_after=settled.stock_after + 1)
    assert any("I4" in str(found) for found in Invariants().broken(told))
    assert all(event_from_plain(event_to_plain(event)) == event for event in told)


def test_what_a_mechanism_can_hold_is_what_its_rounds_leave():
    stocks = {load(name).mechanism.kind: load(name).mechanism.most_stock for name in shipped()}
    assert stocks["common_pool"] is not None and isinstance(load("fishery").mechanism, Mechanism)


PERSONAS = """
name: secrets
rounds: 1
mechanism: {kind: public_goods}
agents:
- {name: Ann, persona: Canary seven-four-one is what Ann alone may know.}
- {name: Bo, persona: You are to give as much as you can.}
stages: {talk: {turns: 1}, declare: {predict: "off"}}
models: {default: mock:script}
"""


def test_a_private_text_belongs_to_whoever_has_it_and_to_nobody_if_it_is_public():
    scenario = loads(PERSONAS.replace("mock:script", "mock:random"))
    privacy = Privacy.of(scenario)
    assert privacy.owner_of("... Canary seven-four-one is what Ann alone may know. ...", 1) == 0
    assert privacy.owner_of("... Canary seven-four-one is what Ann alone may know. ...", 0) is None
    told = ["I tell you: Canary seven-four-one is what Ann alone may know."]
    assert privacy.owner_of(told[0], 1, told) is None
    public = loads(PERSONAS.replace("mock:script", "mock:random"), ["theme.story=" + scenario.agents[0].persona])
    assert [words for words, _ in Privacy.of(public).texts] == ["You are to give as much as you can."]


async def test_a_prompt_that_tells_another_agents_secret_is_found_though_every_hash_fits(tmp_path, monkeypatch):
    """The prompts are wrong from the start, so that chain, digests and hashes agree: only the canary shows it."""
    scenario = loads(PERSONAS.replace("mock:script", "mock:random"))
    real = LlmPolicy._request

    def leaking(self, *asked):
        request = real(self, *asked)
        first = replace(request.messages[0], content=f"{request.messages[0].content}\n{scenario.agents[0].persona}")
        return replace(request, messages=(first, *request.messages[1:]))

    monkeypatch.setattr(LlmPolicy, "_request", leaking)
    await play(scenario, log=f"sqlite:///{tmp_path}/s.db")
    with open_log(tmp_path / "s.db") as log:
        faults = [str(fault) for fault in log.verify().faults]
    assert faults and all("I7: Bo is told what only Ann may know" in fault for fault in faults)


def test_a_template_that_tells_what_only_another_agent_may_know_is_refused(monkeypatch):
    scenario = loads(PERSONAS.replace("mock:script", "mock:random"))
    real = casting.brief

    def leaking(scenario, agent, prompts):
        known = real(scenario, agent, prompts)
        return replace(known, system=known.system + "".join(spec.persona for spec in scenario.agents))

    monkeypatch.setattr(casting, "brief", leaking)
    with pytest.raises(BadInput, match="I7: the prompt of Ann would hold what only Bo may know"):
        casting.Casting.of(scenario, Prompts.load())


async def test_a_key_that_stands_in_a_log_is_found_and_not_told(tmp_path):
    key = "sk-verysecretkey-0123456789"
    await play(
        loads(PERSONAS.replace("mock:script", "mock:random"), [f"about=my {key}"]), log=f"sqlite:///{tmp_path}/s.db"
    )
    with open_log(tmp_path / "s.db", secrets=[key]) as log:
        faults = [str(fault) for fault in log.verify().faults]
    assert faults and all("I12" in fault and key not in fault for fault in faults)
    other = await play(loads(PERSONAS.replace("mock:script", "mock:random")), log=f"sqlite:///{tmp_path}/s.db")
    with open_log(tmp_path / "s.db", secrets=[key]) as log:
        assert {fault.run for fault in log.verify(other.id).faults} == {""}  # it is the log's, not that run's
    with open_log(tmp_path / "s.db", secrets=["sk-another-key-0123456789"]) as log:
        assert log.verify().sound
