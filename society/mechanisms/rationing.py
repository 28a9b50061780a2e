"""Who is given how much of a stock that is too short for all requests.

Every rule grants whole units, never more than was asked, and hands out the whole stock when it is short. Where luck
decides, each agent (or each agent and unit) has its own keyed lot, so that one agent's request changes nobody else's luck.

    proportional   in proportion to the requests; left-over units by largest remainder, ties to the lowest seat
    equal          the same for everybody, but nobody more than it asked for (constrained equal awards)
    priority       in a given order (of the seats, unless another is given), each in full as long as the stock lasts
    random_order   as priority, in an order drawn anew each round
    unit_by_unit   unit after unit, each to a random one of those who still ask for more
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Literal, TypeAlias, get_args

from society.core.arrays import NDArray, np
from society.core.seeds import Noise
from society.mechanisms.units import lot, unit_by_unit

Rationing = Literal["proportional", "equal", "priority", "random_order", "unit_by_unit"]
RULES: tuple[Rationing, ...] = get_args(Rationing)
Columns: TypeAlias = "NDArray[Any]"  # Any: int32 where everything fits, else int64; one row for each seat
_INT32 = 2**31
_SMALL = 12
"""Up to this many agents, comparing all pairs is faster than sorting."""


def ration(
    requests: Sequence[int], stock: int, rule: Rationing, noise: Noise, priority: Sequence[int] = ()
) -> tuple[int, ...]:
    """The grants, in seat order: the requests themselves while the stock suffices.

    Args:
        requests: what each asks for.
        stock: what there is.
        rule: see above.
        noise: the luck of the round.
        priority: under that rule, the seats in the order in which they are served; empty: seat order.
    """
    asked = sum(requests)
    if asked <= stock:
        return tuple(requests)
    seats = range(len(requests))
    if rule == "proportional":
        grants = [request * stock // asked for request in requests]
        by_remainder = sorted(seats, key=lambda i: (-(requests[i] * stock % asked), i))
        for seat in by_remainder[: stock - sum(grants)]:
            grants[seat] += 1
        return tuple(grants)
    if rule == "equal":
        return _equal(requests, stock)
    if rule == "unit_by_unit":
        grants = [0 for _ in seats]
        for unit in range(stock):
            wanting = [seat for seat in seats if grants[seat] < requests[seat]]
            grants[min(wanting, key=lambda seat: lot(noise, unit, seat))] += 1
        return tuple(grants)
    order = noise.order(list(seats), "lot") if rule == "random_order" else list(priority or seats)
    before = [0, *accumulate(requests[seat] for seat in order)]
    grants = [0 for _ in seats]
    for place, seat in enumerate(order):
        grants[seat] = min(requests[seat], max(0, stock - before[place]))
    return tuple(grants)


def _equal(requests: Sequence[int], stock: int) -> tuple[int, ...]:
    left, level = stock, 0
    for place, request in enumerate(sorted(requests)):
        level = left // (len(requests) - place)
        if request > level:
            break
        left -= request
    grants = [min(request, level) for request in requests]
    for seat, request in enumerate(requests):
        if sum(grants) < stock and request > level:
            grants[seat] += 1
    return tuple(grants)


def ration_batch(
    requests: NDArray[np.int64], stock: int, rule: Rationing, noise: Noise, priority: Sequence[int] = ()
) -> NDArray[np.int64]:
    """`ration` for every row of requests at once, shape (B, n).

    Seat by seat: each step of a rule is one operation on the requests of one seat in all rows.
    """
    asked = row_sums(requests)
    if not (asked > stock).any():
        return requests
    n = requests.shape[1]
    small = n * (int(asked.max()) + 1) < _INT32 and int(requests.max()) * max(stock, 1) < _INT32
    columns: Columns = np.ascontiguousarray(requests.T, dtype=np.int32 if small else np.int64)
    if rule == "proportional":
        given = _proportional(columns.copy(), np.maximum(asked, 1).astype(columns.dtype), stock)
        grants = np.where(asked > stock, given, columns)
    elif rule == "equal":
        grants = _equal_parts(columns, stock)
    elif rule == "unit_by_unit":
        grants = unit_by_unit(columns, stock, noise)
    else:
        seats = list(range(n))
        grants = _in_order(columns, stock, noise.order(seats, "lot") if rule == "random_order" else priority or seats)
    return grants.T.astype(np.int64)


def row_sums(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The sum of each row; for short rows much faster than ``sum(axis=1)``."""
    return np.asarray(np.einsum("ij->i", rows), dtype=np.int64)


def _proportional(columns: Columns, asked: Columns, stock: int) -> Columns:
    """Overwrites the columns. Rows that ask for no more than the stock come out wrong."""
    n = len(columns)
    columns *= stock
    grants = columns // asked
    columns -= grants * asked
    spare = stock - grants.sum(axis=0, dtype=grants.dtype)
    # Distinct keys: the larger remainder first, then the lower seat.
    columns *= n
    columns += np.arange(n - 1, -1, -1, dtype=columns.dtype)[:, None]
    if n <= _SMALL:
        ahead = np.zeros_like(columns)
        for seat in range(n):
            for other in range(seat):
                behind = columns[seat] < columns[other]
                ahead[seat] += behind
                ahead[other] += ~behind
        grants += ahead < spare
    else:
        places = np.argsort(np.argsort(-columns, axis=0), axis=0)
        grants += places < spare
    return grants


def _in_order(columns: Columns, stock: int, order: Sequence[int]) -> Columns:
    grants, left = np.empty_like(columns), np.full_like(columns[0], min(stock, np.iinfo(columns.dtype).max))
    for seat in order:
        np.minimum(columns[seat], left, out=grants[seat])
        left -= grants[seat]
    return grants


def _equal_parts(columns: Columns, stock: int) -> Columns:
    n = len(columns)
    level, met = np.full_like(columns[0], -1), np.zeros_like(columns[0])
    # Whoever asks for less than an even part of what is left is met in full; the last even part that this leaves is the
    # largest of all, since meeting larger requests would only lower it.
    for place, request in enumerate(_ascending(columns)):
        np.maximum(level, (stock - met) // (n - place), out=level)
        met += request
    grants = np.minimum(columns, level)
    spare = stock - grants.sum(axis=0, dtype=columns.dtype)
    for seat in range(n):
        more = (columns[seat] > level) & (spare > 0)
        grants[seat] += more
        spare -= more
    return np.asarray(grants)


def _ascending(columns: Columns) -> Columns:
    """The columns' values sorted within each row: by exchanges of neighbours where there are few."""
    n = len(columns)
    if n > _SMALL:
        return np.sort(columns, axis=0)
    ranked = columns.copy()
    for last in range(n - 1, 0, -1):
        for seat in range(last):
            low = np.minimum(ranked[seat], ranked[seat + 1])
            np.maximum(ranked[seat], ranked[seat + 1], out=ranked[seat + 1])
            ranked[seat] = low
    return ranked
