"""The control arms of stated intents: whether asking for them, or announcing, changes what is done."""

from __future__ import annotations

from society import load, play_sync
from society.sweep.file import load_sweep

SWEEP = load_sweep("does_asking_change_behaviour")


def test_the_arms_are_nobody_asked_asked_in_private_announcing_and_both() -> None:
    asked = next(axis for axis in SWEEP.axes if axis.name == "asked")
    assert [arm.label for arm in asked.arms] == ["not_at_all", "in_private", "of_each", "in_public", "in_both"]


def test_an_offline_model_does_the_same_in_every_arm_and_says_only_what_it_is_asked_for() -> None:
    runs = {}
    for declare, announce in (
        ("off", False),
        ("total", False),
        ("per_agent", False),
        ("off", True),
        ("per_agent", True),
    ):
        arm = load("fishery", [f"stages.declare={declare}", f"stages.talk.announce={str(announce).lower()}"])
        runs[declare, announce] = play_sync(arm, model="mock:conditional", seed=1).episode
    done = {arm: [played.settled.executed for played in run.rounds] for arm, run in runs.items()}
    assert len({str(actions) for actions in done.values()}) == 1
    for (declare, announce), run in runs.items():
        assert any(played.declarations for played in run.rounds) == (declare != "off")
        assert any(played.announced for played in run.rounds) == announce
