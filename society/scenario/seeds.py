"""Which seeds a scenario is played with."""

from __future__ import annotations

import re

MAX_SEEDS = 10_000
_SPAN = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?")


def parse_seeds(text: str) -> tuple[int, ...]:
    """The seeds that ``"7"``, ``"0-9"`` or ``"0-4,10,20-29"`` names; both ends of a span belong to it.

    Raises:
        ValueError: no such text, a span that runs backwards, a seed twice, or more than `MAX_SEEDS` of them.
    """
    seeds: list[int] = []
    for part in text.replace(" ", "").split(","):
        span = _SPAN.fullmatch(part)
        if span is None:
            raise ValueError(f"{text[:40]!r} names no seeds; write 7, 0-9 or 0-4,10")
        first, last = int(span[1]), int(span[2] or span[1])
        if last < first:
            raise ValueError(f"the span {part} runs backwards")
        if last - first + len(seeds) >= MAX_SEEDS:
            raise ValueError(f"more than {MAX_SEEDS} seeds")
        seeds.extend(range(first, last + 1))
    if len(set(seeds)) < len(seeds):
        raise ValueError("a seed is named twice")
    return tuple(seeds)
