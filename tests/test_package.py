"""A built wheel carries all it needs, and plays a shipped scenario from an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_carries_every_prompt_and_scenario(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    for room in ("prompts", "scenarios"):
        shipped = [p.relative_to(ROOT / room) for p in (ROOT / room).rglob("*") if p.is_file()]
        missing = [path for path in shipped if f"society/_data/{room}/{path.as_posix()}" not in inside]
        assert shipped
        assert not missing


def test_the_wheel_carries_every_step_from_one_layout_of_the_log_to_the_next(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    steps = [path.name for path in (ROOT / "society/log/migrations/versions").glob("layout_*.py")]
    assert len(steps) >= 2 and {f"society/log/migrations/versions/{name}" for name in steps} <= inside


def test_an_installed_wheel_plays_a_shipped_scenario_from_an_empty_folder(wheel, tmp_path):
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    zipfile.ZipFile(wheel).extractall(site)
    environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-m", "society", "run", "fishery", "--model", "mock:sustainable", "--json"]
    done = subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (run,) = json.loads(done.stdout)
    assert run["status"] == "completed"
    assert (empty / "logs" / "society.db").exists()
    where = [sys.executable, "-c", "import society; print(society.__file__)"]
    used = subprocess.run(where, cwd=empty, env=environment, capture_output=True, text=True, check=True)
    assert used.stdout.startswith(str(site))
