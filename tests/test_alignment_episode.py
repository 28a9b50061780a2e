from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction as F
from typing import Any

import pytest

from society.analysis import align, decompose
from society.analysis.alignment.chains import ORDER
from society.core.actions import Action
from society.core.errors import BadInput, LogCorrupt
from society.core.events import Event, RunStarted, Settled, event_from_plain, event_to_plain
from society.core.goals import GroupWelfare, OwnPayoff
from society.core.policy import Act, Answer, Decide, Declaration, Declare, Draft, Speak, Utterance
from society.core.seeds import Noise
from society.episode import Episode
from society.mechanisms.common_pool import CommonPool
from society.orchestrator.episode import play_episode
from society.scenario.model import ActStage, AgentSpec, Scenario, Stages, Talk


class Told:
    """A policy that says and does what it was given, round by round."""

    def __init__(self, said: Sequence[Declaration], done: Sequence[Action]) -> None:
        self.said, self.done = said, done

    async def answer(self, question: Any) -> Answer[Any]:
        turn = question.at.round - 1
        if isinstance(question, Declare):
            return Answer(self.said[turn])
        if isinstance(question, Act):
            return Answer(self.done[turn], submitted=self.done[turn])
        if isinstance(question, Decide):
            return Answer({name: space.grid()[min(1, question.at.round - 1)] for name, space in question.parts.items()})
        assert isinstance(question, Speak)
        return Answer(Utterance())


class Heard(list):
    async def stage(self, events: tuple[Event, ...]) -> None:
        self.extend(events)


def play(scenario: Scenario, policies: Sequence[Any], seed: int = 1) -> Episode:
    shape = scenario.model_dump(mode="json")
    manifest = RunStarted(shape, seed, scenario.names, tuple("script" for _ in policies), {}, "0", 1)
    sink = Heard()
    asyncio.run(play_episode(scenario, policies, sink, manifest))
    return Episode.from_events(event_from_plain(event_to_plain(event)) for event in sink)


def scenario(mechanism: dict, rounds: int, goals: Sequence[Any], **more: Any) -> Scenario:
    from society.mechanisms import MECHANISMS

    agents = tuple(AgentSpec(name=f"A{seat}", **goal) for seat, goal in enumerate(goals))
    rules = MECHANISMS.parse({**mechanism, "agents": len(goals)})
    return Scenario(name="told", rounds=rounds, mechanism=rules, agents=agents, **more)


DONE = [(10, 10, 10, 10, 30), (6, 6, 6, 8, 12), (8, 8, 8, 8, 12)]
PREDICTED = [(10, 10, 10, 10), (6, 6, 6, 6), (8, 8, 8, 12)]
INTENDED = [10, 6, 8]


def fishery(goal: Any) -> Episode:
    said = [Declaration(intended=own, predicted=others) for own, others in zip(INTENDED, PREDICTED, strict=True)]
    policies = [Told(said if seat == 0 else [Declaration()] * 3, [row[seat] for row in DONE]) for seat in range(5)]
    return play(scenario({"kind": "common_pool"}, 3, [{"goal": goal}] * 5), policies)


def test_the_three_rounds_of_the_fishery_add_up_as_printed() -> None:
    found = align(fishery(GroupWelfare()))
    stages = [[gap.W0, gap.W1, gap.W2, gap.W3, gap.W4] for gap in (found.at(t, 0) for t in (1, 2, 3))]
    assert stages == [[200, 200, 200, 200, 180], [110, 96, 90, 90, 82], [44] * 5]
    assert [list(found.at(t, 0).attribution.shares) for t in (1, 2, 3)] == [
        [None, 0, 0, 0, 20], [None, 0, 0, 2, 6], [None, 0, 0, 0, 0],
    ]  # fmt: skip
    whole = found.episode(0)
    assert whole.terms == {"anticipated": 14, "planning": 6, "say_do": 0, "surprise": 28}
    assert (whole.start, whole.earned, whole.slack, whole.left_open) == (200, 152, 0, 0)
    assert whole.ceiling_exact
    assert found.matrix()[0] == [None, 0, 0, 2, 26]


