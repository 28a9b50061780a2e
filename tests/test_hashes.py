"""What is hashed of questions and events is canonical JSON, however it is put together."""

from __future__ import annotations

import json
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from society.core.calls import ChatMessage, ModelRequest, Position, Sampling
from society.core.canonical import canonical_json
from society.core.stem import Stem

TEXTS = st.text(st.characters(), max_size=40)
"""Lone surrogates among them: a model may say anything."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def hashed(*parts: str | None) -> str:
    return sha256(canonical_json(list(parts)).encode()).hexdigest()


@given(JSON)
def test_canonical_json_is_that_of_the_standard_library(value: object) -> None:
    plain = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    assert canonical_json(value) == plain  # type: ignore[arg-type]  # it is JSON


@given(st.lists(TEXTS, min_size=1, max_size=6), TEXTS, st.lists(st.booleans(), min_size=6, max_size=6))
def test_a_prompt_that_grows_has_the_hash_of_its_whole_text(
    pieces: list[str], rest: str, looked_at: list[bool]
) -> None:
    before = hashed("", "system", "You fish.")
    stem: Stem | None = None
    told = ""
    for piece, look in zip(pieces, looked_at, strict=False):
        stem, told = Stem(piece, stem), told + piece
        if look:
            assert ChatMessage("user", told + rest, stem).link(before) == hashed(before, "user", told + rest)
    again = [ChatMessage("user", told + rest, stem).link(other) for other in (before, hashed("x"), before)]
    assert again == [hashed(other, "user", told + rest) for other in (before, hashed("x"), before)]


@given(TEXTS, TEXTS, st.none() | st.floats(0, 2), st.none() | st.integers(0, 2**31), st.none() | TEXTS, st.booleans())
def test_a_question_is_hashed_as_canonical_json(
    stage: str, said: str, temperature: float | None, seed: int | None, effort: str | None, formed: bool
) -> None:
    schema = {"type": "object"} if formed else None
    sampling = Sampling(temperature, None, 512, seed, effort)
    question = ModelRequest(
        Position(3, stage, 1, 2, 1), "some:model", (ChatMessage("user", said),), schema, sampling=sampling
    )
    whole = {
        "at": [3, stage, 1, 2, 1],
        "model": "some:model",
        "prompt": hashed("", "user", said),
        "schema": None if schema is None else sha256(b'{"type":"object"}').hexdigest(),
        "sampling": [repr(temperature), "None", 512, seed, effort],
    }
    assert question.canonical() == canonical_json(whole)
    assert question.hash == sha256(canonical_json(whole).encode()).hexdigest()
