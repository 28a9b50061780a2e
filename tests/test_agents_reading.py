"""A model's words as typed answers: what is read, what is mended, and what is refused."""

import dataclasses
import json
import time
from fractions import Fraction

import pytest
from canned import act, decide, declare, seen_in, speak
from hypothesis import given, settings
from hypothesis import strategies as st

from society.agents.extracting import find, visible, without_thoughts
from society.agents.reading import read
from society.core.actions import Amount, Choice, Division
from society.core.errors import OutOfRange, Unreadable
from society.core.moves import Offer
from society.core.policy import Belief, Declaration, Draft

QUESTIONS = (act(), speak(), speak(private=True), declare(), declare("distribution"))

UNREADABLE = {
    "prose": "I think I will take a few.",
    "nothing": "{}",
    "null": "null",
    "a list": "[5]",
    "null amount": '{"action": null}',
    "true": '{"action": true}',
    "NaN": '{"action": NaN}',
    "infinity": '{"action": Infinity}',
    "minus infinity": '{"action": -Infinity}',
    "huge exponent": '{"action": 1e999}',
    "tiny exponent": '{"action": 1e-999}',
    "negative": '{"action": -1}',
    "half": '{"action": 0.5}',
    "almost two": '{"action": 1.9999999999999999999}',
    "underscore": '{"action": "1_0"}',
    "ten to the twenty-five": '{"action": 10000000000000000000000000}',
    "ten to the twenty-five in quotes": '{"action": "10000000000000000000000000"}',
    "1e25": '{"action": 1e25}',
    "five thousand digits": '{"action": ' + "7" * 5000 + "}",
    "five thousand digits in quotes": '{"action": "' + "7" * 5000 + '"}',
    "words": '{"action": "five"}',
    "fullwidth digits": '{"action": "\uff15"}',
    "ratio": '{"action": "10/2"}',
    "hexadecimal": '{"action": "0x10"}',
    "an object": '{"action": {"action": 5}}',
    "a list of one": '{"action": [5]}',
    "duplicate key": '{"action": 5, "action": 9}',
    "duplicate key deep inside": '{"action": 5, "why": {"a": 1, "a": 2}}',
    "another key": '{"amount": 5}',
    "two answers": '{"action": 5} or rather {"action": 9}',
    "an answer that is not allowed and one that is": '{"action": 0.5} or rather {"action": 9}',
    "an answer and words for one": '{"action": 5}, or {"action": "as much as is right"}',
    "an answer and a broken one": '{"action": 5} {"action": 9',
    "an answer and no JSON": '{"action": 5} {action: 9}',
    "two answers in a list": '[{"action": 5}, {"action": 9}]',
    "cut in a number": '{"action": 1',
    "cut before a number": '{"action": ',
    "deep": '{"action": ' + "[" * 5000 + "]" * 5000 + "}",
    "deep and broken": "{" * 5000,
    "html": "<html><body>502</body></html>",
    "number in prose": "I take 5.",
    "word for a number": "five",
    "thoughts only": '<think>{"action": 5}</think>',
    "unclosed thoughts": '<think>{"action": 5}',
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_no_plain_answer_is_unreadable(text):
    with pytest.raises(Unreadable) as caught:
        read(text, act())
    assert not isinstance(caught.value, OutOfRange)
    assert len(str(caught.value)) < 300


READABLE = {
    "plain": ('{"action": 5}', 5, False),
    "blanks": ('\n  {"action" : 5 }\n', 5, False),
    "byte order mark": ('\ufeff{"action": 5}', 5, False),
    "whole decimal": ('{"action": 5.0}', 5, False),
    "numeral in quotes": ('{"action": "5"}', 5, False),
    "another agent's name and round": ('{"agent": "Bo", "round": 99, "action": 5}', 5, False),
    "prose around": ('Sure! {"action": 5} Good luck.', 5, True),
    "fence": ('```json\n{"action": 5}\n```', 5, True),
    "thoughts before": ('<think>maybe {"action": 9}?</think>{"action": 5}', 5, False),
    "thoughts without a beginning": ('maybe {"action": 9}</think>\n{"action": 5}', 5, False),
    "the same twice": ('{"action": 5} so {"action": 5}', 5, True),
    "missing brace": ('{"action": 5, "why": "x"', 5, True),
    "single quotes": ("{'action': 5}", 5, True),
    "trailing comma": ('{"action": 5,}', 5, True),
    "number alone": ("5", 5, True),
    "draft of another question": ('{"plan": "wait"} {"action": 5}', 5, True),
    "braces in a string": ('{"why": "because } of {", "action": 5}', 5, False),
    "escaped quote": (r'so {"why": "a \" } quote", "action": 5}', 5, True),
}


@pytest.mark.parametrize(("text", "value", "mended"), READABLE.values(), ids=READABLE.keys())
def test_a_plain_answer_is_read_and_mending_is_noted(text, value, mended):
    reading = read(text, act())
    assert (reading.value, reading.mended, reading.outside) == (value, mended, "")


@pytest.mark.parametrize("text", ['{"action": 500}', "500", '{"action": "500"}'])
def test_too_much_is_out_of_range_with_the_nearest_allowed_amount(text):
    with pytest.raises(OutOfRange) as caught:
        read(text, act())
    assert caught.value.nearest.value == 100
    assert caught.value.asked in (500, "500")


@pytest.mark.parametrize(
    "text",
    [
        "{" * 50_000,
        "```json\n" * 20_000,
        " " * 100_000,
        '{"a":' * 30_000,
        "<think>" * 30_000,
        '{"a": "' + "\\" * 90_000,
        "{}" * 40_000,
        '"' * 100_000,
        "[" * 100_000,
        "x" * 3_000_000,
        "}" * 100_000 + "{",
        '{"action": 5}' * 9_000,
    ],
    ids=lambda text: text[:8],
)
def test_bombs_are_refused_within_a_second(text):
    started = time.perf_counter()
    with pytest.raises(Unreadable):
        read(text, act())
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b\u2060", "\u3164", "\U000e0041\ufe0f", "\u202e\u202c", "\x00"])
def test_invisible_answers_show_nothing(text):
    assert visible(text) == ""


@given(st.text())
def test_any_text_is_read_or_refused_and_nothing_else_happens(text):
    for question in QUESTIONS:
        try:
            read(text, question)
        except Unreadable:
            continue


KEYS = [
    "action",
    "message",
    "messages",
    "to",
    "text",
    "moves",
    "move",
    "rule",
    "number",
    "with",
    "terms",
    "quorum",
    "amount",
]
KEYS += [
    "vote",
    "intended",
    "predicted",
    "predicted_total",
    "distribution",
    "probability",
    "actions",
    "forecast",
    "Bo",
    "Cy",
]
LEAVES = st.sampled_from(
    ["0e999999", "-0.0", "1e-15", "1e15", "1E+2", "0.1", "5", "true", "null", '""', '"Bo"', '"propose"']
)
ANSWERS = st.recursive(
    LEAVES | st.integers().map(str) | st.text().map(json.dumps),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]")
        | st.lists(st.tuples(st.sampled_from(KEYS), inner), max_size=5).map(
            lambda pairs: "{" + ", ".join(f'"{key}": {value}' for key, value in dict(pairs).items()) + "}"
        )
    ),
    max_leaves=12,
)
OFFERS = (
    Offer("propose", "pact", seats=(1, 2), terms={"amount": Amount.between(0, 9)}, quorum=True),
    Offer("transfer", "aid", seats=(1,), amount=Amount.between(0, 5)),
    Offer("vote", "law", targets=(1, 2), words=("yes", "no")),
)
ASKED = (*QUESTIONS, declare("total"), decide(Bo=Amount.between(0, 5)), act(space=Division(total=10, parts=2)))


