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
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from society.core.seeds import Noise

Rationing = Literal["proportional", "equal", "priority", "random_order", "unit_by_unit"]
RULES: tuple[Rationing, ...] = get_args(Rationing)
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
            grants[min(wanting, key=lambda seat: _lot(noise, unit, seat))] += 1
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


def _lot(noise: Noise, unit: int, seat: int) -> tuple[int, int]:
    return noise.bits("unit", (unit, seat)), seat


def ration_batch(
    requests: NDArray[np.int64], stock: int, rule: Rationing, noise: Noise, priority: Sequence[int] = ()
) -> NDArray[np.int64]:
    """`ration` for every row of requests at once, shape (B, n)."""
    asked = row_sums(requests)
    short = asked > stock
    if not short.any():
        return requests
    if rule == "proportional" and 2 * np.count_nonzero(short) > len(short):
        # Copying most rows out and back would cost more than computing the others in vain.
        given = _proportional_rows(requests, np.maximum(asked, 1), stock)
        return np.where(short[:, None], given, requests)
    every = bool(short.all())
    rows = requests if every else requests[short]
    if rule == "proportional":
        given = _proportional_rows(rows, asked[short], stock)
    elif rule == "equal":
        given = _equal_rows(rows, stock)
    elif rule == "unit_by_unit":
        given = _unit_rows(rows, stock, noise)
    else:
        seats = list(range(rows.shape[1]))
        order = noise.order(seats, "lot") if rule == "random_order" else list(priority or seats)
        lined_up = rows[:, order]
        before = np.cumsum(lined_up, axis=1) - lined_up
        given = np.empty_like(rows)
        given[:, order] = np.minimum(lined_up, np.maximum(0, stock - before))
    if every:
        return given
    grants = requests.copy()
    grants[short] = given
    return grants


def row_sums(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The sum of each row; for short rows much faster than ``sum(axis=1)``."""
    return np.asarray(np.einsum("ij->i", rows), dtype=np.int64)


def _proportional_rows(rows: NDArray[np.int64], asked: NDArray[np.int64], stock: int) -> NDArray[np.int64]:
    n = rows.shape[1]
    largest = int(rows.max()) * max(stock, 1)
    if n * (int(asked.max()) + 1) < _INT32 and largest < _INT32:
        return _proportional_columns(np.ascontiguousarray(rows.T, dtype=np.int32), asked.astype(np.int32), stock)
    return _proportional_columns(np.ascontiguousarray(rows.T), asked, stock)


def _proportional_columns(columns: NDArray[Any], asked: NDArray[Any], stock: int) -> NDArray[np.int64]:
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
    return np.asarray(grants.T)


def _equal_rows(rows: NDArray[np.int64], stock: int) -> NDArray[np.int64]:
    n = rows.shape[1]
    ascending = np.sort(rows, axis=1)
    left = stock - (np.cumsum(ascending, axis=1) - ascending)
    levels = left // np.arange(n, 0, -1)
    first = np.argmax(ascending > levels, axis=1)
    level = levels[np.arange(len(rows)), first][:, None]
    grants = np.minimum(rows, level)
    spare = (stock - grants.sum(axis=1))[:, None]
    wanting = rows > level
    grants += wanting & (np.cumsum(wanting, axis=1) <= spare)
    return np.asarray(grants, dtype=np.int64)


def _unit_rows(rows: NDArray[np.int64], stock: int, noise: Noise) -> NDArray[np.int64]:
    seats = range(rows.shape[1])
    wanted = rows.T.copy()
    for unit in range(stock):
        free = np.ones(len(rows), dtype=bool)  # rows in which nobody has got this unit yet
        for seat in sorted(seats, key=lambda seat: _lot(noise, unit, seat)):
            wins = free & (wanted[seat] > 0)
            wanted[seat] -= wins
            free ^= wins
    return rows - wanted.T
