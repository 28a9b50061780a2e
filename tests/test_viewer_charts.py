"""What is drawn of a run: the numbers behind it, that it is well-formed, and that nothing in it runs."""

from __future__ import annotations

import itertools
import math
import re
from fractions import Fraction
from xml.etree import ElementTree

import pytest
from handmade_run import events
from hypothesis import given
from hypothesis import strategies as st
from viewer_log import HOSTILE, LAKE, hostile_events

from society import load, open_log, play_sync
from society.analysis import align, coalitions
from society.episode import Episode
from society.views.charts.coalitions import Span, Tie, coalition_graph, coalition_timeline
from society.views.charts.drawing import Drawing, ticks
from society.views.charts.intervals import Estimate, intervals
from society.views.charts.lines import Series, lines
from society.views.charts.matrix import deeds, surprise_matrix
from society.views.charts.timeline import timeline
from society.views.charts.waterfall import Descent, waterfall
from society.views.web.alliances import alliance_charts
from society.views.web.governance import ruled
from society.views.web.losses import descents, let_down, loss_charts, losses_from, stored_losses, surprises
from society.views.web.moments import moments_of

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    folder = tmp_path_factory.mktemp("charts")
    (folder / "lake.yaml").write_text(LAKE)
    for model in ("mock:liar", "mock:conditional"):
        play_sync(load(folder / "lake.yaml"), model=model, seed=1, log=str(folder / "society.db"))
    with open_log(folder / "society.db") as opened:
        yield opened


@pytest.fixture(scope="module", params=["mock:liar", "mock:conditional"])
def episode(request, log):
    run = next(info.id for info in log.runs() if request.param in info.models)
    return log.episode(run)


def drawn(chart):
    """The drawing as a tree, checked for what no drawing may hold."""
    tree = ElementTree.fromstring(chart.svg)
    allowed = {"svg", "title", "desc", "polyline", "rect", "circle", "text"}
    assert {one.tag.removeprefix(SVG) for one in tree.iter()} <= allowed
    for one in tree.iter():
        assert not {name for name in one.attrib if name.startswith("on") or name in ("style", "href")}
    width, height = float(tree.get("width")), float(tree.get("height"))
    for one in tree.iter(f"{SVG}text"):
        letters = len(one.text or "") * float(one.get("font-size")) * 0.62
        x, y = float(one.get("x")), float(one.get("y"))
        left = {"start": x, "middle": x - letters / 2, "end": x - letters}[one.get("text-anchor")]
        if not one.get("transform"):
            assert left >= -2 and left + letters <= width + letters * 0.2 + 2, (chart.name, one.text)
        assert 0 <= y <= height, (chart.name, one.text)
    return tree


def words_of(tree):
    return [one.text or "" for one in tree.iter(f"{SVG}text")]


def test_a_waterfall_goes_from_the_best_down_to_what_an_agent_got(episode):
    losses = losses_from(align(episode))
    for yardstick in ("goal", "welfare"):
        for seat, one in enumerate(descents(losses, episode.names, yardstick)):
            payoffs = [settled.payoffs for settled in episode.settled]
            own = sum(row[seat] for row in payoffs)
            group = sum(sum(row) for row in payoffs)
            wants_group = yardstick == "welfare" or episode.scenario.agents[seat].goal.kind == "group_welfare"
            assert one.end == (group if wants_group else own)
            assert one.top >= one.end


def test_shares_of_a_surprise_add_up_to_it(episode):
    found = align(episode)
    cells = surprises(losses_from(found), len(episode.names))
    for seat in range(len(episode.names)):
        shares = [cell for cell in cells[seat] if cell is not None]
        surprise = [judged.gap.surprise for judged in found.of(seat) if judged.gap.surprise is not None]
        assert sum(shares) == sum(surprise)
        assert cells[seat][seat] is None


def test_the_log_holds_what_would_be_worked_out(log):
    from society.run import Run

    for info in log.runs():
        Run(info.id, log).keep_alignment()
        kept, made = stored_losses(log, info), losses_from(align(log.episode(info.id)))
        for yardstick in ("goal", "welfare"):
            names = log.episode(info.id).names
            assert descents(kept, names, yardstick) == descents(made, names, yardstick)
        assert surprises(kept, 3) == surprises(made, 3)


def test_everything_drawn_of_a_run_is_well_formed(episode):
    found = coalitions(episode)
    charts = [timeline(episode), deeds(episode), *loss_charts(losses_from(align(episode)), episode), *alliance_charts(found, episode)]  # fmt: skip
    names = [chart.name for chart in charts]
    assert len(set(names)) == len(names)
    assert {"timeline", "deeds", "gap-goal"} <= set(names)
    for chart in charts:
        tree = drawn(chart)
        assert tree.get("role") == "img" and tree.find(f"{SVG}title").text == chart.title
        assert all(len(row) == len(chart.columns) for row in chart.table())


def test_the_timeline_holds_the_stock_of_the_log(log):
    info = next(info for info in log.runs() if "conditional" in info.models)
    stocks = log.sql("SELECT stock_before FROM outcome WHERE run_id = :run ORDER BY round", {"run": info.id})
    chart = timeline(log.episode(info.id))
    assert [float(row["stock"]) for row in chart.rows] == stocks.column("stock_before")
    assert "end" in words_of(drawn(chart))


