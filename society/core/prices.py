"""How many times worse: a ratio of welfares that respects their sign."""

from __future__ import annotations

from society.core.exact import Number


def price_parts(optimum: Number | None, reached: Number | None) -> tuple[Number, Number] | None:
    """Numerator and denominator of the price of reaching less than the optimum; their ratio is at least 1.

    For payoffs (both positive) optimum over reached, for costs (both negative) reached over optimum. None where
    something is unknown, zero or of mixed sign: a ratio of welfares means nothing then.
    """
    if optimum is None or reached is None:
        return None
    if optimum > 0 and reached > 0:
        return optimum, reached
    if optimum < 0 and reached < 0:
        return -reached, -optimum
    return None
