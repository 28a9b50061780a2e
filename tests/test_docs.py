"""The code in the documents runs, and what they cite exists."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from society import load, loads, play_sync
from society.sweep.file import load_sweep
from society.sweep.grid import cells

ROOT = Path(__file__).parent.parent
PAGES = sorted(path.name for path in ROOT.glob("*.md")) + sorted(
    str(p.relative_to(ROOT)) for p in ROOT.glob("docs/*.md")
)

QUESTIONS_PAGE = "docs/questions.md"
"""Its questions want a richer log, and have tests of their own."""


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")])
def test_the_python_on_a_page_runs_from_top_to_bottom(page, tmp_path):
    """In a process of its own, since what a page defines would be found by the registries of this one."""
    code = tmp_path / "page.py"
    code.write_text("\n".join(blocks(page, "python")))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    run = subprocess.run(
        [sys.executable, code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("page", PAGES)
def test_links_to_files_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / page).read_text())
    missing = [target for target in targets if not (ROOT / page).parent.joinpath(target).exists()]
    assert not missing


def test_every_cited_source_is_in_the_references():
    known = set(re.findall(r"^@\w+\{(\w+),", (ROOT / "references.bib").read_text(), re.MULTILINE))
    cited: dict[str, str] = {}
    for path in [*ROOT.glob("society/**/*.py"), *ROOT.glob("docs/*.md"), *ROOT.glob("*.md")]:
        for key in re.findall(r"\[([A-Z]\w+\d{4}\w?)\]_", path.read_text()):
            cited[key] = path.name
    missing = {key: where for key, where in cited.items() if key not in known}
    assert not missing


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "yaml")])
def test_the_scenarios_and_sweeps_on_a_page_load(page, tmp_path):
    for block in blocks(page, "yaml"):
        if "axes:" in block:
            file = tmp_path / "sweep.yaml"
            file.write_text(block)
            assert len(cells(load_sweep(file))) > 1
        else:
            assert loads(block).names


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "sql") and page != QUESTIONS_PAGE])
def test_the_questions_on_a_page_have_answers(page, tmp_path):
    url = f"sqlite:///{tmp_path / 'society.db'}"
    play_sync(load("fishery"), model="mock:conditional", log=url)
    for block in blocks(page, "sql"):
        with sqlite3.connect(tmp_path / "society.db") as connection:
            assert connection.execute(block).fetchall()
        connection.close()


def test_a_mechanism_and_an_instrument_of_another_package_are_played_as_the_page_says(tmp_path):
    """Each example of the page stands in a file of its own, an installed package names them, and a template words one."""
    game, toll = (
        next(b for b in blocks("CONTRIBUTING.md", "python") if name in b) for name in ("class Beauty", "class Toll")
    )
    (tmp_path / "lake_games.py").write_text(game)
    (tmp_path / "lake_tolls.py").write_text(toll)
    (groups,) = (b for b in blocks("CONTRIBUTING.md", "toml") if "society.mechanisms" in b)
    points = tomllib.loads(groups.replace("lake_games:Toll", "lake_tolls:Toll"))["project"]["entry-points"]
    told = tmp_path / "lake_games-1.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: lake-games\nVersion: 1\n")
    lines = (f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in named.items()) for group, named in points.items())
    (told / "entry_points.txt").write_text("\n".join(lines))
    (words,) = (b for b in blocks("CONTRIBUTING.md", "jinja") if "{{ rules.prize }}" in b)
    (tmp_path / "prompts" / "mechanisms").mkdir(parents=True)
    (tmp_path / "prompts" / "mechanisms" / "beauty_contest.j2").write_text(words)
    (tmp_path / "both.yaml").write_text(
        "name: both\nmechanism: {kind: beauty_contest, prize: 30}\nagents: [{count: 3}]\n"
        "instruments: [{kind: toll, amount: 2}]\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}

    def society(*words):
        run = subprocess.run(
            [sys.executable, "-m", "society", *words],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return run.returncode, run.stdout, run.stderr

    code, prompts, problem = society("show", "scenario", "both.yaml", "--prompts")
    assert code == 0, problem
    assert "two thirds of the mean gets 30 points" in prompts and "A rule called toll is in force: amount 2." in prompts
    assert society("check", "both.yaml")[0] == 0
    (tmp_path / "lake_tolls.py").write_text("import nothing_of_this_name\n")
    code, _, problem = society("show", "instrument", "toll")
    assert code == 2 and "the package 'lake-games' has an entry point toll = 'lake_tolls:Toll'" in problem