def test_the_same_three_rounds_by_own_catch_add_up_as_printed() -> None:
    whole = align(fishery(OwnPayoff())).episode(0)
    assert whole.terms == {"anticipated": 114, "planning": 6, "say_do": 0, "surprise": 56}
    assert (whole.best, whole.happened, whole.slack) == (200, 24, 0)


def test_a_poor_reference_value_is_exact_but_shows_as_slack() -> None:
    """Own catch, with an equal part of the group's optimum as the value of what follows."""
    lake, terms, slack, state = CommonPool(agents=5), dict.fromkeys(ORDER, F(0)), F(0), None
    values = [lake.known_value(left, None) for left in (3, 2, 1)]
    for place, (done, predicted, intended) in enumerate(zip(DONE, PREDICTED, INTENDED, strict=True)):
        state = lake.initial_state() if state is None else state
        after = (lambda at, V=values[place + 1]: F(V(at)) / 5) if place < 2 else (lambda at: 0)
        gap = decompose(lake, intended=intended, predicted=predicted, actual=done, state=state, value=after)
        slack += F(values[place](state)) / 5 - gap.W0
        for name, term in gap.terms.items():
            terms[name] += term
        state = lake.step(state, done, Noise(1, place + 1)).state
    assert slack == F(-666, 5)
    assert terms == {"anticipated": 100, "planning": 38, "say_do": 0, "surprise": F(56, 5)}
    assert slack + sum(terms.values()) == 16


def rules(*instruments: dict) -> tuple[Any, ...]:
    from society.instruments import INSTRUMENTS

    return tuple(INSTRUMENTS.parse(fields) for fields in instruments)


def lake(
    rounds: Sequence[tuple[Sequence[int], Sequence[int]]], *instruments: dict, goals: Sequence[Any] = ()
) -> Episode:
    """An episode of a lake: per round what everybody meant to take (and expected of all others alike), and took."""
    agents = len(rounds[0][0])
    policies = []
    for seat in range(agents):
        said = [Declaration(meant[seat], (meant[seat],) * (agents - 1), forecast=meant[seat]) for meant, _ in rounds]
        policies.append(Told(said, [took[seat] for _, took in rounds]))
    return play(
        scenario({"kind": "common_pool"}, len(rounds), goals or [{}] * agents, instruments=rules(*instruments)),
        policies,
    )


PLAYED = [((10, 10, 10), (10, 12, 20)), ((9, 9, 9), (14, 9, 9)), ((8, 10, 12), (30, 10, 12))]


@pytest.mark.parametrize(
    "instruments",
    [
        (),
        ({"kind": "tax", "rate": "1/5"},),
        ({"kind": "quota", "amount": 12, "enforcement": "soft", "detection": "1/2", "fine": 3},),
        ({"kind": "tax", "rate": "1/3"}, {"kind": "quota", "amount": 11}),
    ],
    ids=["bare", "tax", "soft quota", "tax and hard quota"],
)
def test_an_episode_adds_up_under_instruments(instruments: tuple[dict, ...]) -> None:
    episode = lake(PLAYED, *instruments)
    before = episode.head
    found = align(episode)
    assert episode.head == before
    for decision in found.judged:
        gap = decision.gap
        assert sum(gap.terms.values()) == gap.total == gap.W0 - gap.W4
        assert sum(share for share in gap.attribution.shares if share is not None) == gap.surprise
        assert gap.splits["parse"] + gap.splits["governance"] == gap.say_do
        assert gap.W0 >= gap.W1 >= gap.W2
    for agent in range(3):
        for yardstick in found.yardsticks:
            whole = found.episode(agent, yardstick)
            assert whole.start - whole.earned - whole.left_open == whole.total + whole.slack
            paid = [row.payoffs for row in episode.settled]
            assert whole.earned == sum(sum(row) if yardstick == "welfare" else row[agent] for row in paid)
    assert found.rows() == align(lake(PLAYED, *instruments)).rows()
    reference = "optimum without instruments" if instruments else "optimum"
    assert {decision.reference for decision in found.judged} == {reference}
    if not instruments:
        assert all(decision.slack == 0 for decision in found.judged)


