"""Playing from the command line: what is printed, what is logged, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from society.cli import main

ROOT = Path(__file__).parent.parent
PLAIN = "name: plain\nmechanism: common_pool\nagents: 3\nrounds: 2\nmodels: {default: mock:sustainable}\n"


@pytest.fixture
def society(tmp_path, monkeypatch, capsys):
    """Runs a command in a folder with one plain scenario; gives its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain.yaml").write_text(PLAIN)

    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return run


def rows(tmp_path, question):
    with sqlite3.connect(tmp_path / "logs" / "society.db") as database:
        return database.execute(question).fetchall()


def test_a_run_is_told_and_logged(society, tmp_path):
    code, out, err = society("run", "plain.yaml")
    assert code == 0
    assert "ROUND 1" in out and "Ann: take 16 units" in out
    assert "is completed" in out and "total_welfare" in out and "surprise" in out
    assert "next: society transcript" in err
    assert rows(tmp_path, "SELECT scenario, seed, status, rounds_played FROM run") == [("plain", 1, "completed", 2)]
    assert rows(tmp_path, "SELECT count(*) FROM intent_outcome") == [(6,)]


def test_every_model_and_seed_is_a_run(society, tmp_path):
    code, out, _ = society(
        "run", "plain.yaml", "-m", "mock:greedy", "-m", "mock:liar", "--seeds", "0-1", "--parallel", 4, "--json"
    )
    assert code == 0
    played = json.loads(out)
    assert [(p["model"], p["seed"], p["status"]) for p in played] == [
        ("mock:greedy", 0, "completed"), ("mock:greedy", 1, "completed"),
        ("mock:liar", 0, "completed"), ("mock:liar", 1, "completed"),
    ]  # fmt: skip
    assert played[0]["metrics"]["survival"]["value"] == 1
    assert len(rows(tmp_path, "SELECT id FROM run")) == 4


def test_a_value_set_on_the_command_line_is_played_and_logged(society, tmp_path):
    assert society("run", "plain.yaml", "--set", "mechanism.capacity=40", "--rounds", 1, "-q")[0] == 0
    assert rows(tmp_path, "SELECT stock_before, round FROM outcome") == [(40, 1)]


def test_nothing_but_results_reaches_stdout(society):
    code, out, err = society("run", "plain.yaml", "--json")
    assert code == 0 and err == ""
    json.loads(out)
    code, out, err = society("run", "plain.yaml", "--quiet")
    assert code == 0 and err == "" and len(out.splitlines()) == 3


def test_a_dry_run_tells_the_calls_and_makes_none(society, tmp_path):
    code, out, _ = society("run", "plain.yaml", "--dry-run", "--json", "--seeds", "0-1", "-m", "openai:some-model")
    assert code == 0
    told = json.loads(out)
    assert [(row["calls"], row["usd"]) for row in told] == [(2 * 3 * 3, None)] * 2
    assert told[0]["tokens_in"] > 1000
    assert not (tmp_path / "logs").exists()


def test_a_dry_run_expects_the_calls_that_are_then_made(society, tmp_path):
    _, out, _ = society("run", "plain.yaml", "--dry-run", "--json", "--rounds", 14)
    (told,) = json.loads(out)
    society("run", "plain.yaml", "--rounds", 14, "-q")
    ((made,),) = rows(tmp_path, "SELECT calls FROM run")
    assert told["calls"] == made


def test_a_dry_run_counts_money_where_the_price_is_known(society, tmp_path):
    (tmp_path / "society.toml").write_text('[prices."openai:some-model"]\ninput = 1\noutput = 10\n')
    _, out, _ = society("run", "plain.yaml", "--dry-run", "--json", "-m", "openai:some-model")
    (told,) = json.loads(out)
    assert told["usd"] == pytest.approx((told["tokens_in"] + 10 * told["tokens_out"]) / 1e6)
    assert told["usd_at_most"] == pytest.approx((told["tokens_in"] + 10 * told["at_most_out"]) / 1e6)


