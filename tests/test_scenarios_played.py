"""Every scenario that is shipped, played by every mock through prompts, replies and log."""

from fractions import Fraction
from pathlib import Path

import pytest

import society
from society.models.mock import PERSONALITIES

FILES = sorted((Path(__file__).parents[1] / "scenarios").glob("*.yaml"))
ROUNDS = 2


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shipped_scenario_plays_with_every_mock(file, tmp_path):
    whole = society.load(file)
    scenario = society.load(file, [f"rounds={min(ROUNDS, whole.rounds)}"])
    asked = sum(agent.policy.kind == "llm" for agent in scenario.agents)
    for name in sorted(PERSONALITIES):
        run = society.play_sync(scenario, model=f"mock:{name}", seed=1, log=f"sqlite:///{tmp_path}/{name}.db")
        decided = [action for played in run.episode.rounds for action in played.actions.values()]
        unread = sum(action.status == "defaulted" for action in decided)
        share = Fraction(asked, len(scenario.agents)) if name == "malformed" else 0
        assert unread == share * len(decided) and decided
        assert run.status == ("invalid" if share > scenario.on_failure.allowed_share else "completed")


CASTS = {
    "common_pool": ("sustainable", "greedy", "tit_for_tat", "best_reply"),
    "matrix_game": ("tit_for_tat", "win_stay_lose_shift", "grim"),
    "constitution": ("myopic_voter", "random"),
    "congestion": ("nash", "optimum", "random"),
}
"""Scripts of the literature that a mechanism's scenarios are played by; all others by those that every game has a use for."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shipped_scenario_plays_with_scripted_casts(file, tmp_path):
    whole = society.load(file)
    scripts = CASTS.get(whole.mechanism.kind, ("greedy", "nash", "best_reply", "random"))
    for script in scripts:
        seats = [f"agents.{seat}.policy={script}" for seat in range(len(whole.agents))]
        scenario = society.load(file, [f"rounds={min(ROUNDS, whole.rounds)}", *seats])
        run = society.play_sync(scenario, seed=1, log=f"sqlite:///{tmp_path}/{script}.db")
        assert run.status == "completed" and run.episode.settled
        statuses = {action.status for played in run.episode.rounds for action in played.actions.values()}
        assert statuses <= {"ok", "out_of_range"}  # a script may want what is closed to it


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shipped_scenario_plays_a_round_with_the_embedded_model(file, tmp_path):
    """What a small model answers is its own affair; that every answer is read or told to be unreadable is ours."""
    pytest.importorskip("xllamacpp")
    scenario = society.load(file, ["rounds=1"])
    run = society.play_sync(scenario, model="local", seed=1, log=f"sqlite:///{tmp_path}/local.db")
    assert run.status in ("completed", "invalid") and run.episode.settled
    statuses = {action.status for played in run.episode.rounds for action in played.actions.values()}
    assert statuses <= {"ok", "repaired", "retried", "defaulted", "out_of_range", "truncated", "empty", "refused"}