def test_rules_that_are_words_only_leave_what_is_known_of_the_game_in_force() -> None:
    bare, told = align(lake(PLAYED)), align(lake(PLAYED, {"kind": "pact"}, {"kind": "reputation", "limit": 10}))
    assert [decision.gap.terms for decision in told.judged] == [decision.gap.terms for decision in bare.judged]
    assert all(decision.gap.ceiling_exact and decision.reference == "optimum" for decision in told.judged)


def test_forecasts_are_about_the_round_they_were_made_for() -> None:
    found = align(lake(PLAYED))
    for decision in found.judged:
        if decision.gap.yardstick == "goal":
            assert decision.gap.model_error == 0
            assert sum(decision.gap.subjective.values()) == decision.gap.total
        else:
            assert decision.gap.subjective is None


def test_a_principal_who_wants_something_else_gets_a_chain_of_its_own() -> None:
    wants = {"principal_goal": GroupWelfare()}
    found = align(lake(PLAYED, goals=[wants, {}, {}]))
    assert found.yardsticks == ("goal", "welfare", "principal")
    chains = [decision.gap.principal for decision in found.of(0, "principal")]
    for chain in chains:
        assert sum(chain.terms.values()) == chain.stages["P0"] - chain.stages["P6"]
        assert chain.outer[0] >= 0
        assert "inner+capability" in chain.terms
    assert found.of(1, "principal") == ()


def test_what_was_announced_is_classed_by_who_gains_from_breaking_it() -> None:
    found = align(lake([((10, 10, 10), (10, 12, 20))]), announced={(1, 0): 10, (1, 1): 10, (1, 2): 10})
    words = [decision.word.deviation for decision in found.of(2)]
    assert [(word.own_gain, word.welfare_change, word.kind) for word in words] == [(10, 10, "win-win")]
    assert found.of(0)[0].word.kept
    assert found.of(1)[0].gap.beside["announce"] == 0


class Promises(Told):
    """Says it will take what it was given to promise, to everybody or to some, and takes something else."""

    def __init__(self, said: Sequence[Declaration], done: Sequence[Action], drafts: Sequence[Draft]) -> None:
        super().__init__(said, done)
        self.drafts = drafts

    async def answer(self, question: Any) -> Answer[Any]:
        if isinstance(question, Speak):
            return Answer(Utterance((self.drafts[question.at.turn],)))
        return await super().answer(question)


def test_public_words_are_read_from_the_log_the_last_one_counts_and_private_ones_do_not() -> None:
    said = [Declaration(10, (10, 10)), Declaration(12, (10, 10)), Declaration(10, (10, 10))]
    drafts = [
        (Draft(None, "nothing", 0), Draft(None, "ten", 10)),
        (Draft(None, "ten", 10), Draft((0,), "twenty, between us", 20)),
        (Draft(None, "I will take 10"), Draft(None, "I will take 10")),
    ]
    policies = [Promises([said[seat]], [(10, 12, 20)[seat]], drafts[seat]) for seat in range(3)]
    talk = Talk(turns=2, announce=True, channels=("public", "private"))
    episode = play(scenario({"kind": "common_pool"}, 1, [{}] * 3, stages=Stages(talk=talk)), policies)
    assert episode.rounds[0].announced == {0: 10, 1: 10}
    found = align(episode)
    kept, broken, silent = (found.of(seat)[0] for seat in range(3))
    assert (kept.word.kept, kept.word.meant, kept.gap.beside["announce"]) == (True, True, 0)
    assert (broken.word.announced, broken.word.intended, broken.word.done) == (10, 12, 12)
    assert (broken.word.kept, broken.word.meant) == (False, False)
    assert not broken.word.deviation.all_announced
    # 100 in the lake, of which 10, 10 and 20 are taken: 40 left and doubled hold out one more round, so 2 more now are a gain
    assert broken.gap.beside["announce"] == 10 - broken.gap.W2
    assert silent.word is None and "announce" not in silent.gap.beside
    changes = {
        (row["agent"], row["term"]): row["value"] for row in found.rows("gap_term") if row["chain"] == "public_word"
    }
    assert changes == {(1, "own_gain"): 2, (1, "welfare_change"): broken.word.deviation.welfare_change}


