"""What a call costs, as the operator says.

Prices change faster than packages, so none is built in: ``society.toml`` holds them, with the day they were looked up.

    [prices."openai:NAME"]
    input = 0.25          # US dollars per million tokens
    output = 2.00
    cached = 0.025        # input served from the provider's cache; default: as input
    as_of = 2026-11-01

A model without an entry has an *unknown* price, which is never 0. Local and mock models are free.
"""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from society.core.calls import Usage

MILLION = 1_000_000


class Price(BaseModel):
    """US dollars per million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    input: float = Field(ge=0)
    """per million prompt tokens"""
    output: float = Field(ge=0)
    """per million answer tokens"""
    cached: float | None = Field(None, ge=0)
    """per million prompt tokens served from the provider's cache; default: as input"""
    as_of: date | None = None
    """the day the price was looked up; shown beside every total"""

    def most(self, tokens_in: int, tokens_out: int) -> float:
        """What a call of at most these sizes can cost."""
        return (tokens_in * max(self.input, self.cached or 0) + tokens_out * self.output) / MILLION

    def of(self, usage: Usage) -> float | None:
        """What a call did cost; None while its size is unknown."""
        if usage.tokens_in is None or usage.tokens_out is None:
            return None
        cached = min(usage.tokens_cached or 0, usage.tokens_in)
        fresh = usage.tokens_in - cached
        rate = self.input if self.cached is None else self.cached
        return (fresh * self.input + cached * rate + usage.tokens_out * self.output) / MILLION


FREE = Price(input=0, output=0)
