"""The four notions of coalition on whole episodes whose answer is known."""

from fractions import Fraction as F

import pytest

from society import analysis
from society.core.policy import Act, Answer, Draft, Utterance
from society.views.coalitions import coalitions_json, coalitions_text
from tests.test_alignment_episode import play, scenario

SELF = [{"goal": {"kind": "own_payoff"}}]


class Plan:
    """Does what was written down, round by round, and writes to the seats it was told to."""

    def __init__(self, done, to=None):
        self.done, self.to = done, to

    async def answer(self, question):
        if isinstance(question, Act):
            action = self.done[question.at.round - 1]
            return Answer(action, submitted=action)
        if hasattr(question, "private"):
            return Answer(Utterance((Draft(self.to, "now"),) if self.to else ()))
        return Answer(None)


def lake(columns, rounds, talk=None, **more):
    told = scenario({"kind": "common_pool"}, rounds, SELF * len(columns), **more)
    return play(told, [Plan(column, talk and talk[seat]) for seat, column in enumerate(columns)])


def test_restraint_of_all_saves_the_lake_and_counts_as_effective():
    found = analysis.coalitions(lake([[10] * 4] * 5, 4), permutations=99)
    by_group = {effect.members: effect for effect in found.effective}
    everybody = by_group[tuple(range(5))]
    assert everybody.effect == "neutral" and everybody.effective and everybody.rational
    assert everybody.rounds_without == 1, "alone, each asks for all there is in the first month"
    assert everybody.inside == 5 * 40 - 100 and everybody.outside == 0
    assert len(found.effective) == 2**5 - 5 - 1 and "every group" in found.effective_note
    assert found.declared == () and found.power == ()
    assert found.behavioural.verdict == "no verdict"
    assert any(d.kind == "effective but undeclared" for d in found.disagreements)


def test_one_who_grabs_ends_the_lake_whoever_else_holds_back():
    """Each of the four could have had no less by asking for more, so their restraint was no effective coalition."""
    episode = lake([[100], [5], [5], [5], [5]], 1)
    found = {e.members: e for e in analysis.coalitions(episode, permutations=19).effective}
    assert found[1, 2, 3, 4].effect == "sacrificial" and not found[1, 2, 3, 4].effective


def test_private_channels_are_told_apart_from_public_talk():
    talk = [(1,), (0,), (3, 4), (2, 4), (2, 3)]
    stages = {"talk": {"turns": 3, "channels": ["public", "private"]}}
    episode = lake([[10] * 3] * 5, 3, talk, stages=stages)
    found = analysis.coalitions(episode, permutations=199)
    assert found.communicated.partition == ((0, 1), (2, 3, 4))
    assert found.communicated.reciprocity == 1 and found.communicated.p < 0.05
    assert "A0, A1 | A2, A3, A4" in coalitions_text(found)
    assert {d.members for d in found.disagreements if d.kind == "talking apart"} == {(0, 1), (2, 3, 4)}


MOTIONS = [
    {"name": "emergency", "weights": [6, 2, 2, 1, 1], "quota": 7, "shares": ["1/2", "1/4", "1/12", "1/12", "1/12"]},
]


def test_a_seizure_of_power_is_attributed_to_the_two_who_voted_for_it():
    mechanism = {
        "kind": "constitution",
        "pie": 36,
        "weights": [3, 2, 2, 1, 1],
        "quota": 5,
        "shares": ["1/3", "2/9", "2/9", "1/9", "1/9"],
        "motions": MOTIONS,
    }
    votes = ["yes", "yes", "no", "no", "no"]
    policies = [Plan(["emergency", vote, "emergency"]) for vote in votes]
    told = scenario(mechanism, 3, SELF * 5)
    proposer = next(
        seed for seed in range(50) if play(told, policies, seed).settled[0].state_after["physical"]["proposer"] < 2
    )
    found = analysis.coalitions(play(told, policies, proposer), permutations=19)
    assert [p.power.hhi for p in found.power] == [F(45, 169), F(45, 169), F(229, 361)]
    assert [p.seizure_index for p in found.power][:2] == [0, 0] and found.power[2].seizure_index > F(1, 2)
    (seized,) = found.seizures
    assert (seized.round, seized.seizure.carried_by, seized.seizure.minimal) == (2, (0, 1), ((0, 1),))
    assert found.behavioural.note == "the actions are no quantities"
    text = coalitions_text(found)
    assert "Seizure in round 2 (constitution), carried by A0, A1; concentration 0.368 higher" in text
    assert "no verdict (the actions are no quantities)" in text and "No agreement was in force." in text
    kept = seized.effect
    # two votes by the old shares instead of the new ones: 12 and 8 of 36 each instead of 18 and 9
    assert kept.gains[:2] == (6, 1) and kept.effect == "exploitative" and kept.inside + kept.outside == 0
    assert coalitions_json(found)["power"][2]["power"]["hhi"] == "229/361"


def test_two_who_switch_together_are_found_among_choices_of_two_words():
    mechanism = {"kind": "volunteers_dilemma", "benefit": 10, "cost": 2}
    from society.core.seeds import Noise

    lots = [[Noise(seat).below(2, "switch", number) for number in range(40)] for seat in (0, 0, 2, 3, 4)]
    told = scenario(mechanism, 40, SELF * 5)
    words = told.mechanism.space(told.mechanism.initial_state(), 0).grid()
    found = analysis.coalitions(play(told, [Plan([words[k] for k in row]) for row in lots]), permutations=199)
    assert found.behavioural.groups == ((0, 1),)
    assert "acting together undeclared" in {d.kind for d in found.disagreements}


def test_every_group_is_looked_at_only_up_to_twelve():
    crowd = lake([[2]] * 13, 1)
    assert "pairs" in analysis.coalitions(crowd, permutations=19).effective_note
    with pytest.raises(ValueError, match="up to 12"):
        analysis.coalitions(crowd, every_group=True)


@pytest.mark.parametrize("outsiders", ["frozen", "reactive"])
def test_rules_that_are_words_only_change_no_effect(outsiders):
    """The mechanism is then asked directly, which is faster; a tax of nothing goes the long way round."""
    columns = [[10, 9, 8], [10, 10, 10], [5, 20, 5], [20, 0, 20]]
    bare, pact, taxed = (
        analysis.coalitions(lake(columns, 3, instruments=rules), permutations=19, outsiders=outsiders, every_group=True)
        for rules in ([], [{"kind": "pact"}], [{"kind": "tax", "rate": 0}])
    )
    assert bare.effective == pact.effective == taxed.effective and bare.alone == pact.alone == taxed.alone
    assert {effect.outsiders for effect in bare.effective} == {outsiders}


def test_an_episode_without_a_finished_round_has_no_effects():
    from society.episode import Episode

    whole = lake([[10]] * 5, 1)
    found = analysis.coalitions(Episode.from_events(whole.events[:1]), permutations=19)
    assert found.effective is None and found.collusion is None and "finished round" in found.effective_note


@pytest.mark.parametrize("name", dir(analysis))
def test_every_public_name_of_the_analysis_is_there(name):
    assert getattr(analysis, name) is not None