def test_names_that_attack_are_words():
    names = HOSTILE[:4]
    charts = [
        surprise_matrix(names, [[None if i == j else i - j for j in range(4)] for i in range(4)], unit=HOSTILE[1]),
        waterfall([Descent(name, 10, ((HOSTILE[2], 3), (HOSTILE[3], -1))) for name in names], name="w", title=HOSTILE[0], unit=HOSTILE[1]),
        coalition_timeline(names, [Span(HOSTILE[0], (0, 2), 1, 2), Span(HOSTILE[1], (2, 3), 2, 3)], [1, 2, 3], round_word="round"),
        coalition_graph(names, [Tie(0, 1, "had an agreement", 0.5, HOSTILE[0])]),
        intervals([Estimate(HOSTILE[0], 1.0, 0.5, 2.0, (0.5, 1.5))], name="i", title=HOSTILE[1], unit=HOSTILE[2], about=HOSTILE[3]),
    ]  # fmt: skip
    for chart in charts:
        ElementTree.fromstring(chart.svg)
        assert "<script" not in chart.svg and "<img" not in chart.svg and "<iframe" not in chart.svg
    hostile = Episode.from_events(hostile_events())
    for chart in (timeline(hostile), deeds(hostile), *alliance_charts(coalitions(hostile), hostile)):
        assert "<img" not in drawn(chart).attrib and "<script" not in chart.svg


def test_agreements_of_the_same_agents_at_the_same_time_stand_in_lanes_of_their_own():
    spans = [Span("one", (0, 1), 1, 3), Span("two", (1, 2), 2, 4), Span("three", (0, 2), 4, 5)]
    tree = drawn(coalition_timeline(("Ann", "Bo", "Cy"), spans, [1, 2, 3, 4, 5], round_word="month"))
    bars = [one for one in tree.iter(f"{SVG}rect") if one.get("fill-opacity")]
    assert len(bars) == 6
    boxes = [(float(b.get("x")), float(b.get("x")) + float(b.get("width")), float(b.get("y"))) for b in bars]
    for place, (left, right, y) in enumerate(boxes):
        for other_left, other_right, other_y in boxes[:place]:
            assert y != other_y or right <= other_left or other_right <= left


@given(st.lists(st.floats(24, 226), min_size=1, max_size=8))
def test_names_of_lines_that_end_together_stand_apart_and_above_the_axis(ends):
    drawing = Drawing(960, 260)
    series = [Series(f"line {k}", (0.0, (226 - end) / 202)) for k, end in enumerate(ends)]
    lines(drawing, series, [1, 2], width=960, height=260, x_label="round", y_label="share")
    tree = ElementTree.fromstring(drawing.svg("x", "x", "x"))
    heights = sorted(float(t.get("y")) for t in tree.iter(f"{SVG}text") if (t.text or "").startswith("line "))
    assert len(heights) == len(ends)
    assert all(later - earlier >= 14.5 for earlier, later in itertools.pairwise(heights))
    assert heights[-1] <= 260 - 34 + 4.5


@given(low=st.floats(-1e6, 1e6), span=st.floats(1e-3, 1e6))
def test_ticks_are_few_and_hold_the_range(low, span):
    found = ticks(low, low + span)
    assert 2 <= len(found) <= 8
    assert found[0] <= low + 1e-6 * span and found[-1] >= low + span - 1e-6 * span
    steps = [b - a for a, b in itertools.pairwise(found)]
    assert max(steps) - min(steps) <= 1e-6 * max(1, abs(low), span)


@given(top=st.fractions(0, 1000), losses=st.lists(st.fractions(-100, 100), min_size=1, max_size=6))
def test_a_waterfall_ends_where_its_steps_lead(top, losses):
    one = Descent("Ann", top, tuple((f"term {k}", loss) for k, loss in enumerate(losses)))
    assert one.end == top - sum(losses, Fraction(0))
    chart = waterfall([one], name="w", title="t", unit="u")
    tree = drawn(chart)
    bars = list(tree.iter(f"{SVG}rect"))
    assert len(bars) == len(losses) + 2
    assert math.isfinite(sum(float(bar.get("width")) for bar in bars))
    assert chart.rows[0]["happened"] == one.end


def test_a_run_in_short_names_the_widest_gaps_and_the_collapse():
    moments = moments_of(Episode.from_events(events()))
    assert [(one.round, one.words) for one in moments] == [
        (1, "Ann privately meant to take 5 units, but chose to take 12 units"),
        (1, "an agreement came into force, pact: Ann, Ben"),
        (2, "the commons collapsed"),
    ]
    assert moments[0].anchor == "round-1-agent-0"


def test_who_let_whom_down_is_the_largest_cell(log):
    run = next(info.id for info in log.runs() if "liar" in info.models)
    episode = log.episode(run)
    losses = losses_from(align(episode))
    cells = surprises(losses, 3)
    worst = max((cell for row in cells for cell in row if cell is not None), default=0)
    told = let_down(losses, episode)
    assert bool(told) == (worst > 0)
    if told:
        assert re.search(r"(\w+) lost [\d.]+ \w+ because (\w+)", told)[1] in episode.names


def test_what_a_rule_did_is_told_in_one_line_and_entry_by_entry():
    settled = Episode.from_events(events()).settled[0]
    told = {row.rule: row for row in ruled(Episode.from_events(events()), settled)}
    assert told["quota"].short == "broken by Ben; sanctioned Ben"
    assert len(told["quota"].entries) == 2
    assert told["peer_sanction"].short == "1 payment, 3 in all (sanctioned)"
    assert told["pact"].short == "Ann makes proposal 0"
