"""How many tokens a text is, when nobody has counted yet."""

from __future__ import annotations

from society.core.calls import ModelRequest, Usage

_FRAME = 16
"""Tokens around each message: its role and its ends."""


def most_tokens(request: ModelRequest) -> tuple[int, int]:
    """The most a call can use, in and out: two bytes a token in, which no natural text or JSON needs, and the cap out."""
    bytes_in = sum(_bytes_in(message.content) + 2 * _FRAME for message in request.messages)
    return bytes_in // 2 + 1, request.sampling.max_tokens


def _bytes_in(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def likely_usage(request: ModelRequest, text: str) -> Usage:
    """What a call probably used, at four characters a token; marked as estimated."""
    characters = sum(len(message.content) + _FRAME for message in request.messages)
    return Usage(characters // 4 + 1, len(text) // 4 + 1, None, None, True)
