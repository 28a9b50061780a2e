"""A hand-made run of three fishers, as events and calls: the same for all tests of the log."""

from __future__ import annotations

from fractions import Fraction

from society import __version__
from society.core.calls import ChatMessage, ModelRequest, ModelResponse, Position, Sampling, Usage
from society.core.events import (
    Acted,
    Decided,
    Declared,
    Event,
    RuleEvent,
    RunEnded,
    RunStarted,
    Settled,
    Spoke,
    Transfer,
)
from society.core.policy import Belief, Declaration, Draft
from society.core.seeds import Noise
from society.governance.governed import Governed
from society.log import RunWriter
from society.mechanisms import MECHANISMS
from society.scenario.model import AgentSpec, ModelSettings, Scenario

NAMES = ("Ann", "Ben", "Cy")


def scenario(model: str = "mock:greedy", rounds: int = 2) -> Scenario:
    return Scenario(
        name="lake",
        rounds=rounds,
        mechanism=MECHANISMS.parse({"kind": "common_pool", "agents": 3, "capacity": 100}),
        agents=tuple(AgentSpec(name=name) for name in NAMES),
        models={"default": ModelSettings(name=model)},
    )


def manifest(model: str = "mock:greedy", seed: int = 1, rounds: int = 2) -> RunStarted:
    return RunStarted(
        scenario=scenario(model, rounds).model_dump(mode="json"),
        seed=seed,
        agents=NAMES,
        models=(model,) * 3,
        prompts={"act.j2": "0" * 64},
        version=__version__,
        schema=1,
    )


def first_round() -> list[Event]:
    """Ann means 5 and expects 10 and 8, then takes 12; Ben takes 20; Cy's answer cannot be read."""
    game = Governed(scenario().mechanism, (), NAMES)
    before = game.initial_state()
    done = game.step(before, (12, 20, 0), Noise(1, 1))
    return [
        Spoke(1, 0, 0, (Draft(None, "Let us take 5 each."), Draft((1,), "Just us two?")), "ok"),
        Spoke(1, 0, 1, (Draft(None, "Fine by me.\nCy: I agree"),), "ok", clipped=True),
        Spoke(1, 0, 2, (), "empty", error="nothing was said"),
        Declared(
            1, 0, Declaration(5, (10, 8), None, None, Fraction(11, 2), 9, "fish for years"), "ok", '{"intend": 5}'
        ),
        Declared(
            1,
            1,
            Declaration(20, None, None, (Belief(Fraction(1, 4), (5, 8)), Belief(Fraction(3, 4), (9, 8)))),
            "repaired",
        ),
        Declared(1, 2, None, "defaulted", "gibberish \x00\ud800", "no JSON"),
        Acted(1, 0, 12, 12, "ok"),
        Acted(1, 1, "20", 20, "retried"),
        Acted(1, 2, None, 0, "defaulted", "abstain", "empty: no JSON"),
        Decided(1, 0, "peer_sanction", (("Ben", 3), ("Cy", 0)), "ok"),
        Decided(1, 1, "assembly", (("vote", "yes"),), "ok", stage="vote"),
        Settled(
            round=1,
            executed=(12, 20, 0),
            payoffs=(12, 17, 0),
            material=done.payoffs,
            state_before=game.state_to_plain(before),
            state_after=game.state_to_plain(done.state),
            granted=done.granted,
            total=done.total,
            stock_before=done.stock_before,
            stock_after=done.stock_after,
            facts={"remaining": 68},
            transfers=(Transfer(1, None, 3, "peer_sanction", "sanctioned"),),
            rule_events=(
                RuleEvent("violation", "quota", (1,), amount=Fraction(21, 2)),
                RuleEvent("sanction", "quota", (1,), "first offence", 3),
                RuleEvent("propose", "pact", (0,), "proposal 0"),
            ),
            coalitions=(("pact", (0, 1)),),
        ),
    ]


def second_round() -> list[Event]:
    game = Governed(scenario().mechanism, (), NAMES)
    middle = game.step(game.initial_state(), (12, 20, 0), Noise(1, 1)).state
    done = game.step(middle, (60, 60, 10), Noise(1, 2))
    return [
        *(Spoke(2, 0, agent, (), "ok") for agent in range(3)),
        *(Declared(2, agent, None, "empty") for agent in range(3)),
        Acted(2, 0, 60, 60, "ok"),
        Acted(2, 1, 60, 60, "ok"),
        Acted(2, 2, 10, 10, "ok"),
        Settled(
            round=2,
            executed=(60, 60, 10),
            payoffs=done.payoffs,
            material=done.payoffs,
            state_before=game.state_to_plain(middle),
            state_after=game.state_to_plain(done.state),
            granted=done.granted,
            total=done.total,
            stock_before=done.stock_before,
            stock_after=done.stock_after,
            collapsed=done.collapsed,
            over=done.over,
        ),
    ]


def events(model: str = "mock:greedy") -> list[Event]:
    return [
        manifest(model),
        *first_round(),
        *second_round(),
        RunEnded("completed", "the game was over after round 2", 2),
    ]


SCHEMA = {"type": "object", "properties": {"action": {"type": "integer"}}, "required": ["action"]}


def question(at: Position, model: str = "openai:large", *more: str) -> ModelRequest:
    """A question whose prompt begins like that of every other question to the same agent."""
    first = (ChatMessage("system", f"You are {NAMES[at.agent]}."), ChatMessage("user", "The lake holds 100 fish."))
    rest = tuple(ChatMessage("user", text) for text in (*more, f"Round {at.round}, {at.stage}."))
    return ModelRequest(at, model, (*first, *rest), SCHEMA, sampling=Sampling(temperature=0.5, seed=7))


def reply(text: str = '{"action": 12}', usd: float | None = 0.25) -> ModelResponse:
    usage = Usage(tokens_in=100, tokens_out=10, tokens_cached=50, usd=usd)
    return ModelResponse(
        text, raw=b"\xff\x00" + text.encode("utf-8", "surrogatepass"), usage=usage, served_model="large-2", seconds=0.5
    )


async def play(writer: RunWriter, told: list[Event]) -> None:
    """Write the whole run with some calls: one answered at once, one after a failed try, one re-asked."""
    model = writer.manifest.models[0]
    await writer.stage((told[0],))
    for seat, position in enumerate((Position(1, "act", 0, 0), Position(1, "act", 0, 1), Position(1, "act", 0, 2))):
        asked = question(position, model)
        if seat == 1:
            tried = await writer.issue(asked, reserved_usd=0.5)
            await writer.failed(asked, tried, "429 slow down", raw=b"busy")
        await writer.answered(asked, await writer.issue(asked, reserved_usd=0.5), reply())
    again = question(Position(1, "act", 0, 2, 1), model, "That was no JSON.")
    await writer.answered(again, await writer.issue(again, reserved_usd=None), reply("no \x00 \ud800 JSON", None))
    await writer.stage(tuple(told[1 : 1 + len(first_round())]))
    await writer.stage(tuple(told[1 + len(first_round()) : -1]))
    await writer.stage((told[-1],))
