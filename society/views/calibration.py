"""How far the detector of coalitions can be trusted, as words, a table and a curve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from society.core.exact import Json, show
from society.metrics.rates import Rate
from society.views.tables import Cell, text_table

if TYPE_CHECKING:
    from society.analysis.calibration import Calibration, PowerCell

_WIDE, _TALL = 41, 11


def calibration_text(found: Calibration, table: Sequence[PowerCell] = ()) -> str:
    """What is promised, what happened, and the curve; the power table below where there is one."""
    return "\n".join(_lines(found, table))


def calibration_json(found: Calibration, table: Sequence[PowerCell] = ()) -> Json:
    """For machines; rates with their counts and intervals."""
    from society.views.coalitions import plain_record

    whole: dict[str, Json] = dict(plain_record(found))
    whole["curve"] = [
        {"level": level, "false_alarms": false, "detections": power} for level, false, power in found.curve
    ]  # fmt: skip
    if table:
        whole["power_table"] = [plain_record(cell) for cell in table]
    return whole


def _lines(found: Calibration, table: Sequence[PowerCell]) -> Iterator[str]:
    told = found.trials
    yield f"Synthetic runs of {told.agents} agents and {told.rounds} rounds; all follow a stock and a common shock."
    if told.memory:
        yield f"  {show(100 * told.memory)} % of an agent's own noise lasts into the next round"
    yield f"  without a coalition: {_rate(found.false_alarms)} flagged; promised are at most {show(100 * told.level)} %"
    yield f"  the same runs, raw correlations: {_rate(found.naive_false_alarms)} flagged by a detector that forgets the stock"
    planted = f"{told.members} agents whose own moves correlate at {show(told.correlation)}"
    yield f"  with {planted}: {_rate(found.power)} found, {_rate(found.wrong_pair)} with a wrong pair beside"
    yield ""
    yield f"ROC CURVE (area {show(found.area, 3)}; a guess has 0.5)"
    yield from _drawn([(false, power) for _, false, power in found.curve])
    rows: list[dict[str, Cell]] = [
        {"level": level, "flagged without": false, "flagged with a coalition": power}
        for level, false, power in found.curve
    ]
    yield text_table(rows)
    if table:
        yield ""
        yield "POWER: how often a planted pair is found (in brackets: how often any other pair is flagged)"
        yield text_table(list(_power_rows(table)))
    yield ""
    yield "A pair that is not flagged may still be one: read the power at the length of your run before you conclude anything."
    yield "Agents that run on one model and one prompt move together without any agreement: compare with a control arm"
    yield "of the same model without a channel, not with zero."


def _power_rows(table: Sequence[PowerCell]) -> Iterator[dict[str, Cell]]:
    for rounds in dict.fromkeys(cell.rounds for cell in table):
        row: dict[str, Cell] = {"rounds": rounds}
        for cell in table:
            if cell.rounds == rounds:
                row[f"correlation {show(cell.correlation)}"] = (
                    f"{float(cell.power.value or 0):.2f} ({float(cell.wrong_pair.value or 0):.2f})"
                )
        yield row


def _rate(rate: Rate) -> str:
    low, high = 100 * (rate.low or 0), 100 * (rate.high or 0)
    share = 100 * float(rate.value or 0)
    return f"{rate.successes} of {rate.trials} ({share:.1f} %, 95% interval {low:.1f} to {high:.1f})"


def _drawn(points: Sequence[tuple[float, float]]) -> Iterator[str]:
    """The curve in characters: false alarms to the right, power upwards, what guessing gives as dots."""
    grid = [[" "] * _WIDE for _ in range(_TALL)]
    for column in range(_WIDE):
        grid[round((1 - column / (_WIDE - 1)) * (_TALL - 1))][column] = "."
    reached = [(0.0, 0.0), *sorted(points), (1.0, 1.0)]
    for column in range(_WIDE):
        share = column / (_WIDE - 1)
        height = max(power for false, power in reached if false <= share + 1e-9)
        grid[round((1 - height) * (_TALL - 1))][column] = "#"
    for place, row in enumerate(grid):
        mark = {0: "found 1", _TALL - 1: "      0"}.get(place, " " * 7)
        yield f"  {mark} |{''.join(row).rstrip()}"
    yield f"  {' ' * 7} +{'-' * _WIDE}"
    yield f"  {' ' * 7}  0{'false alarms'.center(_WIDE - 2)}1"
