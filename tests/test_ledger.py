"""Who proposed what to whom, who agreed, and what is in force."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from society.core.actions import Amount, Choice
from society.core.errors import Unreadable
from society.core.ledger import Ledger
from society.core.moves import Move, Offer, moves_schema, read_moves
from society.governance.negotiation import apply, end_round, proposal_offers

NAMES = ("Ann", "Bo", "Cy", "Di")
EVERYBODY = (0, 1, 2, 3)


def offer(kind, **more):
    return Offer(kind, "pact", seats=EVERYBODY, **more)


def play(*moves, patience=0, lasts=None, ledger=None, round=1):
    """The ledger after (seat, move) pairs, and the words of the events."""
    ledger, told = ledger or Ledger(), []
    for seat, move in moves:
        ledger, events = apply(ledger, move, seat, round, offer(move.kind, patience=patience, lasts=lasts))
        told += [event.event for event in events]
    return ledger, told


def propose(*members, quorum=None):
    return Move("propose", "pact", members=members, quorum=quorum)


def answer(kind, target=1):
    return Move(kind, "pact", target=target)


def test_a_coalition_of_all_is_in_force_once_all_have_accepted():
    ledger, told = play((0, propose(1, 2)), (1, answer("accept")))
    assert ledger.coalition_structure() == ()
    ledger, more = play((2, answer("accept")), ledger=ledger)
    assert told + more == ["propose", "accept", "accept", "agree"]
    assert ledger.coalition_structure() == (("1", (0, 1, 2)),)


def test_with_a_quorum_the_members_are_those_who_accepted_and_others_may_join():
    ledger, _ = play((0, propose(1, 2, 3, quorum=2)), (3, answer("accept")))
    assert ledger.coalition_structure() == (("1", (0, 3)),)
    ledger, told = play((1, answer("accept")), (1, answer("join")), ledger=ledger)
    assert told == ["ignored", "join"] and ledger.coalition_structure() == (("1", (0, 1, 3)),)


@pytest.mark.parametrize(
    ("seat", "move", "why"),
    [
        (3, answer("accept"), "not addressed"),
        (0, answer("accept"), "accepted before"),
        (1, answer("accept", 9), "no such proposal"),
        (1, answer("withdraw"), "nothing to withdraw"),
        (1, answer("leave"), "nothing to leave"),
        (0, answer("refuse"), "nothing to refuse"),
        (1, propose(1), "too few"),
        (1, propose(0, quorum=3), "too few"),
    ],
)
def test_what_does_not_concern_an_agent_is_ignored_and_logged(seat, move, why):
    before, _ = play((0, propose(1)))
    after, events = apply(before, move, seat, 1, offer(move.kind))
    assert after == before and events[0].event == "ignored" and why in events[0].detail


@pytest.mark.parametrize(
    ("move", "why"),
    [
        (answer("accept"), "too late: the proposal is withdrawn"),
        (answer("sign"), "too late: the proposal is withdrawn"),
        (answer("accept", 7), "there is no such proposal"),
        (answer("leave"), "there is nothing to leave"),
        (answer("counter"), "there is nothing to counter"),
        (answer("vote"), "there is no such vote"),
        (Move("delegate", "pact"), "delegated before"),
        (Move("defy", "pact"), "defied before"),
        (Move("transfer", "pact", to=0, amount=1), "no such move here"),
    ],
)
def test_a_move_that_is_no_longer_offered_is_told_why(move, why):
    moves = [(0, propose(1)), (0, answer("withdraw")), (1, Move("delegate", "pact")), (1, Move("defy", "pact"))]
    before, _ = play(*moves)
    after, events = apply(before, move, 1, 1, None)
    assert after == before and events[0].event == "ignored" and why in events[0].detail


def test_late_acceptances_are_ignored_and_unmet_proposals_expire():
    ledger, _ = play((0, propose(1)), patience=1)
    ledger, lapsed = end_round(ledger, 1)
    assert lapsed == () and ledger.proposals[0].status == "open"
    late, events = apply(ledger, answer("accept"), 1, 3, offer("accept"))
    assert late == ledger and "too late" in events[0].detail
    ledger, lapsed = end_round(ledger, 2)
    assert [event.event for event in lapsed] == ["lapse"] and ledger.proposals[0].status == "expired"


def test_leaving_dissolves_a_coalition_of_all_and_removes_the_member_otherwise():
    all_of_us, _ = play((0, propose(1, 2)), (1, answer("accept")), (2, answer("accept")))
    gone, told = play((2, answer("leave")), ledger=all_of_us)
    assert told == ["leave", "dissolve"] and gone.coalition_structure() == ()
    some, _ = play((0, propose(1, 2, quorum=2)), (1, answer("accept")), (2, answer("join")))
    left, told = play((0, answer("leave")), ledger=some)
    assert told == ["leave"] and left.coalition_structure() == (("1", (1, 2)),)
    gone, told = play((1, answer("leave")), ledger=left)
    assert told == ["leave", "dissolve"] and gone.coalition_structure() == ()


def test_coalitions_may_overlap_and_run_out():
    ledger, _ = play(
        (0, propose(1)), (1, answer("accept")), (1, propose(2)), (2, answer("accept", 2)), lasts=2
    )  # fmt: skip
    assert ledger.coalition_structure() == (("1", (0, 1)), ("2", (1, 2)))
    ledger, _ = end_round(ledger, 1)
    assert len(ledger.coalition_structure()) == 2
    ledger, lapsed = end_round(ledger, 2)
    assert len(lapsed) == 2 and ledger.coalition_structure() == ()


def test_a_refusal_can_be_taken_back_while_the_proposal_is_open():
    ledger, _ = play((0, propose(1)), (1, answer("refuse")))
    assert ledger.proposals[0].refused == (1,)
    ledger, told = play((1, answer("refuse")), (1, answer("accept")), ledger=ledger)
    assert told == ["ignored", "accept", "agree"] and ledger.proposals[0].refused == ()


def test_a_counter_proposal_names_what_it_answers():
    ledger, told = play((0, propose(1)), (1, Move("counter", "pact", target=1, members=(0,))), (2, answer("counter")))
    assert told == ["propose", "counter", "ignored"] and ledger.proposals[1].counters == 1


def test_gifts_are_limited_per_round_and_never_to_oneself():
    give = offer("transfer", amount=Amount.between(0, 10))
    ledger = Ledger()
    for to, amount, kept in ((1, 6, 1), (1, 5, 1), (0, 1, 1), (2, 4, 2), (1, -3, 2)):
        ledger, _ = apply(ledger, Move("transfer", "pact", to=to, amount=amount), 0, 1, give)
        assert len(ledger.gifts) == kept
    assert end_round(ledger, 1)[0].gifts == ()


def test_a_later_vote_replaces_an_earlier_one_and_one_motion_is_not_moved_twice():
    terms = {"tax.rate": Amount.between(0, 5)}
    ledger = Ledger()
    move = Move("motion", "pact", terms=(("tax.rate", 3),))
    ledger, _ = apply(ledger, move, 0, 1, offer("motion", terms=terms))
    ledger, told = apply(ledger, move, 1, 1, offer("motion", terms=terms))
    assert told[0].event == "ignored"
    for word in ("yes", "no"):
        vote = Move("vote", "pact", target=1, choice=word)
        ledger, _ = apply(ledger, vote, 2, 1, offer("vote", words=("yes", "no")))
    assert ledger.votes == ((1, 2, "no"),)


# How a language model is shown the moves, and read


def offers_now(ledger, seat):
    others = tuple(other for other in EVERYBODY if other != seat)
    terms = {"limit": Amount.between(0, 9), "word": Choice(options=("C", "D"))}
    return proposal_offers(ledger, "contract", seat, others, 1, terms=terms, binding=True, quorum=True)


def test_the_schema_offers_only_moves_that_exist_now():
    def kinds(ledger, seat):
        variants = moves_schema(offers_now(ledger, seat), NAMES)["items"]
        return [v["properties"]["move"]["enum"][0] for v in variants.get("anyOf", [variants])]

    assert kinds(Ledger(), 1) == ["propose"]
    made = Move("propose", "contract", members=(1,), terms=(("limit", 3), ("word", "C")))
    ledger, _ = apply(Ledger(), made, 0, 1, offers_now(Ledger(), 0)[0])
    assert kinds(ledger, 0) == ["propose", "withdraw"]
    assert kinds(ledger, 1) == ["propose", "counter", "sign", "refuse"]
    assert kinds(ledger, 2) == ["propose"]
    assert moves_schema((), NAMES) is None


PROPOSAL = {
    "move": "propose",
    "rule": "contract",
    "with": ["bo", "Di"],
    "terms": {"limit": 3, "word": "c"},
    "quorum": None,
}


def test_a_move_is_read_with_names_as_seats():
    moves = read_moves([PROPOSAL], offers_now(Ledger(), 0), NAMES)
    assert moves == (Move("propose", "contract", members=(1, 3), terms=(("limit", 3), ("word", "C"))),)
    assert read_moves(None, (), NAMES) == () and read_moves([], (), NAMES) == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"move": "sign"}, "no move 'sign'"),
        ({"with": ["Zoe"]}, "expected one of: Bo, Cy, Di"),
        ({"with": []}, "list of names"),
        ({"terms": {"limit": 3}}, "missing term 'word'"),
        ({"terms": {"limit": 3, "word": "C", "gold": 1}}, "unknown term 'gold'"),
        ({"terms": {"limit": 99, "word": "C"}}, "99 is not allowed"),
        ({"quorum": 9}, "quorum"),
        ({"quorum": True}, "quorum"),
    ],
)
def test_a_move_that_means_nothing_here_is_unreadable_and_says_why(change, words):
    with pytest.raises(Unreadable, match=words):
        read_moves([PROPOSAL | change], offers_now(Ledger(), 0), NAMES)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 9)
    | st.floats(allow_nan=True)
    | st.sampled_from(["propose", "contract", "Bo"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["move", "rule", "with", "terms", "quorum", "number", "limit", "word"]), inner
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_whatever_an_agent_says_is_read_or_unreadable_and_nothing_else(raw):
    try:
        moves = read_moves(raw, offers_now(Ledger(), 0), NAMES)
    except Unreadable:
        return
    assert all(isinstance(move, Move) for move in moves)


def test_a_schema_is_plain_json():
    assert json.loads(json.dumps(moves_schema(offers_now(Ledger(), 0), NAMES)))["maxItems"] == 4


def test_what_has_been_handed_over_is_not_handed_over_again():
    offer = Offer("delegate", "mediator")
    once, told = apply(Ledger(), Move("delegate", "mediator"), 0, 1, offer)
    assert [event.event for event in told] == ["delegate"]
    twice, told = apply(once, Move("delegate", "mediator"), 0, 1, offer)
    assert twice == once and told[0].detail == "delegate: delegated before"
