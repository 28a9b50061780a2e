"""Who gets what, decided by a vote under rules that can themselves be voted on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from society.core.actions import Action, Choice, Division, Joint
from society.core.arrays import NDArray, np
from society.core.batching import batch_by_classes
from society.core.exact import Exact, Number, tidy
from society.core.mechanism import Batch, Bound, Fact, Facts, Mechanism, SpaceOf, Transition
from society.core.rows import RuleEvent
from society.core.seeds import Noise
from society.core.votes import Ballot

Shares = tuple[int | Fraction, ...]


@dataclass(frozen=True, slots=True)
class Charter:
    """The rules in force, and what is on the table.

    Attributes:
        weights: votes of each agent.
        quota: votes a proposal needs.
        shares: what each gets of the pie per vote where rules are amended; empty where the pie itself is voted on.
        phase: whether proposals are made or voted on next.
        proposer: whose proposal is on the table.
        division: the division on the table.
        motion: the name of the motion on the table.
        refused: how many proposals have failed.
        settled: a division was accepted; the game is over.
    """

    weights: tuple[int, ...]
    quota: int
    shares: Shares = ()
    phase: Literal["propose", "vote"] = "propose"
    proposer: int | None = None
    division: Shares | None = None
    motion: str | None = None
    refused: int = 0
    settled: bool = False


class Motion(BaseModel):
    """An amendment that can be moved: what it names replaces the rule in force, the rest stays."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str = Field(pattern=r"^[^/,]+$", max_length=60)
    """how agents call it"""
    weights: tuple[int, ...] | None = None
    """new votes of each agent"""
    quota: int | None = Field(None, ge=1)
    """new votes needed"""
    shares: tuple[Exact, ...] | None = None
    """new shares of the pie, adding up to 1"""


