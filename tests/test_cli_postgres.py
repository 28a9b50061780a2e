"""Every command says of a log in PostgreSQL what it says of the copy in a file, and writes into either."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import fresh_database, running_server, why_not

from society import fork, loads, play
from society.cli import main
from society.core.errors import Paused
from society.log import open_log
from society.log.copying import copy_runs
from society.playing import replay, resume
from society.scenario.model import Budget

pytestmark = [pytest.mark.postgres, pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is one")]
LAKE = """
name: lake
rounds: 2
seeds: [7]
mechanism: {kind: common_pool, capacity: 60}
agents: [{name: Ann}, {name: Ben}, {name: Cy, policy: {kind: scripted, rule: sequence, actions: [5]}}]
models: {default: "mock:liar"}
instruments: [{kind: quota, amount: 8, enforcement: soft, detection: 0.5, fine: 4}]
"""
SWEEP = """
name: small
scenarios: [lake.yaml]
seeds: 0-2
axes: {models.default: ["mock:greedy", "mock:conditional"]}
metrics: [total_welfare]
"""
READING = (
    ["runs"],
    ["transcript", "last"],
    ["align", "last"],
    ["coalitions", "last"],
    ["metrics", "last"],
    ["cost", "--by", "cell", "--by", "agent", "--by", "stage"],
    ["compare", "models.default=mock:greedy", "models.default=mock:conditional"],
    ["sweep", "small.yaml", "--table"],
    ["sweep", "small.yaml", "--dry-run"],
    ["whatif", "last", "--round", "1", "--act", "Ann=3"],
    ["replay", "last"],
    ["verify"],
)
"""Every command that only reads; `view` and `export` write places and have tests of their own."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_server() as url:
        yield url


@pytest.fixture(scope="module")
def logs(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A log in PostgreSQL, written by commands, and its copy in a file."""
    folder = tmp_path_factory.mktemp("both")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("lake.yaml").write_text(LAKE)
        Path("small.yaml").write_text(SWEEP)
        url, file = fresh_database(server, "whole"), str(folder / "copy.db")
        assert main(["sweep", "small.yaml", "--log", url, "--workers", "1", "--quiet"]) == 0
        assert main(["run", "lake.yaml", "--log", url, "--quiet"]) == 0
        assert main(["align", "last", "--log", url]) == 0
        assert main(["db", "copy", url, file, "--quiet"]) == 0
        yield url, file


@pytest.mark.parametrize("words", READING, ids=lambda words: words[0])
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["words", "json"])
def test_a_command_says_the_same_of_both(logs: tuple[str, str], words: list[str], form: list[str], capsys) -> None:
    told = []
    for log in logs:
        capsys.readouterr()
        code = main([*words, *form, "--log", log])
        told.append((code, capsys.readouterr().out.replace(log, "LOG")))
    assert told[0] == told[1]
    assert told[0][0] == 0 and told[0][1].strip()


def test_what_is_exported_is_the_same(logs: tuple[str, str], tmp_path: Path) -> None:
    for name, log in zip(("there", "here"), logs, strict=True):
        assert main(["export", "last", "--to", str(tmp_path / name), "--format", "csv", "--log", log]) == 0
    there, here = (
        {path.name: path.read_bytes() for path in (tmp_path / name).rglob("*.csv") if path.name != "derived.csv"}
        for name in ("there", "here")
    )
    assert (
        there == here and len(there) > 10
    )  # `align` may have computed the same later in one of them, as `derived` tells


def test_runs_forks_and_resumed_runs_go_into_either(server: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lake.yaml").write_text(LAKE)
    Path("bounded.yaml").write_text(LAKE.replace("name: lake", "name: bounded") + "budget: {tokens: 2500}\n")
    runs = []
    for log in (fresh_database(server, "written"), "written.db"):
        assert main(["run", "lake.yaml", "--log", log, "--quiet"]) == 0
        assert main(["fork", "last", "--round", "1", "--set", "mechanism.capacity=50", "--log", log, "--quiet"]) == 0
        assert main(["run", "bounded.yaml", "--log", log, "--quiet"]) == 4
        assert main(["resume", "--tokens", "1000000", "--log", log, "--quiet"]) == 0
        with open_log(log) as book:
            assert book.verify().faults == ()
            runs.append(sorted((run.scenario, run.status, run.fork_round or 0, run.head) for run in book.runs()))
    assert runs[0] == runs[1]
    assert len(runs[0]) == 3


async def test_forks_of_forks_and_what_was_left_of_them_have_the_same_heads_in_either_and_in_their_copies(
    server: str, tmp_path: Path
) -> None:
    heads = []
    for here, there in ((fresh_database(server, "tree"), "copy.db"), ("tree.db", fresh_database(server, "copy"))):
        source = here if "://" in here else str(tmp_path / here)
        target = there if "://" in there else str(tmp_path / there)
        with open_log(source) as log, open_log(target) as copy:
            base = await play(loads(LAKE, ["rounds=4", "mechanism.capacity=500"]), model="mock:sustainable", log=log)
            first = await fork(base.id, round=1, overrides=["mechanism.capacity=400"], log=log)
            second = await fork(first.id, round=2, seed=9, log=log)
            with pytest.raises(Paused):
                await fork(first.id, round=1, model="mock:conditional", overrides=["budget.tokens=3000"], log=log)
            left = log.find("last").id
            copy_runs(log, copy)
            for book in (log, copy):
                await resume(left, log=book, budget=Budget())
                found = [book.find(run).head for run in (base.id, first.id, second.id, left)]
                assert book.verify().faults == ()
                assert [(await replay(run, log=book)).head for run in (base.id, first.id, second.id, left)] == found
                heads.append(found)
    assert heads[0] == heads[1] == heads[2] == heads[3] and len(set(heads[0])) == 4
