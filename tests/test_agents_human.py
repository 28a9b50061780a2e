"""A person takes a seat: reads what a model reads, and is asked until the answer can be read."""

import pytest
from canned import NAMES, PROMPTS, act, decide, declare, fishery, speak

from society.agents.briefing import brief
from society.agents.human import HumanPolicy
from society.core.actions import Amount
from society.core.errors import Paused
from society.core.policy import Declaration, Draft, Heard, Utterance


def person(*lines):
    """A person who types these lines and then leaves; what was shown is kept."""
    typed, shown = list(lines), []

    async def reader(prompt):
        if not typed:
            raise EOFError
        return typed.pop(0)

    return HumanPolicy(brief(fishery(), 0, PROMPTS), PROMPTS, reader=reader, writer=shown.append), shown


async def test_a_person_answers_in_plain_words():
    policy, _ = person("Let us rest.", "", "12", "7", '{"Bo": 3}', "")
    assert (await policy.answer(speak())).value == Utterance((Draft(None, "Let us rest."),))
    assert (await policy.answer(speak())).value == Utterance()
    assert (await policy.answer(declare())).value == Declaration(intended=12)
    assert (await policy.answer(act())).value == 7
    assert (await policy.answer(decide(Bo=Amount.between(0, 5)))).value == {"Bo": 3}
    assert (await policy.answer(declare())).value == Declaration()


async def test_a_person_is_asked_again_and_told_why():
    policy, shown = person("lots", "500", "-1", '{"action": 9}')
    answer = await policy.answer(act())
    assert (answer.value, answer.status, answer.attempts) == (9, "retried", 4)
    assert any("500 is not allowed" in text for text in shown)


async def test_a_person_may_write_a_private_message_and_a_whole_declaration_as_json():
    policy, _ = person('{"messages": [{"to": ["Bo"], "text": "psst"}]}', '{"intended": 3, "predicted": {"Bo": 4}}')
    assert (await policy.answer(speak(private=True))).value.messages == (Draft((1,), "psst"),)
    assert (await policy.answer(declare())).value.predicted == (4, None, None, None)


async def test_a_person_is_shown_the_rules_once_and_each_entry_once():
    policy, shown = person("1", "2", "3")
    history = [Heard(1, 0, 1, None, "Hello \x1b[2J there")]
    await policy.answer(act())
    await policy.answer(act(history=history))
    await policy.answer(act(history=[*history, Heard(1, 0, 2, None, "Hi")]))
    text = "\n".join(shown)
    assert text.count("You are Ann, fisher at the lake, one of 5") == 1
    assert text.count("Bo says to everybody") == 1 and text.count("Cy says to everybody") == 1
    assert "\x1b" not in text and NAMES[0] in text


async def test_a_person_who_leaves_pauses_the_run():
    policy, _ = person()
    with pytest.raises(Paused):
        await policy.answer(act())