@pytest.mark.parametrize(
    ("condition", "code"),
    [("survival<2", 3), ("survival<=1", 3), ("survival<1", 0), ("gini>0.5", 0), ("price_of_stability<9", 0)],
)
def test_a_condition_on_a_metric_is_exit_code_3(society, condition, code):
    assert society("run", "plain.yaml", "-m", "mock:greedy", "--fail-on", condition)[0] == code


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["plain.yaml", "--fail-on", "survival"], "expected METRIC<X"),
        (["plain.yaml", "--fail-on", "survivl<3"], "did you mean 'survival'"),
        (["plain.yaml", "--seeds", "9-1"], "runs backwards"),
        (["plain.yaml", "-m", "mock:gredy"], "did you mean 'mock:greedy'"),
        (["plain.yaml", "--rounds", "0"], "--rounds"),
        (["plain.yaml", "--rounds", "99999"], "must be at most 10000"),
        (["plain.yaml", "--set", "agents.0.policy=gredy"], "did you mean 'greedy'"),
        (["plain.yaml", "--log", "mysql://x"], "not 'mysql'"),
        (["nothing.yaml"], "there is no scenario 'nothing.yaml'"),
    ],
)
def test_what_cannot_be_played_is_exit_code_2_before_anything_is_played(society, tmp_path, arguments, words):
    code, out, err = society("run", *arguments)
    assert (code, out) == (2, "")
    assert words in " ".join(err.split())


def test_a_run_of_unreadable_answers_is_invalid_and_exit_code_1(society):
    code, out, _ = society("run", "plain.yaml", "-m", "mock:malformed")
    assert code == 1 and "invalid after 2 rounds" in out


def test_a_missing_key_is_exit_code_5_and_says_what_to_set(society):
    code, _, err = society("run", "plain.yaml", "-m", "openai:some-model", "--seeds", "0-3")
    assert code == 5
    assert "OPENAI_API_KEY" in err


def test_a_spent_budget_is_exit_code_4_and_resumable(society, tmp_path):
    code, _, err = society("run", "plain.yaml", "--set", "budget.tokens=3000", "--set", "rounds=9")
    assert code == 4, err
    assert rows(tmp_path, "SELECT status FROM run") == [("paused",)]
    assert "society resume" in err
    assert society("resume")[0] == 4
    assert society("resume", "--tokens", "1000000", "-q")[0] == 0
    assert rows(tmp_path, "SELECT status, rounds_played FROM run") == [("completed", 9)]
    assert society("resume", "--usd", "x")[0] == 2


def test_runs_transcript_metrics_and_align_read_what_was_played(society):
    society("run", "plain.yaml", "-q")
    assert "completed" in society("runs")[1]
    assert "ROUND 2" in society("transcript", "--round", "2")[1]
    assert "CALL  round 1, talk, Ann: mock:sustainable" in society("transcript", "last", "--calls")[1]
    assert json.loads(society("transcript", "--json")[1])["scenario"] == "plain"
    assert "total_welfare" in society("metrics")[1]
    assert json.loads(society("align", "--json")[1])["agents"] == ["Ann", "Bo", "Cy"]
    assert "surprise" in society("align", "--agent", "Ann", "--rounds")[1]
    assert society("align", "--agent", "Anna")[0] == 2
    assert "EFFECTIVE" in society("coalitions")[1]
    assert json.loads(society("coalitions", "--json", "--every-group")[1])["names"] == ["Ann", "Bo", "Cy"]
    assert society("transcript", "--stage", "tlk")[0] == 2
    code, _, err = society("resume")
    assert code == 2 and "nothing to go on with" in err


def test_the_log_named_in_the_environment_is_used(society, tmp_path, monkeypatch):
    monkeypatch.setenv("SOCIETY_LOG", str(tmp_path / "mine.db"))
    monkeypatch.setenv("SOCIETY_MODEL", "mock:greedy")
    assert society("run", "plain.yaml", "-q")[0] == 0
    assert "mock:greedy" in society("runs")[1]
    assert (tmp_path / "mine.db").exists()


SLOW = (
    PLAIN.replace("mock:sustainable", "mock:random")
    .replace("rounds: 2", "rounds: 4000")
    .replace("common_pool", "public_goods")
)


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_a_run_that_can_be_resumed(tmp_path, sent, code):
    (tmp_path / "slow.yaml").write_text(SLOW)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "society", "run", "slow.yaml", "--quiet"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    _wait_for_a_round(tmp_path, process)
    process.send_signal(sent)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "Traceback" not in err and "society resume" in err
    ((status,),) = rows(tmp_path, "SELECT status FROM run")
    assert status == "interrupted"


