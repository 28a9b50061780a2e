"""The control arms of stated intents: whether asking for them, or announcing, changes what is done."""

from __future__ import annotations

from society import load, play_sync
from society.sweep.file import load_sweep

SWEEP = load_sweep("does_asking_change_behaviour")
ARMS = {
    "not_at_all": (False, False, False),
    "in_private": (True, False, False),
    "of_each": (True, True, False),
    "in_public": (False, False, True),
    "in_both": (True, True, True),
}
"""By arm: whether anybody is asked what it means to do, and what it expects of each other; and whether actions are announced."""


def test_the_arms_are_nobody_asked_asked_in_private_announcing_and_both() -> None:
    asked = next(axis for axis in SWEEP.axes if axis.name == "asked")
    assert [arm.label for arm in asked.arms] == list(ARMS)


def test_an_offline_model_does_the_same_in_every_arm_and_says_only_what_it_is_asked_for() -> None:
    runs = {}
    for arm in next(axis for axis in SWEEP.axes if axis.name == "asked").arms:
        played = play_sync(load("fishery", arm.changes), model="mock:conditional", seed=1)
        runs[arm.label] = played.episode
    done = {arm: [played.settled.executed for played in run.rounds] for arm, run in runs.items()}
    assert len({str(actions) for actions in done.values()}) == 1
    for arm, (declared, told_of_each, announced) in ARMS.items():
        stated = [claim for played in runs[arm].rounds for claim in played.declarations.values()]
        assert bool(stated) == declared
        assert any(claim.declaration.predicted is not None for claim in stated) == told_of_each
        assert any(played.announced for played in runs[arm].rounds) == announced
