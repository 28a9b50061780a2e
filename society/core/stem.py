"""The hash of texts that begin alike: what was hashed of their common beginning is not hashed again."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from society.core.canonical import quoted_json


class Stem:
    """What a growing text holds by now, piece by piece: the record that an agent's prompts begin with.

    Each piece is hashed once, by whoever first wants the hash of a text that begins so, in whatever thread.

    Args:
        more: the newest piece.
        before: the pieces before it.

    Attributes:
        length: of all pieces together, in characters.
    """

    __slots__ = ("_before", "_head", "_more", "_state", "length")

    def __init__(self, more: str, before: Stem | None = None) -> None:
        self.length: int = len(more) + (0 if before is None else before.length)
        self._more = more
        self._before = before
        self._head = ""
        self._state: Any = None  # Any: hashlib's hashes have no public type

    def hash(self, head: str, rest: str, tail: str) -> str | None:
        """SHA-256 over `head`, then the pieces and `rest` as they stand inside a JSON string in ASCII, then `tail`.

        None where the pieces were hashed after another head, and are not kept any more.
        """
        waiting: list[Stem] = []
        node: Stem | None = self
        while node is not None:
            before = node._before  # looked at before the state: another thread may be letting go of it
            if node._state is not None:
                break
            waiting.append(node)
            node = before
        if node is not None and node._head != head:
            return None
        state = sha256(head.encode()) if node is None else node._state
        while waiting:
            state = state.copy()
            node = waiting.pop()
            state.update(_inside(node._more))
            node._head = head
            node._state = state
            node._before = None
        whole = state.copy()
        whole.update(_inside(rest) + tail.encode())
        return str(whole.hexdigest())


def _inside(text: str) -> bytes:
    return quoted_json(text)[1:-1].encode()
