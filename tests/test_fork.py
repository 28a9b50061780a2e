"""A fork shares the first rounds of a run, pays for none of it, and goes on under what was changed."""

from __future__ import annotations

import json
import sqlite3

import pytest

from society import fork, load, loads, open_log, play
from society.analysis import align, coalitions
from society.cli import main
from society.core.errors import BadInput, Diverged, LogCorrupt, Paused, ScenarioError
from society.core.events import Forked, Settled
from society.models.counters import Counters
from society.playing import replay, resume
from society.scenario.load import changed
from society.scenario.model import Budget
from society.scenario.places import shipped
from society.views.alignment import alignment_text
from society.views.alignment_json import alignment_json
from society.views.coalitions import coalitions_json, coalitions_text
from society.views.web.one_file import one_file

GOVERNED = """
name: governed
rounds: 4
mechanism: {kind: public_goods, endowment: 20}
agents: [{name: Ann}, {name: Bo}, {name: Cy}]
stages: {talk: {turns: 1, channels: [public, private]}}
instruments:
- {kind: quota, amount: 6, enforcement: soft, detection: 1/2, fine: 4}
- {kind: peer_sanction}
models: {default: mock:random}
"""


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'society.db'}"


def after(run, number):
    """What a run's own events say happened after a round."""
    events = run.episode.events
    end = next(k for k, event in enumerate(events) if isinstance(event, Settled) and event.round == number)
    return [event for event in events[end + 1 :] if not isinstance(event, Forked)]


@pytest.mark.parametrize("name", sorted(shipped()))
async def test_a_fork_that_changes_nothing_comes_out_as_the_run_it_comes_from(url, name):
    """State, agreements, memories and luck are all carried over: for every scenario that is shipped."""
    rounds = min(load(name).rounds, 2)
    base = await play(load(name, [f"rounds={rounds}"]), model="mock:conditional", log=url)
    if len(base.episode.settled) < 2:
        pytest.skip("it was over after its first round")
    again = await fork(base.id, round=1, log=url)
    assert after(again, 1) == after(base, 1)
    assert open_log(url).verify().faults == ()
    assert (await replay(again.id, log=url)).shared == 1


async def test_the_shared_rounds_are_the_same_rows_and_ask_nobody(url):
    base = await play(loads(GOVERNED), log=url)
    tally = Counters()
    other = await fork(
        base.id, round=2, overrides=["mechanism.multiplier=2"], model="mock:greedy", log=url, counters=tally
    )
    with open_log(url) as log:
        assert log.verify().faults == ()
        told = [[(body, digest) for body, _, digest in log.stored(run.id)] for run in (base, other)]
        place = next(k for k, event in enumerate(other.episode.events) if isinstance(event, Forked))
        assert told[0][:place] == told[1][:place]
        own = [call for call in log.calls(other.id) if call.round > 2]
        shared = [call for call in log.calls(other.id) if call.round <= 2]
        info = log.find(other.id)
    assert tally.done == len(own) and {call.model for call in own} == {"mock:greedy"}
    assert shared and all(call.cached and call.usd == 0 for call in shared)
    assert (info.fork_of, info.fork_round, info.models, info.rounds_played) == (base.id, 2, "mock:greedy", 4)
    assert other.episode.scenario.mechanism != base.episode.scenario.mechanism
    assert other.episode.phase(1).scenario == base.episode.scenario
    assert "forked here" in other.transcript() and "mock:greedy (was mock:random" in other.transcript()
    assert min(d.round for d in other.alignment.judged) == 3


async def test_what_is_said_of_a_fork_says_that_it_is_of_its_own_rounds(url):
    base = await play(load("fishery", ["rounds=4"]), model="mock:sustainable", log=url)
    other = await fork(base.id, round=2, overrides=["mechanism.growth.factor=3/2"], log=url)
    assert (base.episode.shared, other.episode.shared, other.episode.own.shared) == (0, 2, 2)
    words = "a fork: this is of the rounds after round 2, its own"
    for run, shared in ((base, 0), (other, 2)):
        lost, together = align(run.episode), coalitions(run.episode)
        assert (words in alignment_text(lost), words in coalitions_text(together).lower()) == (bool(shared),) * 2
        assert (alignment_json(lost)["rounds_shared"], coalitions_json(together)["shared"]) == (shared, shared)
        with open_log(url) as log:
            assert one_file(log, run.id).lower().count(words) == (
                2 if shared else 0
            )  # what was lost, who stood together


async def test_rules_can_come_and_go_at_a_fork_and_the_others_keep_what_they_remember(url):
    base = await play(loads(GOVERNED), log=url)
    bare = await fork(base.id, round=2, overrides=["instruments=[]"], log=url)
    assert not any(event.rule_events for event in bare.episode.settled[2:])
    more = await fork(
        bare.id, round=3, overrides=["instruments=[{kind: quota, amount: 1, enforcement: hard}]"], log=url
    )
    assert all(amount <= 1 for amount in more.episode.settled[3].executed)
    assert [f.round for f in more.episode.forks] == [2, 3]
    assert [len(phase.rounds) for phase in more.episode.phases] == [2, 1, 1]
    with open_log(url) as log:
        assert log.verify().faults == ()
    assert (await replay(more.id, log=url)).ended


