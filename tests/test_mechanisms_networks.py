"""Networks written as edges and formulas, and what is said of a formula that cannot be read."""

import re
from fractions import Fraction as F

import numpy as np
import pytest

from society import load
from society.core.batching import batch_by_steps
from society.core.errors import BadInput
from society.core.seeds import Noise
from society.mechanisms import crowds, get
from society.mechanisms.formula import Formula
from society.testing import check_same_batch

BRAESS = {"0-1": "2 + 6 x/c", "2-3": "2 + 6f/c", "0-2": 10, "1-3": "10", "1-2": 1}


@pytest.mark.parametrize(
    ("text", "flow", "everybody", "minutes"),
    [
        ("2+6*f/c", 4, 10, F(22, 5)),
        ("2 + 6 x/c", 10, 10, 8),
        ("10x", 3, 6, 30),
        ("x + 50", 3, 6, 53),
        ("x^2 + 2x + 1", 3, 6, 16),
        ("2(x + 1)(x - 1)", 3, 6, 16),
        ("0.5 flow ** 3", 2, 6, 4),
        ("12/(5 - x)", 2, 6, 4),
        ("1 - 2 - 3 + 10", 0, 1, 6),
        ("8/4/2", 0, 1, 1),
        ("2 x^2", 3, 6, 18),
    ],
)
def test_a_formula_means_what_it_says(text, flow, everybody, minutes):
    assert Formula(text).minutes(F(flow), F(everybody)) == minutes


def test_agents_read_a_formula_with_users_and_numbers():
    assert Formula("2+6f/c").words(F(10)) == "2 + 6 * users / 10"
    assert Formula("2(x+1)x^2").words(F(3)) == "2 * (users + 1) * users^2"


@pytest.mark.parametrize(
    "edges",
    [BRAESS, [f"{name}: {time}" for name, time in BRAESS.items()], [(*n.split("-"), t) for n, t in BRAESS.items()]],
    ids=["map", "text", "triples"],
)
def test_a_network_can_be_written_in_short_in_three_ways(edges):
    game = get("congestion", agents=10, edges=edges, trips="0-3")
    assert game.ruler.optimum.value == F(-746, 5)
    assert game.ruler.worst_equilibrium.value == -170
    assert get("congestion", agents=10, edges=edges, trips="0-3", closed="1-2").ruler.worst_equilibrium.value == -150


@pytest.mark.parametrize(
    ("latency", "said"),
    [
        ("2+6g/c", "'2+6g/c', character 4: unknown name 'g'; use x"),
        ("2+", "'2+', character 3: expected a number, x, c or a bracket, but the formula ends"),
        ("(2+x", "character 5: expected a closing bracket"),
        ("2 x)", "character 4: expected an operator such as + or *, not ')'"),
        ("x^-1", "character 3: expected a whole power of at most 10, not '-'"),
        ("x^99", "at most 10, not '99'"),
        ("2 $ x", "character 3: '$' has no meaning here"),
        ("1/(2-x)", "edge s-t: '1/(2-x)' divides by zero at a flow of 2"),
        ("x-5", "edge s-t takes -5 minutes with 0 agents on it"),
        ("1" * 300, "at most 200 are read"),
        ({"kind": "lin"}, "edges.0.latency: no latency of kind 'lin'; did you mean 'linear'?"),
    ],
    ids=lambda x: str(x)[:20],
)
def test_a_formula_that_cannot_be_read_is_told_to_the_character(latency, said):
    with pytest.raises(BadInput, match=re.escape(said)):
        get("congestion", agents=3, edges={"s-t": latency}, trips="s-t")


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"edges": {"st": 1}}, "'st' names no two nodes"),
        ({"edges": ["s-t"]}, "'s-t' is no edge; write its nodes and its minutes"),
        ({"edges": {"s-t": 1}, "trips": "t-s"}, "no open route leads from t to s"),
        ({"closed": "1-22"}, "no edge '1-22' to close; did you mean '1-2'?"),
    ],
    ids=lambda x: str(x)[:30],
)
def test_a_network_that_makes_no_sense_is_explained(parameters, said):
    with pytest.raises(BadInput, match=re.escape(said)):
        get("congestion", agents=2, **{"trips": "s-t", **parameters} if "edges" in parameters else parameters)


def test_a_scenario_file_takes_the_short_form_and_names_the_field_of_a_wrong_formula(tmp_path):
    text = "name: own\nrounds: 1\nmechanism:\n  kind: congestion\n  edges: {0-1: 2 + 6 x/c, 1-3: 10.5}\n  trips: 0-3\nagents: 3\n"
    (tmp_path / "own.yaml").write_text(text)
    mechanism = load(tmp_path / "own.yaml").mechanism
    assert [edge.name for edge in mechanism.edges] == ["0-1", "1-3"]
    assert type(mechanism).model_validate_json(mechanism.model_dump_json()) == mechanism
    (tmp_path / "own.yaml").write_text(text.replace("6 x/c", "6 y/c"))
    with pytest.raises(BadInput, match=r"own.yaml:5:3: mechanism.edges.0.latency: .*character 7: unknown name 'y'"):
        load(tmp_path / "own.yaml")


TOWNS = [
    {},
    {"agents": 1, "preset": "pigou"},
    {"agents": 4, "preset": "double_braess", "trips": ["0-3", "A-B", "A-B", "0-3"], "closed": "1-2"},
    {"agents": 3, "edges": {"0-1": "x^2/7"}, "trips": "0-1", "flow": "1/2"},
    {"agents": 2, "edges": {"0-1": "10^10 * 10^10 + x", "0-2": 1, "2-1": "10^10 * 10^10"}, "trips": "0-1"},
]


@pytest.mark.parametrize("most", [20_000, 0], ids=["from a table of crowds", "without a table"])
@pytest.mark.parametrize("town", TOWNS, ids=str)
def test_many_profiles_at_once_take_the_minutes_they_take_one_by_one(town, most, monkeypatch):
    monkeypatch.setattr(crowds, "MOST_CROWDS", most)
    game = get("congestion", **town).mechanism
    here, dice = game.initial_state(), np.random.default_rng(1)
    picks = [dice.integers(0, len(game.space(here, seat).options), 50) for seat in range(game.agents)]
    rows = np.stack(picks, axis=1)
    check_same_batch(here, game.batch(here, rows, Noise(0)), batch_by_steps(game, here, rows, Noise(0)), "congestion")