def test_progress_shows_on_a_terminal(tmp_path):
    """A pseudo-terminal for stderr, a pipe for stdout: the drawing goes to the one, the results to the other."""
    (tmp_path / "plain.yaml").write_text(PLAIN.replace("rounds: 2", "rounds: 60"))
    leader, follower = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120"}
    command = [sys.executable, "-m", "society", "run", "plain.yaml", "--seeds", "0-1", "--parallel", "2"]
    process = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=follower)
    os.close(follower)
    drawn = b""
    with suppress(OSError):  # the terminal closes with the process
        while part := os.read(leader, 65536):
            drawn += part
    out, _ = process.communicate(timeout=60)
    os.close(leader)
    assert process.returncode == 0
    assert b"\x1b" not in out and out.count(b"completed") == 2
    assert re.search(rb"plain mock:sustainable seed 1 +round \d+/60 +\w+", drawn)
    assert drawn.rstrip().count(b"\x1b[?25h") == 1, "the cursor is shown again"


def shown_at_a_terminal(tmp_path, *command, **env):
    """What a person sees of a command on a terminal of 24 lines."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100", "LINES": "24", **env}
    process = subprocess.Popen(
        [sys.executable, "-m", "society", *command], cwd=tmp_path, env=environment, stdout=follower, stderr=follower
    )
    os.close(follower)
    seen = b""
    with suppress(OSError):  # the terminal closes with the process
        while part := os.read(leader, 65536):
            seen += part
    os.close(leader)
    assert process.wait(timeout=60) == 0, seen
    return seen.decode().replace("\r\n", "\n")


def test_a_long_transcript_is_turned_page_by_page_and_a_short_one_is_not(tmp_path):
    (tmp_path / "plain.yaml").write_text(PLAIN)
    shown_at_a_terminal(tmp_path, "run", "plain.yaml", "--quiet")
    pager = {"PAGER": "sed 's/^/turned: /'", "NO_COLOR": "1"}
    turned = shown_at_a_terminal(tmp_path, "transcript", "last", **pager).splitlines()
    plain = shown_at_a_terminal(tmp_path, "transcript", "last", "--no-pager", **pager).splitlines()
    assert len(plain) > 24
    assert turned == [f"turned: {line}" for line in plain]
    short = shown_at_a_terminal(tmp_path, "transcript", "last", "--stage", "act", "--round", "1", **pager)
    assert "turned" not in short and "Bo: take" in short


def _wait_for_a_round(tmp_path, process):
    """Until the first round is in the log; the log itself is what tells."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit and process.poll() is None:
        try:
            if rows(tmp_path, "SELECT count(*) FROM outcome")[0][0]:
                return
        except sqlite3.OperationalError:
            continue
    raise AssertionError("no round was logged in a minute")


def at_the_terminal(tmp_path, typed):
    (tmp_path / "plain.yaml").write_text(PLAIN)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "society", "play", "plain.yaml", "--as", "Bo", "--rounds", "1"]
    return subprocess.run(
        command, cwd=tmp_path, env=env, input=typed, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_person_can_take_a_seat(tmp_path):
    done = at_the_terminal(tmp_path, "Good morning.\n16\nmany\n20\n")
    assert done.returncode == 0, done.stderr
    question = "SELECT meant, submitted, action_status, announced, model FROM intent_outcome WHERE agent = 'Bo'"
    assert rows(tmp_path, question) == [(16, 20, "retried", "Good morning.", "human")]


def test_a_person_who_leaves_pauses_the_run(tmp_path):
    left = at_the_terminal(tmp_path, "Good morning.\n")
    assert left.returncode == 4 and "has left" in left.stderr


def test_an_interrupt_is_heard_while_a_person_is_asked(tmp_path):
    (tmp_path / "plain.yaml").write_text(PLAIN)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "society", "play", "plain.yaml", "--as", "Ann"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    seen = b""
    while not seen.endswith(b"> "):
        seen += process.stdout.read1(4096)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130 and b"Traceback" not in err


def test_the_log_of_a_run_holds_its_alignment_and_still_verifies(society, tmp_path):
    assert society("run", "plain.yaml", "-m", "mock:liar")[0] == 0
    for table in ("stage_value", "gap_term", "surprise_share"):
        ((count,),) = rows(tmp_path, f"SELECT COUNT(*) FROM {table}")
        assert count > 0
    assert society("verify")[0] == 0
    assert society("replay")[0] == 0


def test_a_changed_byte_is_exit_code_6(society, tmp_path):
    society("run", "plain.yaml", "-m", "mock:liar")
    with sqlite3.connect(tmp_path / "logs" / "society.db") as connection:
        connection.execute("UPDATE payoff SET payoff = payoff + 1 WHERE round = 1 AND agent = 0")
    connection.close()
    code, _, errors = society("verify")
    assert code == 6
    assert "payoff" in errors
