"""What moves make of the negotiation ledger.

Pure and typed: `apply` takes a ledger and a move and gives a ledger and the events that say what came of it. A move that is
late, repeated or made by somebody it does not concern changes nothing and is told as ``ignored``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Literal, TypeAlias

from society.core.exact import show
from society.core.ledger import Gift, Ledger, Motion, Order, Proposal
from society.core.mechanism import SpaceOf
from society.core.moves import Move, MoveKind, Offer
from society.core.rows import RuleEvent

_BLANK = Ledger()

Outcome: TypeAlias = tuple[Ledger, tuple[RuleEvent, ...]]


def apply(ledger: Ledger, move: Move, agent: int, round: int, offer: Offer | None) -> Outcome:
    """What a move makes of the ledger; `offer` is the kind of move it is an instance of, None where there is no such."""
    if offer is None:
        return _not_offered(ledger, move, agent, round)
    return _APPLY[move.kind](ledger, move, agent, round, offer)


def _not_offered(ledger: Ledger, move: Move, agent: int, round: int) -> Outcome:
    """A move that the agent cannot make now changes nothing; what is told is why, as far as the ledger alone can say."""
    if move.kind in _ANSWERS:
        after, told = _APPLY[move.kind](ledger, move, agent, round, Offer(move.kind, move.rule))
        if after is ledger:
            return after, told
    nothing = "there is nothing to counter" if move.kind == "counter" else "no such move here"
    return _ignored(ledger, move, agent, nothing)


def offer_for(offers: Sequence[Offer], move: Move) -> Offer | None:
    """The offer a move is an instance of. Whether it is in time and by the right agent, `apply` says."""
    return next((o for o in offers if o.kind == move.kind and o.rule == move.rule), None)


def end_round(ledger: Ledger, round: int) -> Outcome:
    """The ledger as the next round finds it: gifts and defiance are over, and so is what has expired or has run out."""
    if ledger == _BLANK:
        return ledger, ()
    proposals, events = [], []
    for old in ledger.proposals:
        proposal = old
        if old.status == "open" and old.expires <= round:
            proposal = replace(old, status="expired")
            events.append(RuleEvent("lapse", old.rule, (old.by,), f"proposal {old.id} found no quorum in time"))
        elif old.last is not None and old.last <= round:
            proposal = replace(old, status="ended")
            events.append(RuleEvent("lapse", old.rule, old.accepted, f"agreement {old.id} has run its time"))
        proposals.append(proposal)
    motions = tuple(replace(m, status="failed") if m.status == "open" else m for m in ledger.motions)
    after = replace(
        ledger, proposals=tuple(proposals), motions=motions, votes=(), delegated=(), gifts=(), defying=(), orders=()
    )
    return after, tuple(events)


def proposal_offers(
    ledger: Ledger,
    rule: str,
    agent: int,
    others: tuple[int, ...],
    round: int,
    *,
    terms: Mapping[str, SpaceOf],
    binding: bool,
    quorum: bool = False,
    patience: int = 0,
    lasts: int | None = None,
) -> tuple[Offer, ...]:
    """The moves that make and answer proposals, as far as this agent can make them now.

    `binding` agreements are signed and cannot be left; others are accepted, joined and left.
    """
    if not others:
        return ()
    mine = [p for p in ledger.under(rule, "open") if agent in p.members and round <= p.expires]
    to_accept = tuple(p.id for p in mine if agent not in p.accepted)
    to_refuse = tuple(p.id for p in mine if p.by != agent and agent not in p.refused)
    to_withdraw = tuple(p.id for p in mine if p.by == agent)
    running = ledger.under(rule, "in_force")
    found = [Offer("propose", rule, (), others, terms, quorum, patience=patience, lasts=lasts)]
    if to_accept:
        found.append(Offer("counter", rule, to_accept, others, terms, quorum, patience=patience, lasts=lasts))
        found.append(Offer("sign" if binding else "accept", rule, to_accept))
    if to_refuse:
        found.append(Offer("refuse", rule, to_refuse))
    if to_withdraw:
        found.append(Offer("withdraw", rule, to_withdraw))
    if not binding:
        to_join = tuple(p.id for p in running if agent in p.members and agent not in p.accepted)
        to_leave = tuple(p.id for p in running if agent in p.accepted)
        found.extend([Offer("join", rule, to_join)] if to_join else [])
        found.extend([Offer("leave", rule, to_leave)] if to_leave else [])
    return tuple(found)


def _propose(ledger: Ledger, move: Move, agent: int, round: int, offer: Offer) -> Outcome:
    members = tuple(sorted({*move.members, agent}))
    needed = len(members) if move.quorum is None else move.quorum
    if not set(move.members) - {agent} <= set(offer.seats):
        return _ignored(ledger, move, agent, "it names somebody who cannot take part")
    if len(members) < 2 or not 2 <= needed <= len(members):
        return _ignored(ledger, move, agent, "too few members for an agreement")
    problem = _bad_terms(move, offer)
    if problem:
        return _ignored(ledger, move, agent, problem)
    if move.kind == "counter":
        answered = ledger.proposal(move.target)
        if answered is None or answered.status != "open" or agent not in answered.members:
            return _ignored(ledger, move, agent, "there is nothing to counter")
    proposal = Proposal(
        id=len(ledger.proposals) + 1,
        rule=move.rule,
        by=agent,
        members=members,
        terms=move.terms,
        quorum=move.quorum,
        expires=round + offer.patience,
        accepted=(agent,),
        lasts=offer.lasts,
        counters=move.target if move.kind == "counter" else None,
    )
    told = RuleEvent("counter" if move.kind == "counter" else "propose", move.rule, (agent,), f"proposal {proposal.id}")
    return replace(ledger, proposals=(*ledger.proposals, proposal)), (told,)


def _bad_terms(move: Move, offer: Offer) -> str:
    if {name for name, _ in move.terms} != set(offer.terms):
        return "its terms are not complete"
    if not all(offer.terms[name].contains(value) for name, value in move.terms):
        return "its terms are out of bounds"
    return ""


def _accept(ledger: Ledger, move: Move, agent: int, round: int, offer: Offer) -> Outcome:
    proposal = ledger.proposal(move.target)
    problem = _cannot_accept(proposal, move, agent, round)
    if problem or proposal is None:
        return _ignored(ledger, move, agent, problem)
    accepted = (*proposal.accepted, agent)
    refused = tuple(seat for seat in proposal.refused if seat != agent)
    after = replace(proposal, accepted=accepted, refused=refused)
    events = [RuleEvent("sign" if move.kind == "sign" else "accept", move.rule, (agent,), f"proposal {proposal.id}")]
    if len(accepted) >= proposal.needed:
        after = replace(after, status="in_force", since=round)
        events.append(RuleEvent("agree", move.rule, tuple(sorted(accepted)), f"agreement {proposal.id}"))
    return _with(ledger, after), tuple(events)


def _cannot_accept(proposal: Proposal | None, move: Move, agent: int, round: int) -> str:
    if proposal is None or proposal.rule != move.rule:
        return "there is no such proposal"
    if agent not in proposal.members:
        return "it was not addressed to this agent"
    if agent in proposal.accepted:
        return "accepted before"
    if proposal.status != "open" or round > proposal.expires:
        return f"too late: the proposal is {'expired' if proposal.status == 'open' else proposal.status}"
    return ""


def _refuse(ledger: Ledger, move: Move, agent: int, round: int, offer: Offer) -> Outcome:
    proposal = ledger.proposal(move.target)
    if proposal is None or proposal.status != "open" or agent not in proposal.members or proposal.by == agent:
        return _ignored(ledger, move, agent, "there is nothing to refuse")
    if agent in proposal.refused:
        return _ignored(ledger, move, agent, "refused before")
    accepted = tuple(seat for seat in proposal.accepted if seat != agent)
    after = replace(proposal, accepted=accepted, refused=(*proposal.refused, agent))
    return _with(ledger, after), (RuleEvent("refuse", move.rule, (agent,), f"proposal {proposal.id}"),)


def _withdraw(ledger: Ledger, move: Move, agent: int, round: int, offer: Offer) -> Outcome:
    proposal = ledger.proposal(move.target)
    if proposal is None or proposal.status != "open" or proposal.by != agent:
        return _ignored(ledger, move, agent, "there is nothing to withdraw")
    told = RuleEvent("withdraw", move.rule, (agent,), f"proposal {proposal.id}")
    return _with(ledger, replace(proposal, status="withdrawn")), (told,)


def _join(ledger: Ledger, move: Move, agent: int, round: int, offer: Offer) -> Outcome:
    proposal = ledger.proposal(move.target)
    if proposal is None or proposal.status != "in_force" or agent not in proposal.members:
        return _ignored(ledger, move, agent, "there is nothing to join")
    if agent in proposal.accepted:
        return _ignored(ledger, move, agent, "a member already")
    after = replace(proposal, accepted=(*proposal.accepted, agent))
    return _with(ledger, after), (RuleEvent("join", move.rule, (agent,), f"agreement {proposal.id}"),)


def _leave(ledger: Ledger, move: Move, agent: int, round: int, offer: Offer) -> Outcome:
    proposal = ledger.proposal(move.target)
    if proposal is None or proposal.status != "in_force" or agent not in proposal.accepted:
        return _ignored(ledger, move, agent, "there is nothing to leave")
    left = tuple(seat for seat in proposal.accepted if seat != agent)
    events = [RuleEvent("leave", move.rule, (agent,), f"agreement {proposal.id}")]
    after = replace(proposal, accepted=left)
    if proposal.quorum is None or len(left) < max(2, proposal.needed):
        after = replace(after, status="dissolved")
        events.append(RuleEvent("dissolve", move.rule, tuple(sorted(proposal.accepted)), f"agreement {proposal.id}"))
    return _with(ledger, after), tuple(events)


def _transfer(ledger: Ledger, move: Move, agent: int, round: int, offer: Offer) -> Outcome:
    if move.to is None or move.to == agent or move.to not in offer.seats or move.amount is None or move.amount <= 0:
        return _ignored(ledger, move, agent, "nobody to pay, or nothing")
    promised = sum(gift.amount for gift in ledger.gifts if gift.by == agent and gift.rule == move.rule)
    if offer.amount is None or not offer.amount.contains(move.amount + promised):
        return _ignored(ledger, move, agent, "more than may be given in one round")
    problem = _bad_terms(move, offer)
    if problem:
        return _ignored(ledger, move, agent, problem)
    gift = Gift(move.rule, agent, move.to, move.amount, move.terms)
    told = RuleEvent("transfer", move.rule, (agent, move.to), amount=move.amount)
    return replace(ledger, gifts=(*ledger.gifts, gift)), (told,)


def _motion(ledger: Ledger, move: Move, agent: int, round: int, offer: Offer) -> Outcome:
    if not move.terms or not all(n in offer.terms and offer.terms[n].contains(value) for n, value in move.terms):
        return _ignored(ledger, move, agent, "no such change can be moved")
    if any(m.status == "open" and m.rule == move.rule and m.terms == move.terms for m in ledger.motions):
        return _ignored(ledger, move, agent, "moved before")
    motion = Motion(len(ledger.motions) + 1, move.rule, agent, move.terms, round)
    told = RuleEvent("motion", move.rule, (agent,), f"motion {motion.id}")
    return replace(ledger, motions=(*ledger.motions, motion)), (told,)


def _vote(ledger: Ledger, move: Move, agent: int, round: int, offer: Offer) -> Outcome:
    motion = ledger.motion(move.target)
    if motion is None or motion.status != "open" or move.choice not in offer.words:
        return _ignored(ledger, move, agent, "there is no such vote")
    others = tuple(vote for vote in ledger.votes if vote[:2] != (motion.id, agent))
    told = RuleEvent("vote", move.rule, (agent,), f"motion {motion.id}: {move.choice}")
    return replace(ledger, votes=(*others, (motion.id, agent, move.choice))), (told,)


def _delegate(ledger: Ledger, move: Move, agent: int, round: int, offer: Offer) -> Outcome:
    if move.to is not None and (move.to == agent or move.to not in offer.seats):
        return _ignored(ledger, move, agent, "nobody to delegate to")
    if (agent, move.rule, move.to) in ledger.delegated:
        return _ignored(ledger, move, agent, "delegated before")
    others = tuple(entry for entry in ledger.delegated if entry[:2] != (agent, move.rule))
    who = (agent,) if move.to is None else (agent, move.to)
    after = replace(ledger, delegated=(*others, (agent, move.rule, move.to)))
    return after, (RuleEvent("delegate", move.rule, who),)


def _order(ledger: Ledger, move: Move, agent: int, round: int, offer: Offer) -> Outcome:
    problem = _bad_terms(move, offer)
    if problem:
        return _ignored(ledger, move, agent, problem)
    terms = dict(move.terms)
    side: Literal["buy", "sell"] = "buy" if terms["side"] == "buy" else "sell"
    units, price = terms["units"], terms["price"]
    assert isinstance(units, int) and isinstance(price, (int, Fraction)), "as the offer says"
    kept = tuple(order for order in ledger.orders if (order.rule, order.by) != (move.rule, agent))
    told = RuleEvent("order", move.rule, (agent,), f"{side} up to {units} at {show(price)} each")
    return replace(ledger, orders=(*kept, Order(move.rule, agent, side, units, price))), (told,)


def _defy(ledger: Ledger, move: Move, agent: int, round: int, offer: Offer) -> Outcome:
    if (agent, move.rule) in ledger.defying:
        return _ignored(ledger, move, agent, "defied before")
    after = replace(ledger, defying=(*ledger.defying, (agent, move.rule)))
    return after, (RuleEvent("defy", move.rule, (agent,), "announced"),)


_APPLY: Mapping[MoveKind, Callable[[Ledger, Move, int, int, Offer], Outcome]] = {
    "propose": _propose,
    "counter": _propose,
    "accept": _accept,
    "sign": _accept,
    "refuse": _refuse,
    "withdraw": _withdraw,
    "join": _join,
    "leave": _leave,
    "transfer": _transfer,
    "motion": _motion,
    "vote": _vote,
    "delegate": _delegate,
    "defy": _defy,
    "order": _order,
}

_ANSWERS = frozenset[MoveKind]({"accept", "sign", "refuse", "withdraw", "join", "leave", "vote", "delegate", "defy"})
"""Moves about something that stands in the ledger, or that can be made once a round: they can come late or twice."""


def _with(ledger: Ledger, proposal: Proposal) -> Ledger:
    return replace(ledger, proposals=tuple(proposal if p.id == proposal.id else p for p in ledger.proposals))


def _ignored(ledger: Ledger, move: Move, agent: int, why: str) -> Outcome:
    number = "" if move.target is None else f" {move.target}"
    return ledger, (RuleEvent("ignored", move.rule, (agent,), f"{move.kind}{number}: {why}"),)