async def test_other_luck_from_the_fork_on_leaves_the_shared_rounds_alone(url):
    base = await play(loads(GOVERNED), log=url)
    other = await fork(base.id, round=1, seed=99, log=url)
    assert other.episode.settled[0] == base.episode.settled[0]
    assert other.episode.settled[1:] != base.episode.settled[1:]
    assert open_log(url).find(other.id).seed == 99


async def test_a_fork_that_was_left_is_resumed_like_any_run(url):
    base = await play(loads(GOVERNED), log=url)
    whole = await fork(base.id, round=1, overrides=["mechanism.multiplier=2", "budget.tokens=1000000"], log=url)
    with pytest.raises(Paused):
        await fork(base.id, round=1, overrides=["mechanism.multiplier=2", "budget.tokens=9000"], log=url)
    again = await resume("last", log=url, budget=Budget(tokens=1_000_000))
    assert again.id != whole.id
    assert after(again, 1) == after(whole, 1)
    assert open_log(url).verify().faults == ()


async def test_a_run_that_was_left_can_be_forked_as_far_as_it_goes(url):
    with pytest.raises(Paused):
        await play(loads(GOVERNED, ["budget.tokens=15000"]), log=url)
    done = len(open_log(url).episode("last").settled)
    assert 0 < done < 4
    run = await fork("last", round=done, overrides=["budget.tokens=null"], log=url)
    assert run.status == "completed" and len(run.episode.settled) == 4


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"round": 0}, "finished rounds: 1 to 4"),
        ({"round": 5}, "finished rounds: 1 to 4"),
        ({"round": 2, "overrides": ["agents=[{count: 2}]"]}, "keeps its agents"),
        ({"round": 2, "overrides": ["agents.0.name=Zoe"]}, "keeps its agents"),
        ({"round": 2, "overrides": ["rounds=2"]}, "nothing is left"),
        ({"round": 2, "overrides": ["mechanism={kind: common_pool}"]}, "keeps its mechanism"),
        ({"round": 2, "overrides": ["mechanism.endowmnt=1"]}, "did you mean .endowment."),
    ],
)
async def test_what_a_fork_cannot_change_is_refused_before_anything_is_written(url, how, words):
    base = await play(loads(GOVERNED), log=url)
    with pytest.raises((BadInput, ScenarioError), match=words):
        await fork(base.id, log=url, **how)
    assert len(open_log(url).runs()) == 1


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (
            "body = replace(body, '\"total\":', '\"total\":1') WHERE kind = 'settled'",
            Diverged,
            "round 1 does not come out",
        ),
        ('body = replace(body, \'"about":""\', \'"about":"x"\') WHERE seq = 0', LogCorrupt, "does not verify"),
    ],
    ids=["what the rules do not give", "what was not hashed"],
)
async def test_a_run_that_was_tampered_with_is_not_shared(url, tmp_path, change, error, words):
    base = await play(loads(GOVERNED), log=url)
    with sqlite3.connect(tmp_path / "society.db") as connection:
        connection.execute(f"UPDATE event SET {change}")
    connection.close()
    with pytest.raises(error, match=words):
        await fork(base.id, round=1, log=url)


async def test_a_fork_whose_first_rounds_are_not_those_of_its_run_is_found(url, tmp_path):
    base = await play(loads(GOVERNED), log=url)
    other = await play(loads(GOVERNED), log=url, seed=5)
    forked = await fork(base.id, round=1, log=url)
    with sqlite3.connect(tmp_path / "society.db") as connection:
        connection.execute("UPDATE run SET fork_of = ? WHERE id = ?", (other.id, forked.id))
    connection.close()
    faults = [str(fault) for fault in open_log(url).verify(forked.id).faults]
    assert any(f"are not those of run {other.id}" in fault for fault in faults)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_resolved_scenario_is_unchanged_by_no_change(name):
    assert changed(load(name), []) == load(name)


def test_the_command_forks_tells_and_refuses(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "g.yaml").write_text(GOVERNED)
    assert main(["run", "g.yaml", "-q"]) == 0
    capsys.readouterr()
    assert main(["fork", "last", "--round", "2", "--set", "mechanism.multiplier=2", "--seeds", "3-4", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [run["seed"] for run in told] == [3, 4] and all(run["status"] == "completed" for run in told)
    assert main(["fork", "last", "--round", "9"]) == 2
    assert "finished rounds: 1 to 4" in capsys.readouterr().err
    assert main(["fork", "last"]) == 2 and "--round" in capsys.readouterr().err


async def test_a_question_that_was_changed_stops_the_resumed_run_and_names_the_fork(url, tmp_path):
    with pytest.raises(Paused):
        await play(loads(GOVERNED, ["budget.tokens=15000"]), log=url)
    done = len(open_log(url).episode("last").settled)
    with sqlite3.connect(tmp_path / "society.db") as connection:
        connection.execute("UPDATE model_call SET request_hash = '0' WHERE round = ?", (done,))
    connection.close()
    mend = "society run" if done == 1 else f"society fork .* --round {done - 1}"
    with pytest.raises(Diverged, match=f"(?s)round {done}, talk.*Nothing was sent.*{mend}"):
        await resume("last", log=url, budget=Budget(tokens=1_000_000))