class Constitution(Mechanism[Charter]):
    """A pie to divide by weighted majority, or a rule to amend by it [BaronFerejohn1989]_.

    Rounds alternate: in one everybody hands in a proposal and a lot, the same for every agent, recognises whose is put to
    the vote; in the next all vote, the proposer for its own. A proposal passes with `quota` votes.

    Without `motions` proposals are divisions of the pie; the first to pass is paid out and ends the game, and every refusal
    shrinks the pie by the discount. With equal votes, in the symmetric stationary equilibrium the proposer offers
    discount/n to quota - 1 others, keeps 1 - discount (quota - 1)/n, and passes at once.

    With `motions` proposals are amendments of votes, quota and shares; the pie is paid by the shares in force after every
    vote. Whoever controls the quota controls the pie: this is where power is seized by the rules' own procedure.
    """

    kind: Literal["constitution"] = "constitution"
    source = ("BaronFerejohn1989",)
    state_type = Charter

    agents: int = Field(5, ge=2, le=20, description="number of agents (n); in a scenario file it follows from 'agents'")
    pie: Exact = Field(100, gt=0, le=1_000_000, description="points to divide")
    unit: Exact = Field(1, gt=0, description="shares of a division are multiples of this many points")
    weights: tuple[int, ...] = Field((), description="votes of each agent; empty: one each")
    quota: int | None = Field(None, ge=1, description="votes a proposal needs (q); null: more than half")
    discount: Exact = Field(1, ge=0, le=1, description="what is left of the pie after each refused division")
    shares: tuple[Exact, ...] = Field((), description="with motions: shares of the pie, adding up to 1; empty: equal")
    motions: tuple[Motion, ...] = Field(
        (), max_length=20, description="amendments that can be moved; empty: divide the pie"
    )

    @model_validator(mode="after")
    def _everybody_counts(self) -> Self:
        rules = [("the rules", self.weights or None, self.shares or None)]
        rules += [(f"motion {motion.name!r}", motion.weights, motion.shares) for motion in self.motions]
        votes = sum(self.weights) if self.weights else self.agents
        if self.quota is not None and self.quota > votes:
            raise ValueError(f"a quota of {self.quota} is out of reach: all agents together have {votes} votes")
        for whose, weights, shares in rules:
            if weights is not None and (len(weights) != self.agents or min(weights) < 0 or not sum(weights)):
                raise ValueError(f"{whose}: give {self.agents} weights, none below 0 and not all 0")
            if shares is not None and (len(shares) != self.agents or sum(shares) != 1 or min(shares) < 0):
                raise ValueError(f"{whose}: give {self.agents} shares from 0 up that add up to 1")
        if self.shares and not self.motions:
            raise ValueError("shares are paid where motions amend them; without motions the pie is divided by vote")
        names = [motion.name for motion in self.motions]
        if len(set(names)) < len(names) or NO_MOTION in names:
            raise ValueError(f"motions need names of their own, other than {NO_MOTION!r}")
        if self.pie % self.unit:
            raise ValueError("the pie has to be a multiple of the unit")
        return self

    def initial_state(self) -> Charter:
        weights = self.weights or (1,) * self.agents
        shares: Shares = ()
        if self.motions:
            shares = self.shares or (Fraction(1, self.agents),) * self.agents
        return Charter(weights, self.quota or sum(weights) // 2 + 1, shares)

    @property
    def symmetric(self) -> bool:
        """False: a lot makes one agent the proposer."""
        return False

    def over(self, state: Charter) -> bool:
        return state.settled

    def space(self, state: Charter, agent: int) -> SpaceOf:
        if state.phase == "vote":
            return _OWN if agent == state.proposer else _VOTE
        if self.motions:
            return Choice(options=(*(motion.name for motion in self.motions), NO_MOTION))
        return Division(total=self.pie, parts=self.agents, step=self.unit)

    def abstention(self, state: Charter, agent: int) -> Action:
        """To vote no, to move nothing, to propose equal parts (the odd units to the last seats)."""
        space = self.space(state, agent)
        if isinstance(space, Division):
            units, spare = divmod(int(self.pie / Fraction(self.unit)), self.agents)
            return tuple(
                tidy((units + (seat >= self.agents - spare)) * Fraction(self.unit)) for seat in range(self.agents)
            )
        return space.grid()[-1]

    def observe(self, state: Charter, agent: int) -> Facts:
        facts: dict[str, Fact] = {
            "phase": state.phase,
            "votes": state.weights,
            "quota": state.quota,
            "pie": self._worth(state),
        }
        if self.motions:
            facts["shares"] = tuple(tidy(share * self.pie) for share in state.shares)
        if state.phase == "vote":
            facts |= {"proposer": state.proposer, "division": state.division, "motion": state.motion}
            motion = self._motion(state)
            if motion is not None:
                facts |= {"new_votes": motion.weights, "new_quota": motion.quota}
                facts["new_shares"] = motion.shares and tuple(tidy(share * self.pie) for share in motion.shares)
        return facts

    def step(self, state: Charter, joint: Joint, noise: Noise) -> Transition[Charter]:
        nothing: tuple[Number, ...] = (0,) * self.agents
        if state.settled:
            return Transition(state=state, payoffs=nothing, over=True)
        if state.phase == "propose":
            return Transition(state=self._recognise(state, joint, noise), payoffs=nothing)
        votes = sum(weight for weight, word in zip(state.weights, joint, strict=True) if word == "yes")
        passed = votes >= state.quota
        after = self._decided(state, passed)
        payoffs = nothing
        if self.motions:
            payoffs = tuple(tidy(share * self.pie) for share in after.shares)
        elif passed and state.division is not None:
            payoffs = tuple(tidy(share * Fraction(self.discount) ** state.refused) for share in state.division)
        facts: dict[str, Fact] = {"passed": passed, "votes_for": votes, "votes_needed": state.quota}
        return Transition(state=after, payoffs=payoffs, over=after.settled, facts=facts)

    def batch(self, state: Charter, joints: NDArray[np.int64], noise: Noise) -> Batch:
        """All that matters is the proposal of the one who is recognised, or whether the votes suffice."""
        if state.settled:
            classes = np.zeros(len(joints), dtype=np.int64)
        elif state.phase == "propose":
            return self._proposed(state, joints, noise)
        else:
            votes = (joints == 0) @ np.array(state.weights, dtype=np.int64)
            classes = (votes >= state.quota).astype(np.int64)
        return batch_by_classes(self, state, joints, classes, noise)

    def _proposed(self, state: Charter, joints: NDArray[np.int64], noise: Noise) -> Batch:
        """Nothing is paid, and the next state is what stands for the vote."""
        proposer = self._proposer(noise)
        space = self.space(state, proposer)
        return Batch(
            np.zeros((len(joints), self.agents), dtype=np.int64),
            np.ones((1, 1), dtype=np.int64),
            keys=joints[:, proposer],
            state_of=lambda key: self._recognise(state, (space.decode(key),) * self.agents, noise),
        )

    def _proposer(self, noise: Noise) -> int:
        return noise.below(self.agents, "recognition")

    def _recognise(self, state: Charter, joint: Joint, noise: Noise) -> Charter:
        proposer = self._proposer(noise)
        proposal = joint[proposer]
        if isinstance(proposal, tuple):
            exact: Shares = tuple(Fraction(part) if isinstance(part, float) else part for part in proposal)
            return self._put(state, proposer, division=exact)
        return self._put(state, proposer, motion=str(proposal))

    def _put(
        self, state: Charter, proposer: int, *, division: Shares | None = None, motion: str | None = None
    ) -> Charter:
        return Charter(state.weights, state.quota, state.shares, "vote", proposer, division, motion, state.refused)

    def _decided(self, state: Charter, passed: bool) -> Charter:
        motion = self._motion(state) if passed else None
        weights, quota, shares = state.weights, state.quota, state.shares
        if motion is not None:
            weights = motion.weights or weights
            quota = motion.quota or quota
            shares = motion.shares or shares
        divided = passed and not self.motions
        return Charter(weights, quota, shares, refused=state.refused + (not passed), settled=divided)

    def _motion(self, state: Charter) -> Motion | None:
        return next((motion for motion in self.motions if motion.name == state.motion), None)

    def _worth(self, state: Charter) -> Number:
        """What is left of the pie."""
        return self.pie if self.motions else tidy(self.pie * Fraction(self.discount) ** state.refused)

    def known_optimum(self, state: Charter) -> Bound | None:
        """Nothing is paid before the vote; the vote itself is tried out."""
        return self._nothing_yet(state)

    def known_ceiling(self, state: Charter, agent: int) -> Bound | None:
        return self._nothing_yet(state)

    def _nothing_yet(self, state: Charter) -> Bound | None:
        if state.phase == "vote":
            return None
        even = tuple(self.abstention(state, agent) for agent in range(self.agents))
        return Bound(0, even, how="closed form: nothing is paid before the vote")

    def charter(self, state: Charter) -> Ballot | None:
        return Ballot(state.quota, state.weights) if self.motions else None

    def told(self, state: Charter, joint: Joint, after: Transition[Charter]) -> tuple[RuleEvent, ...]:
        """Whose motion comes to the vote, and what is amended by whom."""
        new = after.state
        if self.motions and state.phase == "propose" and new.proposer is not None and new.motion != NO_MOTION:
            return (RuleEvent("motion", self.kind, (new.proposer,), new.motion or ""),)
        motion = self._motion(state)
        if state.phase == "propose" or motion is None or not after.facts["passed"]:
            return ()
        yes = tuple(seat for seat, word in enumerate(joint) if word == "yes")
        return (RuleEvent("amend", self.kind, yes, motion.name),)

    @property
    def stationary(self) -> tuple[Number, Number] | None:
        """(what the proposer keeps, what it offers each of quota - 1 others), as shares of the pie.

        The symmetric stationary equilibrium for equal votes; None where votes differ or rules are amended.
        """
        state = self.initial_state()
        if self.motions or len(set(state.weights)) > 1:
            return None
        partners = -(-state.quota // state.weights[0]) - 1
        offer = Fraction(self.discount) / self.agents
        return tidy(1 - partners * offer), tidy(offer)

    def known_landmarks(self) -> Mapping[str, Number]:
        if self.stationary is None:
            return {}
        keeps, offers = (tidy(Fraction(share) * self.pie) for share in self.stationary)
        return {
            "stationary equilibrium: the proposer keeps": keeps,
            "stationary equilibrium: the proposer offers each partner": offers,
        }

    def known_value(self, rounds_left: int, agent: int | None) -> Callable[[Charter], Number] | None:
        """What everybody acting for one (or for all) can still bring: the whole pie, as soon as a proposal can pass."""
        if self.motions:
            return (
                None if agent is not None else lambda state: self.pie * ((rounds_left + (state.phase == "vote")) // 2)
            )

        def value(state: Charter) -> Number:
            if state.settled:
                return 0
            if state.phase == "propose":
                return self._worth(state) if rounds_left >= 2 else 0
            refused = Charter(state.weights, state.quota, refused=state.refused + 1)
            later = self._worth(refused) if rounds_left >= 3 else 0
            scale = Fraction(self.discount) ** state.refused
            now = self._worth(state) if agent is None else tidy((state.division or ())[agent] * scale)
            return max(now, later)

        return value


NO_MOTION = "none"
_VOTE = Choice(options=("yes", "no"))
_OWN = Choice(options=("yes",))
