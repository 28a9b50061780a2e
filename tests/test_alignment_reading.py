"""What a reader is told of an alignment: tables, waterfalls, words, SQL and JSON; the same live, later and in another process."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import society
from society.analysis import align
from society.cli import main
from society.core.exact import from_plain
from society.views.alignment import alignment_text
from society.views.alignment_json import alignment_json
from society.views.waterfall import Fall, waterfall_lines

ROOT = Path(__file__).parent.parent
LAKE = """
name: lake
rounds: 3
mechanism: {kind: common_pool}
theme: {resource: fish, act: catch}
agents:
  - {name: Ann}
  - {name: Ben, goal: {kind: group_welfare}}
  - {name: Cy, principal_goal: {kind: group_welfare}}
stages: {talk: {announce: true}}
"""


@pytest.fixture
def played(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lake.yaml").write_text(LAKE)

    def play(model, *changes):
        scenario = society.load(tmp_path / "lake.yaml", changes)
        return society.play_sync(scenario, model=model, seed=1)

    return play


def test_a_reader_sees_who_lost_what_to_whom_and_what_not_to_conclude(played):
    text = alignment_text(played("mock:liar").alignment)
    heading, where = text.split("\n")[:2]
    assert heading.startswith("lake · seed 1 · ")
    assert (
        where
        == "1 of 3 rounds; mode continuation (what can still be had is valued at its optimum); all ceilings are exact"
    )
    assert "By each agent's own goal, in fish: best - what was lost = what happened" in text
    assert "By the group's welfare, in fish" in text
    assert "By what its principal wants, in fish" in text
    assert re.search(r"^Ben +group welfare +200 ", text, re.MULTILINE)
    assert "Who surprised whom" in text
    assert "Said to everybody, meant in private, done" in text
    assert "In the eyes of Cy's principal" in " ".join(text.split())
    flat = " ".join(text.split())
    assert "kept it never" in flat and "selfish once" in flat
    assert "The order matters here" in flat
    assert text.rstrip().split("\n\n")[-1].startswith("What not to conclude: ")


def test_agents_with_equal_numbers_share_a_line_and_a_sentence(played):
    found = played("mock:conditional", "agents=4").alignment
    text = alignment_text(found)
    lines = [line for line in text.split("\n") if line.startswith("each agent")]
    assert len(lines) >= 3  # under both yardsticks, and a waterfall
    assert found.text().count("between the best its goal could get") == 1
    assert "Nobody lost or gained anything by another's not doing what it had predicted." in text


def test_one_agent_can_be_looked_at(played):
    found = played("mock:random").alignment
    text = alignment_text(found, agent=1, rounds=True)
    table = text.split("Round by round")[1].split("\n\n")[0]
    assert set(re.findall(r"^(Ann|Ben|Cy)\b", table, re.MULTILINE)) == {"Ben"}
    assert text.count("best possible") == 1


def test_every_line_of_the_tables_adds_up(played):
    for model in ("mock:liar", "mock:random", "mock:greedy"):
        found = played(model).alignment
        for yardstick in found.yardsticks:
            for seat in range(found.agents):
                if found.of(seat, yardstick):
                    whole = found.episode(seat, yardstick)
                    assert whole.best - sum(whole.terms.values()) == whole.happened
                    assert whole.happened == whole.earned + whole.left_open


@pytest.mark.parametrize(("change", "words"), [
    ("stages.declare=off", "nothing can be attributed without predictions"),
    ("stages.declare.predict=total", "Totals were predicted and are shared equally among the others"),
    ("rounds=1", "1 finished round, mode continuation"),
])  # fmt: skip
def test_what_was_assumed_is_said(played, change, words):
    assert words in played("mock:liar", change).alignment.text()


def test_a_waterfall_has_a_bar_for_everything_on_the_way():
    fall = Fall("Ann", ("best", 20), [("lost", -10), ("gained", 5), ("nothing", 0)], ("happened", 15))
    assert waterfall_lines(fall, columns=20) == [
        "Ann",
        "  best       20  ████████████████████",
        "  lost      -10            ▒▒▒▒▒▒▒▒▒▒",
        "  gained     +5            ░░░░░",
        "  nothing     0",
        "  happened   15  ███████████████",
    ]


def test_a_waterfall_below_zero_and_one_of_nothing():
    below = waterfall_lines(Fall("Bo", ("best", 0), [("lost", -8)], ("happened", -8)), columns=8)
    assert below[2:] == ["  lost      -8  ▒▒▒▒▒▒▒▒", "  happened  -8  ████████"]
    assert waterfall_lines(Fall("Cy", ("best", 0), [("lost", 0)], ("happened", 0)))[1:] == [
        "  best      0", "  lost      0", "  happened  0",
    ]  # fmt: skip


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lake.yaml").write_text(LAKE)

    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return run


def test_the_printed_sql_gives_the_printed_numbers(command, tmp_path):
    command("run", "lake.yaml", "--model", "mock:random", "--quiet")
    found = json.loads(command("align", "--json")[1])
    code, sql, _ = command("align", "--sql")
    assert code == 0
    terms, shares = [part for part in sql.split(";") if part.strip()]
    with sqlite3.connect(tmp_path / "logs" / "society.db") as database:
        asked = database.execute(terms).fetchall()
        surprised = database.execute(shares).fetchall()
    told = {(gap["agent"], gap["yardstick"]): gap for gap in found["episode"]}
    assert {(agent, yardstick) for agent, yardstick, *_ in asked} == set(told)
    for agent, yardstick, mode, term, _, exact, _ in asked:
        gap = told[agent, yardstick]
        assert mode == gap["mode"]
        assert from_plain(exact) == from_plain(gap["slack"] if term == "slack" else gap["terms"][term])
    names = found["agents"]
    for agent, cause, share in surprised:
        cell = found["surprised_by"][names.index(agent)][names.index(cause)]
        assert share == pytest.approx(float(from_plain(cell)))


def test_another_process_gives_the_same_numbers_from_the_log_alone(played, tmp_path):
    live = alignment_json(played("mock:random").alignment)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "society", "align", "--json"],
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == json.loads(json.dumps(live))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--mode", "continuaton"), "did you mean 'continuation'?"),
        (("--luck", "some"), "expected a number of lucks"),
        (("--luck", "1"), "expected a number of lucks"),
        (("--sql", "--mode", "myopic"), "leave out --mode"),
        (("--agent", "Anna"), "no agent 'Anna'"),
    ],
)
def test_wrong_options_are_told(command, arguments, words):
    command("run", "lake.yaml", "--model", "mock:sustainable", "--quiet")
    code, _, err = command("align", *arguments)
    assert code == 2
    assert words in err


def test_modes_and_luck_from_the_command_line(command):
    command("run", "lake.yaml", "--model", "mock:liar", "--quiet")
    assert "sums of myopic terms are no statement" in " ".join(command("align", "--mode", "myopic")[1].split())
    assert "luck: lost to the luck of the rounds" in command("align", "--luck", "4")[1]
    episode = json.loads(command("align", "--json", "--luck", "4")[1])["episode"]
    assert all("luck" in gap["terms"] for gap in episode)


def test_it_shows_itself_in_a_notebook_and_as_frames(played):
    found = played("mock:liar").alignment
    page = found._repr_html_()
    assert page.count("<table") == 2
    assert "lost: surprise" in page and "exact" in page and "What not to conclude" in page
    words = found.to_frame("public_word")
    assert set(words["kind"]) == {"selfish"}
    assert set(found.to_frame("accuracy").columns) >= {"absolute", "brier", "crps"}
    assert found.to_frame("surprise_share")["value"].sum() == pytest.approx(
        sum(float(cell) for row in found.matrix() for cell in row if cell is not None)
        + sum(
            float(cell) for y in ("welfare", "principal") for row in found.matrix(y) for cell in row if cell is not None
        )
    )


def test_the_same_log_gives_the_same_alignment_again(played):
    run = played("mock:random")
    assert run.alignment.rows() == align(run.episode).rows()