@given(ANSWERS, st.booleans())
@settings(max_examples=200)
def test_any_json_is_read_or_refused_and_nothing_else_happens(text, last):
    for question in (*ASKED, dataclasses.replace(speak(private=True), offers=OFFERS)):
        try:
            reading = read(text, question, last=last)
        except Unreadable:
            continue
        json.dumps(reading.submitted, allow_nan=False)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_an_action_is_read_only_from_a_whole_number_in_range(value):
    text = json.dumps({"action": value})
    try:
        found = read(text, act()).value
    except Unreadable:
        return
    assert isinstance(found, int) and 0 <= found <= 100
    assert value == found or str(value).strip() in {str(found), f"+{found}"} or Fraction(str(value)) == found


def test_thoughts_are_no_answer():
    assert without_thoughts("a<think>b</think>c<think>d</think>e") == "ace"
    assert without_thoughts("a</think>b") == "b"
    assert without_thoughts("a<think>b") == "a"
    assert find("<think>hm</think>").candidates == ()


def test_a_word_of_a_closed_set_may_stand_alone():
    question = act(space=Choice(options=("C", "D")))
    assert read('{"action": "d"}', question).value == "D"
    assert read('"D".', question).value == "D"
    for text in ('{"action": "E"}', "I say D", '{"action": ["C"]}', '{"action": 0}'):
        with pytest.raises(Unreadable):
            read(text, question)


