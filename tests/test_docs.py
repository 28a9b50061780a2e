"""The code in the documents runs, and what they cite exists."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
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