def test_second_decisions_are_held_as_they_were_made() -> None:
    episode = lake(PLAYED, {"kind": "peer_sanction"})
    assert episode.settled[1].transfers
    found = align(episode)
    assert all(sum(d.gap.terms.values()) == d.gap.total for d in found.judged)
    assert found.episode(0).earned == sum(row.payoffs[0] for row in episode.settled)


def test_an_episode_without_predictions_is_merged_and_says_so() -> None:
    found = align(play(scenario({"kind": "common_pool"}, 1, [{}] * 2), [Told([Declaration()], [9]) for _ in range(2)]))
    assert [set(decision.gap.terms) for decision in found.judged] == [{"unattributed"}] * 4
    assert found.matrix() == [[None, None], [None, None]]
    assert found.diagnosis().situation in {"undetermined", "no collective problem"}
    assert "nothing can be attributed" in found.text()


def test_missing_predictions_are_imputed_only_when_asked_and_marked() -> None:
    silent = [Told([Declaration(intended=9)] * 2, [9, 9]) for _ in range(2)]
    episode = play(scenario({"kind": "common_pool"}, 2, [{}] * 2), silent)
    assert [decision.gap.prediction for decision in align(episode).of(0)] == ["none", "none"]
    assert [decision.gap.prediction for decision in align(episode, impute=True).of(0)] == ["none", "imputed"]


def test_a_log_that_its_rules_do_not_give_is_refused() -> None:
    episode = lake([((10, 10, 10), (10, 12, 20))])
    events = [replace(event, payoffs=(10, 12, 21)) if isinstance(event, Settled) else event for event in episode.events]
    with pytest.raises(LogCorrupt, match="round 1: the rules pay"):
        align(Episode.from_events(events))


def test_whoever_moves_later_has_seen_the_earlier_ones() -> None:
    stages = Stages(act=ActStage(order="sequential"))
    said = [Declaration(10, (0, 0)) for _ in range(3)]
    policies = [Told([said[seat]], [20]) for seat in range(3)]
    found = align(play(scenario({"kind": "common_pool"}, 1, [{}] * 3, stages=stages), policies))
    assert [list(found.at(1, seat, "welfare").attribution.shares) for seat in range(3)][2] == [0, 0, None]


def test_the_paragraph_says_what_the_numbers_license_and_no_more() -> None:
    text = align(fishery(GroupWelfare())).text()
    assert "of the 48 units between the best its goal could get and what happened" in text
    assert "28 lost because others did not do what it predicted" in text
    assert "A4 carries 26" in text
    assert "they do not show who caused what" in text


def test_rows_of_every_table_name_yardstick_and_mode() -> None:
    found = align(lake(PLAYED))
    for table in ("stage_value", "gap_term", "surprise_share"):
        rows = found.rows(table)
        assert rows
        assert all({"round", "agent", "yardstick", "mode", "value"} <= set(row) for row in rows)
    sums = {
        row["term"]: row["value"]
        for row in found.rows()
        if (row["round"], row["agent"], row["yardstick"]) == (0, 0, "goal")
    }
    whole = found.episode(0)
    assert sums == {**whole.terms, "slack": whole.slack}
    with pytest.raises(BadInput, match="known: stage_value"):
        found.rows("gaps")


def test_twelve_agents_and_rounds_are_taken_apart_in_seconds() -> None:
    luck = random.Random(1)
    policies = [
        Told(
            [Declaration(luck.randint(0, 10), tuple(luck.randint(0, 10) for _ in range(11))) for _ in range(12)],
            [luck.randint(0, 10) for _ in range(12)],
        )
        for _ in range(12)
    ]
    episode = play(scenario({"kind": "common_pool_resource"}, 12, [{}] * 12), policies)
    began = time.process_time()
    found = align(episode)
    assert {decision.gap.attribution.method for decision in found.judged} == {"exact"}
    assert {name for decision in found.judged for name in [decision.gap.yardstick]} == {"goal", "welfare"}
    assert time.process_time() - began < 8, "two seconds are aimed at; this leaves room for a slow machine"