def test_shares_must_add_up():
    question = act(space=Division(total=10, parts=3))
    assert read('{"action": [5, 3, 2]}', question).value == (5, 3, 2)
    for text in ('{"action": [5, 3, 1]}', '{"action": [11, 0, -1]}', '{"action": [5, 5]}', '{"action": 10}'):
        with pytest.raises(Unreadable):
            read(text, question)


# Talk


def test_a_message_is_text_and_silence_is_allowed():
    assert read('{"message": "Let us rest."}', speak()).value.messages == (Draft(None, "Let us rest."),)
    assert read('{"message": ""}', speak()).value.messages == ()
    assert read('{"messages": []}', speak(private=True)).value.messages == ()
    assert read('{"message": null}', speak()).value.messages == ()


def test_prose_without_an_object_is_a_message_but_a_refusal_is_not():
    reading = read("Let us take ten each.", speak())
    assert (reading.value.messages, reading.mended) == ((Draft(None, "Let us take ten each."),), True)
    for text in ("I'm sorry, but I can't help with that.", "{", "null", "[1]", "...", "{broken"):
        with pytest.raises(Unreadable):
            read(text, speak())
    with pytest.raises(Unreadable):
        read("Psst.", speak(private=True, public=False))


def test_private_messages_name_their_recipients():
    text = '{"messages": [{"to": ["bo", "Cy"], "text": "psst"}, {"to": ["everybody"], "text": "hi"}, {"to": "Di", "text": "x"}]}'
    drafts = read(text, speak(private=True)).value.messages
    assert drafts == (Draft((1, 2), "psst"), Draft(None, "hi"), Draft((3,), "x"))


@pytest.mark.parametrize("to", ['["Zoe"]', '["Ann"]', "[5]", '{"Bo": 1}', '["B\u043e"]'])
def test_a_message_to_nobody_known_is_unreadable(to):
    with pytest.raises(Unreadable):
        read(f'{{"messages": [{{"to": {to}, "text": "psst"}}]}}', speak(private=True))


def test_a_public_message_is_refused_where_there_are_none():
    with pytest.raises(Unreadable):
        read('{"messages": [{"to": ["everybody"], "text": "hi"}]}', speak(private=True, public=False))


def test_an_action_inside_a_message_stays_a_message():
    text = json.dumps({"message": '{"action": 99} {{7*7}} {goal} %s $HOME'})
    assert read(text, speak()).value.messages[0].text == '{"action": 99} {{7*7}} {goal} %s $HOME'


def test_a_message_announces_an_action_only_beside_its_words_and_where_it_may():
    assert read('{"message": "Ten!", "announced": 10}', speak(announce=True)).value.messages == (
        Draft(None, "Ten!", 10),
    )
    assert read('{"message": "", "announced": 10}', speak(announce=True)).value.messages == (Draft(None, "", 10),)
    for words in ('{"message": "I take 10."}', '{"message": "I take 10.", "announced": null}'):
        assert read(words, speak(announce=True)).value.messages == (Draft(None, "I take 10."),)
    assert read('{"message": "Ten!", "announced": 10}', speak()).value.messages == (Draft(None, "Ten!"),)
    text = '{"messages": [{"to": ["Bo"], "text": "psst", "announced": 3}, {"to": ["everybody"], "text": "hi"}]}'
    drafts = read(text, speak(private=True, announce=True)).value.messages
    assert drafts == (Draft((1,), "psst", 3), Draft(None, "hi"))


def test_an_announcement_that_is_not_allowed_is_clamped_and_told_or_unreadable():
    reading = read('{"message": "All!", "announced": 500}', speak(announce=True))
    assert reading.value.messages == (Draft(None, "All!", 100),)
    assert "announced: " in reading.outside
    with pytest.raises(Unreadable, match="announced: "):
        read('{"message": "Hm", "announced": "some"}', speak(announce=True))


