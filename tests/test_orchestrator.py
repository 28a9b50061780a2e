"""Talk, histories, and what an unreadable answer becomes."""

from __future__ import annotations

import pytest

from society.core.actions import Amount, Choice
from society.core.policy import Answer, Draft, Heard, Utterance
from society.core.seeds import Noise
from society.orchestrator.memory import Memory
from society.orchestrator.reading import VoidRun, acted, stand_in
from society.orchestrator.talk import deliverable, speaking_order
from society.scenario.model import OnFailure, Talk

LAKE = Amount.between(0, 100)


@pytest.mark.parametrize(
    ("order", "round_", "expected"),
    [
        pytest.param("fixed", 2, ((0,), (1,), (2,)), id="fixed: by seat, every round"),
        pytest.param("rotating", 1, ((0,), (1,), (2,)), id="rotating: round 1 starts with seat 0"),
        pytest.param("rotating", 3, ((2,), (0,), (1,)), id="rotating: round 3 starts with seat 2"),
        pytest.param("simultaneous", 1, ((0, 1, 2),), id="simultaneous: one group"),
    ],
)
def test_who_speaks_when(order, round_, expected):
    assert speaking_order(Talk(order=order), 3, 0, Noise(7, round_)) == expected


def test_a_random_order_is_a_permutation_that_the_seed_and_round_decide():
    orders = {speaking_order(Talk(order="random"), 6, 0, Noise(seed, 1)) for seed in range(20)}
    assert len(orders) > 10
    assert all(sorted(seat for (seat,) in order) == list(range(6)) for order in orders)
    again = [speaking_order(Talk(order="random"), 6, 0, Noise(3, 1)) for _ in range(2)]
    assert again[0] == again[1]


def test_a_private_message_reaches_its_speaker_and_recipients_only():
    memory = Memory(4)
    memory.hear(Heard(1, 0, speaker=0, to=(2,), text="psst"))
    memory.hear(Heard(1, 0, speaker=1, to=None, text="hello"))
    assert [len(memory.of(agent)) for agent in range(4)] == [2, 1, 2, 1]


def test_a_glimpse_does_not_grow_with_the_history():
    memory = Memory(1)
    memory.hear(Heard(1, 0, 0, None, "first"))
    then = memory.of(0)
    memory.hear(Heard(1, 1, 0, None, "second"))
    assert [entry.text for entry in then] == ["first"]
    assert [entry.text for entry in memory.of(0)] == ["first", "second"]
    assert then[-1].text == "first"
    with pytest.raises(IndexError):
        then[1]


@pytest.mark.parametrize(
    ("drafts", "channels", "delivered", "complaint"),
    [
        pytest.param([Draft(None, "hi")], ("public",), (Draft(None, "hi"),), "", id="a public word"),
        pytest.param([Draft((1,), "hi")], ("public",), (), "private messages are not allowed", id="a closed channel"),
        pytest.param(
            [Draft((0, 2, 2, 9), "hi")], ("private",), (Draft((2,), "hi"),), "", id="not to oneself or nobody"
        ),
        pytest.param([Draft((0,), "hi")], ("private",), (), "to nobody", id="to nobody at all"),
        pytest.param([Draft(None, "")], ("public",), (), "", id="an empty message is silence"),
        pytest.param([Draft(None, "", 5)], ("public",), (Draft(None, "", 5),), "", id="an announcement without words"),
    ],
)
def test_what_of_an_utterance_is_delivered(drafts, channels, delivered, complaint):
    spoken = deliverable(Answer(Utterance(tuple(drafts))), speaker=0, agents=3, talk=Talk(channels=channels))
    assert spoken.messages == delivered
    assert complaint in spoken.error


def test_a_long_message_is_clipped_and_marked():
    spoken = deliverable(Answer(Utterance((Draft(None, "x" * 50),))), speaker=0, agents=2, talk=Talk(length=20))
    assert spoken.messages[0].text == "x" * 20
    assert spoken.clipped


def test_an_action_above_the_stock_is_moved_to_the_nearest_and_says_so():
    event = acted(Answer(500), LAKE, round=1, agent=0)
    assert (event.submitted, event.legal, event.status) == (500, 100, "out_of_range")


def test_an_unknown_word_and_no_answer_cannot_stand():
    assert acted(Answer("steal"), Choice(options=("share", "keep")), round=1, agent=0) is None
    assert acted(Answer(None, "empty"), LAKE, round=1, agent=0) is None


@pytest.mark.parametrize(
    ("rule", "last", "expected"),
    [
        pytest.param("abstain", 7, (0, "abstain"), id="abstain, whatever came before"),
        pytest.param("repeat", 7, (7, "repeat"), id="repeat the last"),
        pytest.param("repeat", 700, (100, "repeat"), id="repeat as far as is allowed"),
        pytest.param("repeat", None, (0, "abstain"), id="nothing to repeat"),
    ],
)
def test_what_an_unreadable_answer_counts_as(rule, last, expected):
    assert stand_in(OnFailure(counts_as=rule), last=last, abstention=0, space=LAKE) == expected


def test_a_scenario_can_void_the_run():
    with pytest.raises(VoidRun):
        stand_in(OnFailure(counts_as="void_run"), last=1, abstention=0, space=LAKE)
