"""A grid of two axes is shown at a glance: one axis down, the other across, a star where a cell differs from its baseline."""

from __future__ import annotations

from society.analysis.statistics import mean_interval
from society.views.arms import Arm, Line
from society.views.crossing import crossed_text


def line(labels: dict[str, str], sample: tuple[float, ...], p: float | None = None) -> Line:
    mean = mean_interval(sample) if sample else None
    return Line(Arm(labels, (), 0, 0, {}), "survival", True, sample, mean, p_holm=p)


def test_the_longest_axis_goes_down_and_a_star_marks_what_differs():
    lines = [
        line({"cast": cast, "rule": rule}, (rounds,), p)
        for cast, rule, rounds, p in [
            ("greedy", "none", 1.0, None),
            ("greedy", "soft", 2.0, 0.2),
            ("greedy", "hard", 12.0, 0.01),
            ("civic", "none", 3.0, None),
            ("civic", "soft", 3.5, 0.05),
        ]
    ]
    nothing = line({"cast": "civic", "rule": "hard"}, ())
    assert crossed_text([*lines, nothing]).splitlines()[2:] == [
        "rule  greedy  civic",
        "----  ------  -----",
        "none    1       3",
        "soft    2     3.5",
        "hard   12*      -",
    ]


def test_what_is_no_table_to_look_at_is_left_out():
    assert crossed_text([line({"rule": rule}, (1.0,)) for rule in "abc"]) == ""
    wide = [line({"a": str(a), "b": str(b)}, (1.0,)) for a in range(8) for b in range(7)]
    assert crossed_text(wide) == "" and crossed_text([one for one in wide if one.arm.labels["b"] < "3"])


def test_cells_that_were_included_on_some_axes_alone_are_left_to_the_tables_below():
    grid = [line({"a": a, "b": b}, (1.0,)) for a in "xyz" for b in "12"]
    assert crossed_text([*grid, line({"a": "w"}, (2.0,))]) == crossed_text(grid) != ""
