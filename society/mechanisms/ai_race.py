"""Two laboratories in a race: safe and slow, or fast and risky."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

from pydantic import Field

from society.core.actions import Action, Choice, Joint
from society.core.arrays import NDArray, np
from society.core.batching import batch_by_classes
from society.core.columns import over_common_denominator
from society.core.exact import Exact, Number, tidy
from society.core.mechanism import Batch, Bound, Fact, Facts, Mechanism, Transition
from society.core.seeds import Noise

OPTIONS = ("SAFE", "UNSAFE")
Pair = tuple[Number, Number]


@dataclass(frozen=True, slots=True)
class Race:
    """How far each laboratory has come, what it has earned, how often it cut corners; and whether the race is over."""

    played: int = 0
    progress: tuple[int | Fraction, ...] = (0, 0)
    earned: tuple[int | Fraction, ...] = (0, 0)
    unsafe: tuple[int, ...] = (0, 0)
    finished: bool = False


class AiRace(Mechanism[Race]):
    """Whoever skips safety moves faster, and may be caught or meet disaster [Han2020]_, [FernandezDomingosHan2026]_.

    `averaged` is a game of one table: payoffs per round, averaged over a whole race, with p = 1 - risk.

        SAFE, SAFE       prize/(2 W) + benefit/2 - cost
        SAFE, UNSAFE     (1 - detection) benefit/(speed + 1) + detection benefit - cost
        UNSAFE, SAFE     p (speed prize/W + (1 - detection) speed benefit/(speed + 1))
        UNSAFE, UNSAFE   p (speed prize/(2 W) + (1 - detection^2) benefit/2)

    `dynamic` plays the race: each round pays the benefit split by speed (no prize, no disaster, detection as above), a
    laboratory moves 1 step or `speed` steps, and after `shortest` rounds each round may be the last. The leader then gets
    the prize (half each if level); a winner loses all it earned with probability risk * its share of unsafe rounds.
    """

    kind: Literal["ai_race"] = "ai_race"
    source = ("Han2020", "FernandezDomingosHan2026")
    state_type = Race

    agents: int = Field(2, ge=2, le=2, description="number of agents (n); a race is between two")
    variant: Literal["averaged", "dynamic"] = Field(
        "averaged", description="one table per round, or a race with an end"
    )
    benefit: Exact = Field(4, ge=0, le=1_000_000, description="points per round, split by speed (b)")
    cost: Exact = Field(1, ge=0, le=1_000_000, description="points a safe round costs (c)")
    speed: Exact = Field(
        "3/2", gt=1, le=1000, validate_default=True, description="steps of an unsafe round (s); a safe one: 1"
    )
    prize: Exact | None = Field(
        None, ge=0, le=1_000_000_000, description="points (B); null: 10000 averaged, 100 dynamic"
    )
    steps: int = Field(100, ge=1, le=1_000_000, description="averaged: rounds of safe work to the prize (W)")
    detection: Exact | None = Field(
        None, ge=0, le=1, description="chance per round that unsafe work is found out; null: 1/2 averaged, 0 dynamic"
    )
    risk: Exact = Field("1/2", ge=0, le=1, validate_default=True, description="chance of disaster for unsafe work")
    shortest: int = Field(5, ge=1, le=10_000, description="dynamic: rounds that are always played")
    stop: Exact = Field(
        "1/5", gt=0, le=1, validate_default=True, description="dynamic: chance that a later round is last"
    )

    @property
    def stake(self) -> Fraction:
        """The prize."""
        default = 10_000 if self.variant == "averaged" else 100
        return Fraction(default if self.prize is None else self.prize)

    @property
    def repeated(self) -> bool:
        return self.variant == "averaged"

    @cached_property
    def rounds_pay(self) -> tuple[tuple[Pair, Pair], tuple[Pair, Pair]]:
        """Payoffs of a round, by the options of both laboratories: [SAFE or UNSAFE][SAFE or UNSAFE]."""
        return self._pays(Fraction(self.risk))

    def _pays(self, risk: Fraction) -> tuple[tuple[Pair, Pair], tuple[Pair, Pair]]:
        b, c, s = Fraction(self.benefit), Fraction(self.cost), Fraction(self.speed)
        caught = Fraction(self.detection) if self.detection is not None else Fraction(self.variant == "averaged", 2)
        prize, lucky = (self.stake / self.steps, 1 - risk) if self.variant == "averaged" else (0, 1)
        both_safe = tidy(Fraction(prize) / 2 + b / 2 - c)
        behind = tidy((1 - caught) * b / (s + 1) + caught * b - c)
        ahead = tidy(lucky * (s * prize + (1 - caught) * s * b / (s + 1)))
        both_unsafe = tidy(lucky * (s * prize / 2 + (1 - caught**2) * b / 2))
        return ((both_safe, both_safe), (behind, ahead)), ((ahead, behind), (both_unsafe, both_unsafe))

    def initial_state(self) -> Race:
        return Race()

    def over(self, state: Race) -> bool:
        return state.finished

    def space(self, state: Race, agent: int) -> Choice:
        return _CHOICE

    def observe(self, state: Race, agent: int) -> Facts:
        (both_safe, behind), (ahead, both_unsafe) = self.rounds_pay
        facts: dict[str, Fact] = {
            "both_safe": both_safe[0],
            "behind": behind[0],
            "ahead": ahead[0],
            "both_unsafe": both_unsafe[0],
        }
        if self.variant == "dynamic":
            facts |= {"own_progress": state.progress[agent], "their_progress": state.progress[1 - agent]}
            facts["prize"] = tidy(self.stake)
        return facts

    def step(self, state: Race, joint: Joint, noise: Noise) -> Transition[Race]:
        picks = tuple(OPTIONS.index(str(word)) for word in joint)
        pay = self.rounds_pay[picks[0]][picks[1]]
        if self.variant == "averaged":
            return Transition(state=state, payoffs=pay)
        return self._run(state, picks, pay, noise)

    def _run(self, state: Race, picks: tuple[int, ...], pay: Pair, noise: Noise) -> Transition[Race]:
        played = state.played + 1
        progress = tuple(tidy(p + (self.speed if pick else 1)) for p, pick in zip(state.progress, picks, strict=True))
        unsafe = tuple(u + pick for u, pick in zip(state.unsafe, picks, strict=True))
        earned = tuple(tidy(e + p) for e, p in zip(state.earned, pay, strict=True))
        last = played >= self.shortest and (noise.chance(self.stop, "stop") or state.finished)
        payoffs: tuple[Number, ...] = pay
        facts: dict[str, Fact] = {"progress": progress, "last_round": last}
        if last:
            leaders = [lab for lab in (0, 1) if progress[lab] == max(progress)]
            setbacks = [
                lab for lab in leaders if noise.chance(self.risk * Fraction(unsafe[lab], played), "setback", lab)
            ]
            payoffs = tuple(
                tidy(-state.earned[lab])
                if lab in setbacks
                else tidy(pay[lab] + self.stake / len(leaders))
                if lab in leaders
                else pay[lab]
                for lab in (0, 1)
            )
            facts |= {"winner": leaders[0] if len(leaders) == 1 else None, "setbacks": len(setbacks)}
        after = Race(played, progress, earned, unsafe, last)  # type: ignore[arg-type]  # exact in, exact out
        return Transition(state=after, payoffs=payoffs, over=last, facts=facts)

    def batch(self, state: Race, joints: NDArray[np.int64], noise: Noise) -> Batch:
        cells = joints[:, 0] * 2 + joints[:, 1]
        if self.variant == "averaged":
            numerators, denominators = self._cells
            return Batch(numerators[cells], denominators)
        return batch_by_classes(self, state, joints, cells, noise)

    @cached_property
    def _cells(self) -> tuple[NDArray[Any], NDArray[Any]]:  # Any: int64 or object, see over_common_denominator
        return over_common_denominator([cell for row in self.rounds_pay for cell in row])

    def poles(self, state: Race) -> tuple[Action, Action]:
        return OPTIONS

    def plans(self, risk: Fraction | None = None) -> tuple[tuple[Number, ...], ...]:
        """Expected payoff of a whole dynamic race, by the plans of both (always SAFE or always UNSAFE): [own][rival's].

        A race lasts shortest + (1 - stop)/stop rounds on average; a winner that was always unsafe loses all with
        probability `risk`, by default that of the race.
        """
        length = self.shortest + (1 - Fraction(self.stop)) / Fraction(self.stop)
        kept = 1 - (Fraction(self.risk) if risk is None else risk)
        won = ((self.stake / 2, 0), (kept * self.stake, kept * self.stake / 2))
        runs = [[length * Fraction(self.rounds_pay[own][rival][0]) for rival in (0, 1)] for own in (0, 1)]
        return (
            (tidy(runs[0][0] + won[0][0]), tidy(runs[0][1])),
            (tidy(kept * runs[1][0] + won[1][0]), tidy(kept * runs[1][1] + won[1][1])),
        )

    def known_landmarks(self) -> Mapping[str, Number]:
        """The risks of disaster at which the answers change."""
        landmarks: dict[str, Number] = {}
        if self.variant == "dynamic":
            safe, ahead = (Fraction(plan[0]) for plan in self.plans(Fraction(0)))
            if ahead > 0:
                name = "risk from which always safe is an equilibrium among constant plans"
                landmarks[name] = tidy(max(Fraction(0), 1 - safe / ahead))
            return landmarks
        (safe, behind), (ahead, unsafe) = ((Fraction(a[0]), Fraction(b[0])) for a, b in self._pays(Fraction(0)))
        if unsafe > 0:
            landmarks["risk above which safety is best for both"] = tidy(1 - safe / unsafe)
        if ahead + unsafe > 0:
            landmarks["risk above which safety is risk-dominant"] = tidy(1 - (safe + behind) / (ahead + unsafe))
        return landmarks

    def known_ceiling(self, state: Race, agent: int) -> Bound | None:
        """The largest of the four payoffs; only in the averaged game, where a round is the whole game.

        Usually the rival is safe then; where unsafe work is likely to be found out, a caught rival is better still.
        """
        if self.variant == "dynamic":
            return None
        own, rival = max(_PAIRS, key=lambda at: self.rounds_pay[at[0]][at[1]][0])
        words = (OPTIONS[own], OPTIONS[rival])
        return Bound(self.rounds_pay[own][rival][0], words if agent == 0 else words[::-1], how=_HOW)

    def known_optimum(self, state: Race) -> Bound | None:
        if self.variant == "dynamic":
            return None
        profiles = [(0, 0), (0, 1), (1, 1)]
        first, second = max(
            profiles, key=lambda at: (sum(self.rounds_pay[at[0]][at[1]]), min(self.rounds_pay[at[0]][at[1]]))
        )
        return Bound(sum(self.rounds_pay[first][second]), (OPTIONS[first], OPTIONS[second]), how=_HOW)

    def known_equilibria(self, state: Race) -> tuple[Joint, ...] | None:
        if self.variant == "dynamic":
            return None
        (safe, behind), (ahead, unsafe) = self.rounds_pay
        found: list[Joint] = []
        if safe[0] >= ahead[0]:
            found.append(("SAFE", "SAFE"))
        if ahead[0] >= safe[0] and behind[0] >= unsafe[0]:
            found.append(("SAFE", "UNSAFE"))
        if unsafe[0] >= behind[0]:
            found.append(("UNSAFE", "UNSAFE"))
        return tuple(found)


_CHOICE = Choice(options=OPTIONS)
_PAIRS = ((0, 0), (0, 1), (1, 0), (1, 1))
_HOW = "enumeration of 4 profiles"
