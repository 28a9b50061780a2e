"""Prices of harm that those who do it and those who suffer it set for each other."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from society.core.actions import Action, Amount
from society.core.acts import PlayedBatch
from society.core.columns import Column
from society.core.exact import Exact, Json, Number, tidy
from society.core.instrument import Change, Instrument, Moment, Paid, Played
from society.core.mechanism import Mechanism, SpaceOf
from society.core.rows import Transfer
from society.instruments.fines import split


@dataclass(frozen=True, slots=True)
class Prices:
    """What was announced for this round: (who says it, whose units, to whom, the price of each)."""

    said: tuple[tuple[int, int, int, Number], ...] = ()


class Compensation(Instrument):
    """Both sides of every harm announce its price; each pays, or is paid, by what the other said [Varian1994]_.

    For every unit of i's action i pays each other j the price that j announced, and j receives the price that i announced;
    i loses `mismatch` times the square of the difference. So nobody gains by a price of its own for itself: i does best to
    announce what j does, and j to announce what a unit harms it, since that moves i to the amount at which both are best
    off. Where all announce the marginal harm, the efficient amounts are an equilibrium, and what is paid is received.

    Prices are announced at the end of a round for the next one, and are 0 in the first. What is paid and not received (or the
    other way) is shared by the agents beside the two, so that no units come or go; of two agents it is burnt or paid in.
    """

    kind: Literal["compensation"] = "compensation"
    source = ("Varian1994",)
    most: Exact = Field(20, gt=0)
    """largest price of a unit"""
    mismatch: Exact = Field(1, ge=0)
    """what announcing another price than the one harmed costs, times the square of the difference; it is burnt"""

    memory_type = Prices
    klass = "structural"
    invariant: ClassVar[str] = (
        "Among three or more, payments sum to minus what mismatches cost; where both sides announce the same, to zero."
    )

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        return (cls(), cls.model_validate({"most": 3, "mismatch": "1/2"}))

    def unfit(self, mechanism: Mechanism[Any]) -> str | None:
        if not self.allow_debt:
            return "prices are paid in full: leave allow_debt true"
        space = mechanism.space(mechanism.initial_state(), 0)
        return None if isinstance(space, Amount) else "its actions are no amounts, so that there is no price of a unit"

    def tell(self, at: Moment, memory: Prices, agent: int) -> Mapping[str, Json]:
        said = self._said(memory)
        others = [seat for seat in at.seats if seat != agent]
        pays = {other: said.get((other, agent, other), 0) for other in others}
        gets = {other: said.get((other, other, agent), 0) for other in others}
        told: dict[str, Any] = {
            "pays": [[at.names[other], price] for other, price in pays.items() if price],
            "gets": [[at.names[other], price] for other, price in gets.items() if price],
            "example": at.names[others[0]] if others else "",
            "all_paid": tidy(sum(pays.values())),
        }
        return told

    def ballot(self, at: Moment, memory: Prices, agent: int) -> Mapping[str, SpaceOf]:
        space = Amount.between(0, self.most, step=None)
        others = [at.names[seat] for seat in at.seats if seat != agent]
        return {part: space for name in others for part in (f"{name} to me", f"me to {name}")}

    def decide(self, at: Moment, memory: Prices, votes: Mapping[int, Mapping[str, Action]]) -> Change:
        said: list[tuple[int, int, int, Number]] = []
        for seat, parts in votes.items():
            for other in at.seats:
                for part, units_of, to in (
                    (f"{at.names[other]} to me", other, seat),
                    (f"me to {at.names[other]}", seat, other),
                ):
                    price = parts.get(part, 0)
                    if other != seat and isinstance(price, (int, Fraction)) and price:
                        said.append((seat, units_of, to, price))
        return Change(Prices(tuple(said)))

    def pay(self, at: Moment, memory: Prices, played: Played) -> Paid:
        said, rows = self._said(memory), list[Transfer]()
        for giver, taker in permutations(at.seats, 2):
            asked, offered = said.get((taker, giver, taker), 0), said.get((giver, giver, taker), 0)
            if asked or offered:
                units = at.mechanism.level(played.executed[giver]) or 0
                rows += self._settled(at, giver, taker, tidy(asked * units), tidy(offered * units))
                lost = tidy(self.mismatch * (asked - offered) * (asked - offered))
                rows += [Transfer(giver, None, lost, at.rule, "mismatch")] if lost else []
        return Paid(tuple(rows))

    def _settled(self, at: Moment, giver: int, taker: int, paid: Number, received: Number) -> list[Transfer]:
        """The giver pays one sum and the taker receives another; those beside the two share the difference."""
        straight = min(paid, received)
        beside = [seat for seat in at.seats if seat not in (giver, taker)]
        found = [Transfer(giver, taker, straight, at.rule, "compensation")] if straight else []
        apart = tidy(max(paid, received) - straight)
        shares = split(None, beside, apart, at.rule, "") if beside else [Transfer(None, None, apart, at.rule, "")]
        for share in shares if apart else ():
            payer, payee = (giver, share.payee) if paid > received else (share.payee, taker)
            found.append(Transfer(payer, payee, share.amount, at.rule, "difference"))
        return found

    def pay_batch(self, at: Moment, memory: Prices, played: PlayedBatch) -> Column | None:
        if not memory.said:
            return None
        said, n = self._said(memory), at.agents
        each: list[list[Number]] = [[0] * n for _ in range(n)]  # what a unit of the first brings the second
        fixed: list[Number] = [0] * n
        for giver, taker in permutations(at.seats, 2):
            asked, offered = said.get((taker, giver, taker), 0), said.get((giver, giver, taker), 0)
            beside = [seat for seat in at.seats if seat not in (giver, taker)]
            each[giver][giver] -= asked
            each[giver][taker] += offered
            for seat in beside:
                each[giver][seat] += Fraction(asked - offered) / len(beside)
            fixed[giver] -= self.mismatch * (asked - offered) * (asked - offered)
        units = played.executed.each((at.rule, "units"), lambda seat, action: at.mechanism.level(action) or 0)
        change = []
        for taker in range(n):
            got = units.seat(taker) * 0 + fixed[taker]
            for giver in range(n):
                if each[giver][taker]:
                    got = got + units.seat(giver) * each[giver][taker]
            change.append(got)
        return Column.beside(change)

    def peculiar(self, at: Moment, memory: Prices, agent: int) -> Hashable | None:
        return None if memory.said else ()  # everybody has prices of its own

    def _said(self, memory: Prices) -> dict[tuple[int, int, int], Number]:
        return {(by, units_of, to): price for by, units_of, to, price in memory.said}