def test_lone_surrogates_become_replacement_characters():
    text = '{"message": "a\\ud800b"}'
    assert read(text, speak()).value.messages[0].text == "a\ufffdb"


# Declarations


def test_a_whole_declaration_is_read():
    text = json.dumps(
        {
            "intended": 5,
            "predicted": {"Bo": 8, "cy": 8, "Di": "9", "Eve": 12},
            "forecast": 4.5,
            "desired": 10,
            "objective": "to eat",
        }
    )
    reading = read(text, declare())
    assert reading.value == Declaration(5, (8, 8, 9, 12), None, None, Fraction(9, 2), 10, "to eat")
    assert reading.outside == ""


def test_what_was_not_stated_is_none_and_never_zero():
    assert read('{"intended": 5}', declare()).value == Declaration(intended=5)
    assert read('{"intended": null, "predicted": {"Cy": 3}}', declare()).value.predicted == (None, 3, None, None)
    assert read('{"forecast": 3, "predicted": {}}', declare()).value == Declaration(forecast=3)
    for nothing in ("{}", '{"intended": null}', '{"agent": "Bo"}', '{"objective": "  "}'):
        with pytest.raises(Unreadable):
            read(nothing, declare())


def test_stated_values_that_are_not_allowed_are_clamped_and_marked():
    reading = read('{"intended": 500, "predicted": {"Bo": 101, "Cy": 4}}', declare())
    assert reading.value == Declaration(intended=100, predicted=(100, 4, None, None), valid=False)
    assert reading.submitted == {"intended": 500, "predicted": {"Bo": 101, "Cy": 4}}
    assert "500" in reading.outside


def test_an_unreadable_field_is_asked_again_and_at_last_left_out():
    text = '{"intended": 5, "forecast": "a lot"}'
    with pytest.raises(Unreadable, match="forecast"):
        read(text, declare())
    assert read(text, declare(), last=True).value == Declaration(intended=5, valid=False)
    with pytest.raises(Unreadable):
        read('{"intended": true}', declare(), last=True)


def test_a_total_is_clamped_to_what_the_others_can_reach():
    assert read('{"predicted_total": 37}', declare("total")).value.predicted_total == 37
    far = read('{"predicted_total": 401}', declare("total")).value
    assert (far.predicted_total, far.valid) == (400, False)
    assert read('{"intended": 1, "predicted": {"Bo": 1}}', declare("total")).value.predicted is None


def test_a_distribution_adds_up_to_one():
    low = {"Bo": 1, "Cy": 1, "Di": 1, "Eve": 1}
    high = {"Bo": 9, "Cy": 9, "Di": 9, "Eve": 9}
    sides = [{"probability": 0.25, "actions": low}, {"probability": 0.75, "actions": high}]
    declared = read(json.dumps({"distribution": sides}), declare("distribution")).value
    assert declared.distribution == (Belief(Fraction(1, 4), (1,) * 4), Belief(Fraction(3, 4), (9,) * 4))
    assert declared.valid
    sides[1]["probability"] = 0.25
    halved = read(json.dumps({"distribution": sides}), declare("distribution")).value
    assert [belief.probability for belief in halved.distribution] == [Fraction(1, 2)] * 2
    assert not halved.valid
    for wrong in (-1, 0, "a", None):
        sides = [{"probability": wrong, "actions": low}]
        with pytest.raises(Unreadable):
            read(json.dumps({"distribution": sides}), declare("distribution"))
    with pytest.raises(Unreadable):
        read('{"distribution": [{"probability": 1, "actions": {"Bo": 1}}]}', declare("distribution"))


# Decisions


def test_a_decision_needs_every_part():
    question = decide(Bo=Amount.between(0, 5), vote=Choice(options=("yes", "no")))
    assert read('{"Bo": 2, "vote": "Yes"}', question).value == {"Bo": 2, "vote": "yes"}
    with pytest.raises(Unreadable, match="vote"):
        read('{"Bo": 2}', question)
    with pytest.raises(OutOfRange) as caught:
        read('{"Bo": 7, "vote": "no"}', question)
    assert caught.value.nearest.value == {"Bo": 5, "vote": "no"}
    assert caught.value.asked == {"Bo": 7, "vote": "no"}


def test_who_speaks_follows_from_the_slot():
    assert seen_in(agent=0).agent == 0
    assert read('{"agent": "Bo", "seat": 1, "action": 5}', act()).value == 5
