"""The climate game: together reach a target in time, or risk everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from pydantic import Field

from society.core.actions import Action, Amount, Joint
from society.core.arrays import NDArray, np
from society.core.exact import Exact, Number, tidy
from society.core.mechanism import Batch, Bound, Fact, Facts, Mechanism, Transition
from society.core.seeds import Noise
from society.mechanisms.amounts import whole_amounts
from society.mechanisms.merit import even_profile, merit


@dataclass(frozen=True, slots=True)
class Account:
    """How many rounds are over, and what each agent has paid so far."""

    played: int
    paid: tuple[int, ...]


class CollectiveRisk(Mechanism[Account]):
    """Everybody pays into one account; if it misses the target, all lose what they kept with some probability [Milinski2008]_.

        payoff_i after the last period = endowment - paid_i, or 0 if the target is missed and disaster strikes

    Expected: (endowment - paid_i) * (1 if the sum reaches the target, else 1 - probability). Nobody paying is always an
    equilibrium; the even share is one while it costs no more than it saves. Payoffs of earlier periods are 0: the money
    is in hand until the end. The lottery is drawn once for the group, or once for each agent.
    """

    kind: Literal["collective_risk"] = "collective_risk"
    source = ("Milinski2008",)
    state_type = Account
    payoff_unit = "euros"
    quantities = frozenset({"total", "stock_after"})

    agents: int = Field(
        6, ge=1, le=1000, description="number of agents (n); in a scenario file it follows from 'agents'"
    )
    endowment: int = Field(40, ge=0, le=1_000_000, description="euros each agent starts with")
    step_size: int = Field(2, ge=1, le=1_000_000, description="payments are multiples of this many euros")
    most: int = Field(4, ge=0, le=1_000_000, description="most euros an agent can pay in one period")
    target: int = Field(120, ge=0, le=1_000_000_000, description="euros the group has to pay in all")
    periods: int = Field(10, ge=1, le=10_000, description="periods until the account is closed; a period is a round")
    probability: Exact = Field(
        "9/10", ge=0, le=1, validate_default=True, description="chance to lose the rest if the target is missed (p)"
    )
    lottery: Literal["group", "player"] = Field("group", description="one draw for the group, or one for each agent")

    def initial_state(self) -> Account:
        return Account(0, (0,) * self.agents)

    def over(self, state: Account) -> bool:
        return state.played >= self.periods

    @property
    def thresholds(self) -> Mapping[str, Number]:
        return {"target": self.target}

    @property
    def most_stock(self) -> int:
        return self.agents * self.endowment

    def space(self, state: Account, agent: int) -> Amount:
        """Up to `most`, in steps, and never more than is left."""
        most = min(self.most, self.endowment - state.paid[agent])
        return Amount.between(0, most // self.step_size * self.step_size, step=self.step_size)

    def observe(self, state: Account, agent: int) -> Facts:
        return {
            "account": sum(state.paid),
            "target": self.target,
            "left": self.endowment - state.paid[agent],
            "paid": state.paid,
            "periods_left": self.periods - state.played,
        }

    def step(self, state: Account, joint: Joint, noise: Noise) -> Transition[Account]:
        gifts = whole_amounts(joint)
        paid = tuple(before + gift for before, gift in zip(state.paid, gifts, strict=True))
        after = Account(state.played + 1, paid)
        payoffs: tuple[Number, ...] = (0,) * self.agents
        facts: dict[str, Fact] = {"account": sum(paid)}
        if self.over(after) and not self.over(state):
            reached = sum(paid) >= self.target
            lost = (False,) * self.agents if reached else self._struck(noise)
            payoffs = tuple(0 if gone else self.endowment - p for p, gone in zip(paid, lost, strict=True))
            facts |= {"target_reached": reached, "lost_everything": sum(lost)}
        return Transition(
            state=after,
            payoffs=payoffs,
            total=sum(gifts),
            stock_before=sum(state.paid),
            stock_after=sum(paid),
            over=self.over(after),
            facts=facts,
        )

    def _struck(self, noise: Noise) -> tuple[bool, ...]:
        if self.lottery == "group":
            return (noise.chance(self.probability, "disaster"),) * self.agents
        return tuple(noise.chance(self.probability, "disaster", agent) for agent in range(self.agents))

    def batch(self, state: Account, joints: NDArray[np.int64], noise: Noise) -> Batch:
        gifts = joints * self.step_size
        paid = gifts + np.array(state.paid, dtype=np.int64)
        account = paid.sum(axis=1)
        kept = np.zeros_like(paid)
        if state.played + 1 == self.periods:
            safe = ~np.array(self._struck(noise))
            kept = (self.endowment - paid) * (safe | (account >= self.target)[:, None])
        values = self.most // self.step_size + 1  # a key holds everybody's steps as digits of this base
        if values**self.agents < 2**62:
            keys = joints @ np.array([values**seat for seat in range(self.agents)], dtype=np.int64)
        else:
            different, keys = np.unique(joints, axis=0, return_inverse=True)

        def account_of(key: int) -> Account:
            steps = [key // values**seat % values for seat in range(self.agents)]
            if values**self.agents >= 2**62:
                steps = different[key].tolist()
            return Account(
                state.played + 1, tuple(p + self.step_size * k for p, k in zip(state.paid, steps, strict=True))
            )

        return Batch(
            numerators=kept,
            denominators=np.ones((1, 1), dtype=np.int64),
            totals=gifts.sum(axis=1),
            stocks=account,
            keys=np.reshape(keys, -1).astype(np.int64),
            state_of=account_of,
        )

    def expected(self, paid: tuple[int, ...]) -> tuple[Number, ...]:
        """Expected final payoffs for what each has paid in all."""
        safe = Fraction(1) if sum(paid) >= self.target else 1 - Fraction(self.probability)
        return tuple(tidy((self.endowment - p) * safe) for p in paid)

    def known_expectation(self, state: Account, joint: Joint) -> tuple[Number, ...] | None:
        return self._last(state, joint) if state.played + 1 == self.periods else None

    def _last(self, state: Account, joint: Joint) -> tuple[Number, ...]:
        """Expected payoffs of the last period."""
        return self.expected(
            tuple(before + gift for before, gift in zip(state.paid, whole_amounts(joint), strict=True))
        )

    @property
    def symmetric(self) -> bool:
        """Only in one shot, with one lottery: else luck may differ by seat, or payments do."""
        return self.periods == 1 and self.lottery == "group"

    @property
    def symmetric_in_expectation(self) -> bool:
        return self.periods == 1

    def poles(self, state: Account) -> tuple[Action, Action] | None:
        """An even part of the target in each period, rounded up, while something is missing; and nothing.

        Nobody makes up for those who paid less: that would be more than a fair share.
        """
        if self.over(state):
            return None
        steps = -(-self.target // (self.step_size * self.agents * self.periods)) if self._missing(state) else 0
        return min(steps * self.step_size, *(int(self.space(state, seat).high) for seat in range(self.agents))), 0

    def known_ceiling(self, state: Account, agent: int) -> Bound | None:
        """In the last period: the others close the gap. Expected, where they cannot."""
        if state.played + 1 != self.periods:
            return None
        most = [int(self.space(state, seat).high) for seat in range(self.agents)]
        none = tuple(0 for _ in most)
        rich = tuple(0 if seat == agent else most[seat] for seat in range(self.agents))
        need = max(0, self._missing(state) - sum(rich))
        choices = [none, rich]
        if 0 < need <= most[agent]:
            choices.append(tuple(need if seat == agent else most[seat] for seat in range(self.agents)))
        best = max(choices, key=lambda joint: self._last(state, joint)[agent])
        value = self._last(state, best)[agent]
        return Bound(value, best, how="closed form, expected: the others close the gap")

    def known_optimum(self, state: Account) -> Bound | None:
        """In the last period: close the gap as evenly as the purses allow, or let it be. Expected.

        Where both are worth the same, as with even odds in the published game, the target is reached: then nothing is left
        to chance.
        """
        if state.played + 1 != self.periods:
            return None
        none: Joint = (0,) * self.agents
        best = none
        closed = self._even_payments(state)
        if closed is not None:
            best = max((closed, none), key=lambda joint: merit(self._last(state, joint)))
        return Bound(sum(self._last(state, best)), best, how="closed form, expected")

    def _missing(self, state: Account) -> int:
        """Euros that still have to be paid, in whole steps."""
        gap = max(0, self.target - sum(state.paid))
        return -(-gap // self.step_size) * self.step_size

    def _even_payments(self, state: Account) -> Joint | None:
        """Payments that close the gap and leave the poorest as much as possible; None if the purses are too small."""
        steps = self._missing(state) // self.step_size
        most = [int(self.space(state, seat).high) // self.step_size for seat in range(self.agents)]
        if sum(most) < steps:
            return None
        if len(set(state.paid)) == 1:
            return tuple(self.step_size * part for part in even_profile(steps, self.agents))
        given = [0] * self.agents
        for _ in range(steps):
            richest = max(
                (seat for seat in range(self.agents) if given[seat] < most[seat]),
                key=lambda seat: (-state.paid[seat] - given[seat] * self.step_size, seat),
            )
            given[richest] += 1
        return tuple(self.step_size * part for part in given)

    def known_landmarks(self) -> Mapping[str, Number]:
        """From which risk on an even share of the target costs no more than it saves."""
        share = Fraction(self.target, self.agents)
        if not 0 < share <= min(self.endowment, self.most * self.periods):
            return {}
        return {"risk from which the even share is an equilibrium": tidy(share / self.endowment)}

    def known_worst_equilibrium(self, rounds: int) -> Number | None:
        """Expected welfare when nobody pays: what each is sure of by never paying, so that no equilibrium is worse.

        None where one agent alone could reach the target and would, and in episodes that end before the account does.
        """
        alone = min(self.most // self.step_size * self.periods, self.endowment // self.step_size) * self.step_size
        missing = self._missing(self.initial_state())
        kept = self.endowment * (1 - Fraction(self.probability))
        if rounds < self.periods or (missing <= alone and self.endowment - missing > kept):
            return None
        return tidy(self.agents * (Fraction(self.endowment) if missing == 0 else kept))

    def known_best_equilibrium(self, rounds: int) -> Number | None:
        """The optimum, where it can be held: by nobody paying, or by parts of the target that cost each no more than they save."""
        worst, start = self.known_worst_equilibrium(rounds), self.initial_state()
        if worst is None:
            return None
        best = self.known_value(rounds, None)(start)
        steps, kept = self._missing(start) // self.step_size, self.endowment * (1 - Fraction(self.probability))
        largest = -(-steps // self.agents) * self.step_size
        held = best == worst or self.endowment - largest >= kept
        return best if held else None

    def known_value(self, rounds_left: int, agent: int | None) -> Callable[[Account], Number]:
        """Expected: what all (or one agent, the others paying first) can still keep. 0 if the account stays open."""

        def value(state: Account) -> Number:
            left = self.periods - state.played
            if left <= 0 or rounds_left < left:
                return 0
            purses = [
                min(self.most // self.step_size * left, (self.endowment - paid) // self.step_size) * self.step_size
                for paid in state.paid
            ]
            risky = 1 - Fraction(self.probability)
            seats = range(self.agents) if agent is None else (agent,)
            money = sum(self.endowment - state.paid[seat] for seat in seats)
            missing = self._missing(state)
            if missing > sum(purses):
                return tidy(money * risky)
            others = sum(purses) - sum(purses[seat] for seat in seats)
            return tidy(max(Fraction(money - max(0, missing - others)), money * risky))

        return value
