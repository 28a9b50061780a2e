"""What servers send, read by one pure function."""

import json

import pytest
from fault_server import completion
from hypothesis import given
from hypothesis import strategies as st

from society.core.calls import ChatMessage, ModelRequest, Position, Usage
from society.models.envelope import read_completion
from society.models.faults import RetryLater
from society.models.mock import PERSONALITIES, MockModel


def body(shape):
    return json.dumps(shape).encode()


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(body({"error": {"message": "overloaded"}}), id="an error with status 200"),
        pytest.param(body(completion("", finish="error")), id="a choice that ended with an error"),
        pytest.param(b"", id="nothing"),
        pytest.param(body(completion())[:-9], id="cut off"),
        pytest.param(b"<html>busy</html>", id="a page"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"just text", id="plain text"),
        pytest.param(b"\xef\xbb\xbf" + body(completion()), id="a byte order mark"),
        pytest.param(json.dumps(completion()).encode("utf-16"), id="UTF-16"),
        pytest.param(b'{"choices": "\xff\xfe"}', id="not UTF-8"),
        pytest.param(body(completion())[:-1] + b', "model": "b"}', id="a key twice"),
        pytest.param(b'{"choices":' + b"[" * 200_000 + b"]" * 200_000 + b"}", id="200,000 deep"),
        pytest.param(b'{"choices":' + b"9" * 100_000 + b"}", id="100,000 digits"),
        pytest.param(b'{"choices": [NaN]}', id="NaN"),
        pytest.param(body({"object": "chat.completion"}), id="no choices"),
        pytest.param(body(completion(choices=None)), id="choices null"),
        pytest.param(body(completion(choices=[])), id="choices empty"),
        pytest.param(body(completion(choices=[None, 3])), id="choices that are none"),
        pytest.param(body(completion(choices=[{"index": 0, "message": None}])), id="message null"),
    ],
)
def test_what_is_no_answer_is_tried_again_and_its_bytes_are_kept(raw):
    with pytest.raises(RetryLater) as caught:
        read_completion(raw)
    assert caught.value.raw == raw
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("shape", "finish", "text", "detail"),
    [
        pytest.param(completion("{}"), "stop", "{}", "", id="a whole answer"),
        pytest.param(completion("{}", finish=None), "stop", "{}", "", id="no reason given"),
        pytest.param(completion(None), "empty", "", "", id="content null"),
        pytest.param(completion(""), "empty", "", "", id="content empty"),
        pytest.param(completion(" \u200b\u2060\ufeff\n\u3164"), "empty", "", "", id="content invisible"),
        pytest.param(
            completion([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]), "stop", "ab", "", id="text parts"
        ),
        pytest.param(
            completion([{"type": "refusal", "refusal": "I won't"}]), "refusal", "", "I won't", id="a refusal as a part"
        ),
        pytest.param(completion(7), "error", "", "the content of the answer is a int, not text", id="a number"),
        pytest.param(completion({"a": 1}), "error", "", "the content of the answer is a dict, not text", id="an object"),
        pytest.param(completion(["a"]), "error", "", "the content of the answer is a list, not text", id="a list of words"),
        pytest.param(completion('{"amount": 1', finish="length"), "length", '{"amount": 1', "", id="cut by length"),
        pytest.param(completion("{}", finish="content_filter"), "filtered", "", "", id="filtered"),
        pytest.param(completion(None, message={"refusal": "No."}), "refusal", "", "No.", id="the field of refusals"),
        pytest.param(
            completion(None, finish="tool_calls", message={"tool_calls": [{"function": {"name": "rm"}}]}), "empty", "", "",
            id="a tool nobody offered",
        ),
        pytest.param(completion("{}", message={"role": "system"}), "stop", "{}", "", id="a role nobody gave"),
        pytest.param(completion("a\ud800b"), "stop", "a?b", "", id="half a surrogate pair"),
        pytest.param(completion("a\x00b"), "stop", "a\x00b", "", id="NUL"),
    ],
)  # fmt: skip
def test_every_ending_has_its_name(shape, finish, text, detail):
    response = read_completion(body(shape))
    assert (response.finish, response.text, response.detail) == (finish, text, detail)
    assert response.raw == body(shape)


def test_of_two_choices_the_one_with_the_lowest_index_counts():
    choices = [{"index": k, "message": {"content": f"choice {k}"}, "finish_reason": "stop"} for k in (1, 0)]
    assert read_completion(body(completion(choices=choices))).text == "choice 0"


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        pytest.param({"prompt_tokens": 12, "completion_tokens": 6}, Usage(12, 6), id="plain"),
        pytest.param(
            {"prompt_tokens": 12, "completion_tokens": 6, "prompt_tokens_details": {"cached_tokens": 8}}, Usage(12, 6, 8),
            id="partly cached",
        ),
        pytest.param(
            {"prompt_tokens": 12, "completion_tokens": 6, "prompt_tokens_details": {"cached_tokens": 99}}, Usage(12, 6),
            id="more cached than there was",
        ),
        pytest.param(None, Usage(estimated=True), id="null"),
        pytest.param("many", Usage(estimated=True), id="a word"),
        pytest.param({"prompt_tokens": -5, "completion_tokens": 6}, Usage(None, 6, estimated=True), id="negative"),
        pytest.param({"prompt_tokens": 0, "completion_tokens": 0}, Usage(estimated=True), id="zero"),
        pytest.param({"prompt_tokens": "12", "completion_tokens": True}, Usage(estimated=True), id="strings"),
        pytest.param({"prompt_tokens": 10**30, "completion_tokens": 6}, Usage(None, 6, estimated=True), id="absurd"),
    ],
)  # fmt: skip
def test_counts_of_tokens_that_cannot_be_true_are_unknown_and_never_zero(usage, expected):
    assert read_completion(body(completion(usage=usage))).usage == expected


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["choices", "message", "content", "usage", "error", "model", "finish_reason", "index"]),
                inner,
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_makes_the_reader_fail_in_any_other_way(shape):
    for wrapped in (shape, {"choices": shape}, {"choices": [{"message": shape}]}, {**completion(), "usage": shape}):
        try:
            read_completion(body(wrapped))
        except RetryLater:
            continue


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_fail_in_any_other_way(raw):
    try:
        read_completion(raw)
    except RetryLater:
        return


@pytest.mark.parametrize("personality", PERSONALITIES)
async def test_the_envelope_of_a_mock_reads_as_the_mock_says(personality):
    schema = {"type": "object", "properties": {"amount": {"type": "integer", "minimum": 0, "maximum": 9}}}
    for agent in range(15):
        request = ModelRequest(Position(1, "act", 0, agent), "mock:x", (ChatMessage("user", "?"),), schema)
        response = await MockModel(personality).complete(request)
        read = read_completion(response.raw)
        assert (read.text, read.finish, read.detail) == (response.text, response.finish, response.detail)
        assert read.usage.tokens_in == response.usage.tokens_in
