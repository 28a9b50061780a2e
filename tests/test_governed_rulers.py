"""What is possible under a scenario's instruments is shown beside what is possible without them."""

from __future__ import annotations

import json

import pytest

from society import load
from society.cli import main
from society.scenario.load import loads
from society.views.governed_rulers import governed_rows

PAIR = {"name": "pair", "mechanism": {"kind": "matrix_game", "preset": "prisoners_dilemma"}, "agents": [{"count": 2}]}


def rows_of(*rules, **scenario):
    return {row["ruler"]: row for row in governed_rows(loads(json.dumps({**PAIR, **scenario, "instruments": rules})))}


def test_the_tax_of_63_8_makes_36_tokens_the_equilibrium_which_is_the_most_for_all_before_it_is_paid():
    rows = {row["ruler"]: row for row in governed_rows(load("taxed_commons"))}
    for which in ("worst", "best"):
        row = rows[f"{which} pure equilibrium, all together"]
        assert sorted(row["reached by"].split(", ")) == ["4"] * 4 + ["5"] * 4
        assert row["how"].startswith("1324 before transfers; 36 in all") and row["value"] == 1324 - 36 * 63 / 8


@pytest.mark.parametrize(
    ("penalty", "least", "most"), [("1/2", 2, 2), (1, 2, 5), ("3/2", 5, 5), (2, 5, 6), (3, 6, 6)], ids=str
)
def test_a_contract_moves_the_equilibria_of_the_prisoners_dilemma_at_the_penalties_of_the_table(penalty, least, most):
    rows = rows_of({"kind": "contract", "imposed": "C", "imposed_penalty": penalty, "sense": "exactly"})
    reached = [rows[f"{which} pure equilibrium, all together"]["value"] for which in ("worst", "best")]
    assert reached == [least, most]


def test_a_mediator_makes_cooperation_an_equilibrium_and_mutual_defection_remains_one():
    rows = rows_of({"kind": "mediator", "plan": [[1, "D"], [2, "C"]]})
    best, worst = (rows[f"{which} pure equilibrium, all together"] for which in ("best", "worst"))
    assert (best["value"], best["reached by"]) == (6, "delegate, delegate") and worst["value"] == 2


def test_rules_that_wait_for_a_vote_are_not_in_force_yet():
    waiting = rows_of({"kind": "restriction", "forbidden": ["D"], "in_force": False})
    assert waiting["best pure equilibrium, all together"]["reached by"] == "D, D"
    assert governed_rows(load("fishery")) == []


def test_show_tells_both(capsys):
    assert main(["show", "scenario", "prisoners_dilemma"]) == 0
    assert "under the instruments" not in capsys.readouterr().out
    assert main(["show", "scenario", "written_promises", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {row["ruler"] for row in told["rulers_under_instruments"]} >= {"most for all in round 1"}
