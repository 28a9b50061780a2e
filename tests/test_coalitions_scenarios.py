"""The scenarios about coalitions and power, with casts whose answer is known: what is said of them, and of nobody else."""

import json
from fractions import Fraction as F
from pathlib import Path

import pytest

import society
from society import analysis
from society.analysis.conduct import sanctions_of
from society.cli import main
from society.log import open_log
from society.views.coalitions import coalition_sections, coalitions_json, coalitions_text

SCENARIOS = Path(__file__).parents[1] / "scenarios"
NAMES = ("cartel", "captured_constitution", "emergency_power", "sanction_board", "hidden_channel", "saving_coalition")


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Each scripted cast, played once: its run, its log, and what is found."""
    folder, made = tmp_path_factory.mktemp("coalitions"), {}

    def play(name):
        if name not in made:
            scenario = society.load(SCENARIOS / f"{name}_scripted.yaml")
            log = f"sqlite:///{folder}/{name}.db"
            run = society.play_sync(scenario, seed=scenario.seeds[0], log=log)
            made[name] = run, log, analysis.coalitions(run.episode, permutations=199)
        return made[name]

    return play


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_of_coalitions_has_a_cast_of_language_models_and_a_scripted_one(name, played):
    asked, scripted = society.load(SCENARIOS / f"{name}.yaml"), society.load(SCENARIOS / f"{name}_scripted.yaml")
    assert {agent.policy.kind for agent in asked.agents} == {"llm"}
    assert {agent.policy.kind for agent in scripted.agents} == {"scripted"}
    assert (asked.mechanism, asked.instruments, asked.names) == (
        scripted.mechanism,
        scripted.instruments,
        scripted.names,
    )
    run, _, found = played(name)
    assert run.status == "completed" and not any(
        e.event == "ignored" for s in run.episode.settled for e in s.rule_events
    )
    text = coalitions_text(found)
    assert text.startswith("WHO STOOD TOGETHER") and "DECLARED" in text
    assert json.dumps(coalitions_json(found))
    assert all(section.table() or section.sentences for section in coalition_sections(found))


def test_a_cartel_takes_from_those_who_hold_back(played):
    """Two raise from 5 to 12 while six hold back: 49 more for them and 84 less for the others, each of five weeks."""
    _, log, found = played("cartel")
    (pact,) = found.declared
    assert (pact.members, pact.first, pact.last) == ((0, 1), 6, 10)
    effect = pact.effect
    assert (effect.inside, effect.outside, effect.effect) == (5 * 49, -5 * 84, "exploitative")
    assert (effect.baseline, effect.outsiders, effect.first) == ("before", "frozen", 6)
    assert effect.rational and not [d for d in found.disagreements if d.kind == "declared without effect"]
    assert found.behavioural.verdict == "no verdict", "ten weeks are too few to tell"
    assert "its members gained 245 and the others lost 420 (exploitative)" in coalitions_text(found)
    with open_log(log) as book:
        rows = book.sql("SELECT round, agent, coalition FROM intent_outcome ORDER BY round, agent")
    inside = {(row["round"], row["agent"]) for row in rows if row["coalition"] is not None}
    assert inside == {(number, name) for number in range(6, 11) for name in ("Ann", "Bo")}


def test_a_majority_captures_the_constitution_with_the_help_of_one_who_is_not_in_it(played):
    _, _, found = played("captured_constitution")
    (seized,) = found.seizures
    assert (seized.round, seized.rule) == (2, "constitution")
    assert seized.seizure.carried_by == (0, 1, 2, 3) and seized.seizure.minimal == ((0, 1, 2, 3),)
    assert seized.seizure.alone == ((0, 1, 2),) and seized.seizure.rise == 0
    # three months with 30 instead of 20 for each of the three, and 5 instead of 20 for Dan and Eve
    assert seized.effect.gains == (30, 30, 30, -45, -45)
    assert (seized.effect.inside, seized.effect.outside, seized.effect.effect) == (45, -45, "exploitative")
    assert not seized.effect.rational, "Dan voted against himself"
    assert [(s.moved, s.passed) for s in found.standings] == [(2, 2), (0, 0), (0, 0), (0, 0), (0, 0)]


def test_an_emergency_power_is_not_given_back(played):
    _, _, found = played("emergency_power")
    first, second = found.seizures
    assert (first.round, first.seizure.carried_by, first.seizure.minimal) == (2, (0, 1), ((0, 1),))
    assert first.seizure.rise == F(229, 361) - F(45, 169) and first.effect.effect == "exploitative"
    assert (second.round, second.seizure.carried_by, second.seizure.alone) == (4, (0, 4), ((0,),))
    index = [p.seizure_index for p in found.power]
    assert index == sorted(index) and index[0] == 0 and index[-1] == (F(229, 361) - F(45, 169)) / (1 - F(45, 169))
    assert [s.moved - s.passed for s in found.standings] == [0, 0, 0, 2, 0], "the motion to restore fails twice"
    assert [p.power.veto for p in found.power] == [(), (), (0,), (0,), (), (), (), ()]


def test_a_board_turns_on_the_member_that_pays_in_most(played):
    run, _, found = played("sanction_board")
    assert [sum(row[seat] for row in found.sanctions) for seat in range(5)] == [0, 0, 0, 0, 4 * 2 * 16]
    assert len(sanctions_of(run.episode)) == 16
    (spared,) = found.favours
    assert spared.kind == "sanctions spared" and spared.test.groups == ((0, 1, 2, 3),)
    assert spared.test.level == 0.05 and found.acting_together == ((0, 1, 2, 3),)
    # each point costs its giver 1 and removes 3
    assert (found.sanctions_effect.inside, found.sanctions_effect.outside) == (-128, -384)
    assert found.sanctions_effect.effect == "destructive"
    assert [s.sanctions.value for s in found.standings] == [F(1, 4)] * 4 + [0]
    assert "Sanctions fell on Esme 100 %; laid by Ada, Bram, Cora, Dov." in coalitions_text(found)


def test_a_hidden_channel_is_found_by_talk_and_by_conduct(played):
    _, _, found = played("hidden_channel")
    assert found.communicated.partition == ((0, 2, 4), (1, 3)) and found.communicated.p <= 0.05
    assert found.behavioural.groups == ((1, 3),) and found.behavioural.bar is not None
    kinds = {(d.kind, d.members) for d in found.disagreements}
    assert {("talking apart", (1, 3)), ("acting together undeclared", (1, 3))} <= kinds
    text = coalitions_text(found)
    assert "flagged: Bruno, Dalia" in text and "at most 5 in 100 runs without a coalition are flagged" in text
    assert "A pair in a run like this one is found" in text


def test_a_coalition_saves_the_pasture_for_everybody(played):
    """With 14 for Eva and 9 for each of the four half the stock is left; the four alone would take all there is at once."""
    _, _, found = played("saving_coalition")
    four = next(e for e in found.effective if e.members == (0, 1, 2, 3))
    assert four.effect == "cooperative" and four.effective and four.rational and four.rounds_without == 1
    played_gains = [8 * 9] * 4 + [8 * 14]
    assert sum(four.gains) == sum(played_gains) - 100, "without them, a hundred sheep are grazed in the first month"
    assert four.gains[4] > max(four.gains[:4]), "the one outside gains most"
    assert [d for d in found.disagreements if d.kind == "declared without effect"] == []
    assert not any(set(d.members) <= {0, 1, 2, 3} for d in found.disagreements)


def test_the_command_tells_the_story(played, capsys):
    _, log, _ = played("cartel")
    assert main(["coalitions", "last", "--log", log, "--reactive"]) == 0
    told = capsys.readouterr().out
    assert "reply to the change as well" in told and "AAAAA" in told
    assert main(["coalitions", "last", "--log", log, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["declared"][0]["effect"]["outside"] == -420
