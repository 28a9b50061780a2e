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
