"""A governance instrument: hooks around a round."""

from __future__ import annotations

from society.core.registry import Kind


class Instrument(Kind):
    """A governance instrument: hooks around a round."""
