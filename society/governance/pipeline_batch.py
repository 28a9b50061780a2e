"""The governed round up to the last payment, for many joint actions at once:

    legalise -> transform -> the mechanism's batch -> detect -> pay -> feel

Stage by stage what `society.governance.pipeline` does for one joint action, and equal to it in every number.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache, partial
from typing import Any

from society.core.actions import Action
from society.core.acts import Acts, Places, PlayedBatch
from society.core.arrays import NDArray, np
from society.core.columns import Column
from society.core.exact import tidy
from society.core.instrument import Breach, Instrument
from society.core.mechanism import Batch, Mechanism
from society.core.seeds import Noise
from society.governance.detection import judged
from society.governance.institution import REPLY, Decisions
from society.governance.kin import kin, says_with
from society.governance.pipeline import Setting, answered, decided_under
from society.governance.rulebook import Rule

_LISTED = 1 << 16
"""Codes below this are looked up in a table and not sorted."""


@cache
def in_batches(kind: type[Instrument]) -> bool:
    """Whether an instrument says its form for many joint actions wherever it says one for a single joint action."""
    return (
        says_with(kind, "transform_batch", "transform")
        and says_with(kind, "breaches_of", "breaches")
        and says_with(kind, "pay_batch", "pay")
        and says_with(kind, "feel_batch", "feel")
    )


def batched(setting: Setting) -> bool:
    """Whether every rule in force can be applied to many joint actions at once, in groups that play the same actions."""
    if not all(in_batches(type(rule.instrument)) for rule in setting.rules):
        return False
    book, physical = setting.book, setting.state.physical
    return all(
        book.sized(group).space(physical, place) == book.mechanism.space(physical, seat)
        for group in setting.groups or ()
        for place, seat in enumerate(group)
    )


def outcomes_in_batches(
    setting: Setting, joints: NDArray[np.int64], decisions: Decisions, *, felt: bool = False
) -> Batch:
    """What many joint actions bring, as codes of the setting's spaces: payoffs after all payments (with `felt`, what
    motivation makes of them), and the mechanism's totals, stocks and next states.
    """
    legal = _legalised(setting, joints)
    setting = answered(setting, decisions)
    executed = _transformed(setting, legal)
    batch = _stepped(setting, executed)
    breaches = {rule.id: partial(_breaches, setting, place) for place, rule in enumerate(setting.rules)}
    balances = Column(batch.numerators, _denominator(batch.denominators))
    if setting.state.pot:
        balances = balances + tidy(Fraction(setting.state.pot) / setting.book.mechanism.agents)

    def seen(rule: Rule) -> PlayedBatch:
        return PlayedBatch(
            legal=legal,
            executed=executed,
            granted=batch.granted,
            balances=balances,
            breaches=breaches[rule.id],
            broken=breaches,
            decisions=decided_under(decisions, rule.id),
            replies=decided_under(decisions, rule.id + REPLY),
        )

    for rule, at in zip(setting.rules, setting.moments, strict=True):
        change = rule.instrument.pay_batch(at, rule.memory, seen(rule))
        balances = balances if change is None else balances + change
    values = balances
    if felt:
        for rule, at in zip(setting.rules, setting.moments, strict=True):
            values = rule.instrument.feel_batch(at, rule.memory, seen(rule), values)
    return Batch(
        numerators=values.num,
        denominators=_denominators(values),
        totals=batch.totals,
        stocks=batch.stocks,
        keys=batch.keys,
        state_of=batch.state_of,
        lasting=batch.lasting,
        granted=batch.granted,
    )


def _denominator(denominators: NDArray[Any]) -> int | NDArray[Any]:  # Any: int64 or object
    return int(denominators[0, 0]) if len(denominators) == 1 else denominators


def _denominators(values: Column) -> NDArray[Any]:  # Any: as above
    return np.array([[values.den]]) if isinstance(values.den, int) else values.den


def _legalised(setting: Setting, joints: NDArray[np.int64]) -> Acts:
    """The nearest possible actions."""
    places = np.empty(joints.shape, dtype=np.intp)
    for seat in range(joints.shape[1] if len(joints) else 0):
        codes = joints[:, seat]
        if int(codes.min()) >= 0 and int(codes.max()) < _LISTED:
            places[:, seat] = _looked_up(setting, seat, codes)
        else:
            distinct, back = np.unique(codes, return_inverse=True)
            places[:, seat] = np.array([_legal(setting, seat, code) for code in distinct.tolist()])[back]
    return Acts(setting.known.register, places)


def _looked_up(setting: Setting, seat: int, codes: NDArray[np.int64]) -> Places:
    known = setting.known.lookups.get(seat, np.zeros(0, dtype=np.intp))
    if int(codes.max()) >= len(known):
        known = np.concatenate([known, np.full(int(codes.max()) + 1 - len(known), -1, dtype=np.intp)])
        setting.known.lookups[seat] = known
    found: Places = known[codes]
    if int(found.min()) < 0:
        new = np.unique(codes[found < 0])
        known[new] = [_legal(setting, seat, code) for code in new.tolist()]
        found = known[codes]
    return found


def _legal(setting: Setting, seat: int, code: int) -> int:
    space = setting.spaces[seat]
    action = space.decode(code)
    if not space.contains(action):
        action = setting.book.clamped(setting.hard[seat], action, setting.state, seat)
    return setting.known.register.place(kin(setting)[seat], action)


def _transformed(setting: Setting, legal: Acts) -> Acts:
    """The actions that are executed: mediators and mandates put others in their place, within hard limits."""
    acts = legal
    for rule, at in zip(setting.rules, setting.moments, strict=True):
        acts = rule.instrument.transform_batch(at, rule.memory, acts)

    def executed(seat: int, action: Action) -> int:
        return setting.known.register.place(seat, setting.book.clamped(setting.hard[seat], action, setting.state, seat))

    within = acts.each("executed", executed).num.astype(np.intp)
    if setting.exempt:
        spared = np.isin(np.arange(within.shape[1]), list(setting.exempt))
        within = np.where(spared, legal.places, within)
    return Acts(setting.known.register, within)


def _stepped(setting: Setting, executed: Acts) -> Batch:
    """What the mechanism makes of the executed actions: in one group, or in groups that play apart."""
    mechanism, physical = setting.book.mechanism, setting.state.physical
    if setting.groups is None:
        spaces = [mechanism.space(physical, seat) for seat in range(mechanism.agents)]
        codes = executed.each("code", lambda seat, action: spaces[seat].encode(action))
        return mechanism.batch(physical, codes.num, setting.noise)
    return _played_apart(setting, setting.groups, executed)


def _played_apart(setting: Setting, groups: Sequence[tuple[int, ...]], executed: Acts) -> Batch:
    """Several groups that each play among themselves; each further group has luck of its own."""
    mechanism, physical, noise = setting.book.mechanism, setting.state.physical, setting.noise
    spaces = [mechanism.space(physical, seat) for seat in range(mechanism.agents)]
    codes = executed.each("code", lambda seat, action: spaces[seat].encode(action)).num
    payoffs: dict[int, Column] = {}
    totals: list[NDArray[Any] | None] = []
    for place, group in enumerate(group for group in groups if group):
        luck = noise if not place else Noise(noise.bits("group", place), noise.round, noise.draw)
        part: Mechanism[Any] = setting.book.sized(group)
        batch = part.batch(physical, codes[:, list(group)], luck)
        whole = Column(batch.numerators, _denominator(batch.denominators))
        payoffs |= {seat: whole.seat(number) for number, seat in enumerate(group)}
        totals.append(batch.totals)
    found = Column.beside([payoffs[seat] for seat in range(mechanism.agents)])
    known = [total for total in totals if total is not None]
    return Batch(
        numerators=found.num,
        denominators=_denominators(found),
        totals=sum(known[1:], known[0]) if known and len(known) == len(totals) else None,
    )


def _breaches(setting: Setting, place: int, seat: int, action: Action) -> tuple[Breach, ...]:
    """How one agent's executed action breaks a rule, noticed and sanctioned by chance."""
    key = (place, seat, action)
    if key not in setting.known.breaches:
        rule, at, allowed = setting.rules[place], setting.moments[place], setting.allowed[place][seat]
        if rule.instrument.enforcement == "hard" and allowed is not None and not allowed.contains(action):
            allowed = None  # it could not be broken; what is outside was forced by another rule
        defying = (seat, rule.id) in setting.state.ledger.defying
        setting.known.breaches[key] = tuple(
            judged(rule, breach, setting.noise, defying=defying)
            for breach in rule.instrument.breaches_of(at, rule.memory, allowed, seat, action)
        )
    return setting.known.breaches[key]
