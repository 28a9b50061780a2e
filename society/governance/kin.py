"""Seats that rules cannot tell apart: what is worked out for one of them holds for all."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache

from society.core.instrument import Instrument
from society.governance.detection import fate
from society.governance.pipeline import Setting

_PECULIAR = ("transform", "groups", "breaches", "breaches_of", "breach", "pay", "feel")
"""The hooks in which an instrument can treat seats differently beside what it allows them."""


def kin(setting: Setting) -> tuple[int, ...]:
    """For each seat the first one that all rules treat alike in this round: equal actions of the two lead to equal breaches
    and payments, and exchanging their actions exchanges what is paid.
    """
    if setting.known.kin is None:
        first: dict[Hashable, int] = {}
        seats = range(setting.book.mechanism.agents)
        setting.known.kin = tuple(first.setdefault(_treatment(setting, seat), seat) for seat in seats)
    return setting.known.kin


def _treatment(setting: Setting, seat: int) -> Hashable:
    """All that tells the seat from others under the rules of this round; itself where a rule does not say."""
    mechanism, physical = setting.book.mechanism, setting.state.physical
    found: list[Hashable] = [
        mechanism.space(physical, seat),
        mechanism.abstention(physical, seat),
        setting.spaces[seat],
        setting.hard[seat],
        seat in setting.exempt,
    ]
    for rule, at, allowed in zip(setting.rules, setting.moments, setting.allowed, strict=True):
        instrument = rule.instrument
        peculiar = instrument.peculiar(at, rule.memory, seat)
        if peculiar is None or not says_with(type(instrument), "peculiar", *_PECULIAR):
            return seat
        defying = (seat, rule.id) in setting.state.ledger.defying
        found.append(
            (seat in at.seats, allowed[seat], fate(instrument, rule.id, setting.noise, seat), defying, peculiar)
        )
    return tuple(found)


@cache
def says_with(kind: type[Instrument], hook: str, *others: str) -> bool:
    """Whether a class of instruments says a hook wherever it, or a class it refines, says one of the others anew."""
    order = kind.__mro__

    def author(name: str) -> int:
        return next(place for place, ancestor in enumerate(order) if name in vars(ancestor))

    return all(author(hook) <= author(other) for other in others)
