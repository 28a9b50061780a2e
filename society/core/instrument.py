"""A governance instrument: hooks around a round, with parameters, a scope and a way of being enforced.

An instrument wraps; it never branches on which mechanism it wraps, only on the kind of space it meets. Its hooks stand in
the order in which a round calls them. All are pure; what an instrument remembers is an immutable *memory* in the state.

    observe      what an agent is told in addition (tell: what the rule's own paragraph says)
    offers       moves of negotiation beside its words
    widen        actions that exist only through this instrument (hand over to a mediator)
    restrict     the part of the space the rule allows; hard masks the rest, soft and advisory leave it possible
    consult      what a human is asked on an agent's behalf, now that all have acted and nothing is executed yet
    transform    executed actions in place of submitted ones
    groups       who plays the mechanism apart from whom
    breaches     who broke the rule, and what is due; the round draws detection and execution
    ask          the second stage: what has to be decided by whom, now that all see what was done
    reply        what may be decided in answer to that
    pay          transfers, row by row
    feel         motivation: what an agent makes of the payoffs; changes no payoff
    remember     the memory the next round finds
    charter      who can change rules through it: the votes of each seat, and how many are needed
    ballot       what is put to the vote at the end of the round
    decide       what the vote comes to

Enforcement: *hard* rules make actions impossible and their sanctions certain; *soft* rules are broken, detected with
probability `detection` and sanctioned with probability `execution` (both independent, on keyed noise); *advisory* rules are
words. Complying pays for a risk-neutral agent iff its gain is at most detection * execution * sanction [Becker1968]_.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar, Literal, Self, TypeAlias

from pydantic import Field
from typing_extensions import TypeAliasType

from society.core.actions import Action, Joint
from society.core.acts import Acts, PlayedBatch
from society.core.columns import Column
from society.core.errors import ScenarioError, did_you_mean
from society.core.exact import Exact, Json, Number, from_plain, is_ratio, tidy
from society.core.mechanism import Facts, Mechanism, SpaceOf
from society.core.moment import Amendment as Amendment
from society.core.moment import Blank as Blank
from society.core.moment import Breach as Breach
from society.core.moment import Change as Change
from society.core.moment import Moment as Moment
from society.core.moment import Paid as Paid
from society.core.moment import Played as Played
from society.core.moment import Standing as Standing
from society.core.moves import Offer
from society.core.registry import Kind
from society.core.votes import Ballot

Enforcement = Literal["hard", "soft", "advisory"]
Class = Literal["motivational", "strategic", "structural"]
Seat: TypeAlias = int | str
"""A seat by number (from 0) or, in a scenario file, by the agent's name."""


Telling = TypeAliasType("Telling", "Json | Fraction | Sequence[Telling] | Mapping[str, Telling]")
"""What an instrument has to tell: plain data in which numbers may be exact; see `legible`."""


class Instrument(Kind):
    """A governance instrument. Subclass it in one file of `society.instruments`; nothing has to be registered."""

    name: str | None = Field(None, pattern=r"^[a-z][a-z0-9_]{0,30}$")
    """what the rule is called in the log and in motions; default: its kind"""
    enforcement: Enforcement = "hard"
    """hard: cannot be broken; soft: can be broken, is detected and sanctioned by chance; advisory: words only"""
    detection: Exact = Field(1, ge=0, le=1)
    """probability that a violation of a soft rule is detected"""
    execution: Exact = Field(1, ge=0, le=1)
    """probability that a sanction that is due is executed"""
    agents: tuple[Seat, ...] | None = None
    """whom it applies to, by name or seat; null: everybody"""
    rounds: tuple[int, int | None] = (1, None)
    """first and last round in which it applies; null: to the end"""
    in_force: bool = True
    """false: it waits until a motion brings it into force"""
    allow_debt: bool = True
    """whether what it takes may exceed what an agent has got in the round"""

    klass: ClassVar[Class] = "structural"
    """Which of the three ways of solving a dilemma it belongs to [Kollock1998]_."""
    invariant: ClassVar[str] = ""
    """What holds whatever happens, in one sentence; a property test checks it on every mechanism."""
    memory_type: ClassVar[type] = Blank

    @classmethod
    def examples(cls, mechanism: Mechanism[Any]) -> Sequence[Self]:
        """A few settings that make sense on this mechanism, for tests and for `society show`."""
        return (cls.model_validate({}),)

    def unfit(self, mechanism: Mechanism[Any]) -> str | None:
        """Why it cannot govern this mechanism, or None if it can."""
        return None

    def touches(self) -> tuple[tuple[str, str, tuple[Json, ...]], ...]:
        """Other rules it acts on: the rule, a parameter it may change (or an empty text), and sample values of that."""
        return ()

    def resolved(self, names: Sequence[str]) -> Self:
        """The same instrument with every agent given by seat.

        Raises:
            ScenarioError: nobody has that name or seat.
        """
        if self.agents is None:
            return self
        return self.model_copy(update={"agents": tuple(sorted({seat_of(seat, names) for seat in self.agents}))})

    def applies(self, agent: int, round: int) -> bool:
        """Whether it applies to the agent in this round."""
        first, last = self.rounds
        here = self.agents is None or agent in self.agents
        return here and first <= round and (last is None or round <= last)

    def value_of(self, field: str, at: Moment) -> Json:
        """The value of one of its parameters as things stand, for prompts."""
        return legible(self.model_dump(mode="json")[field])

    def parameters(self) -> dict[str, Json]:
        """Its fields as plain values, for prompts; fractions as decimals."""
        return {name: legible(value) for name, value in self.model_dump(mode="json").items()}

    def enrolled(self, agents: int) -> Mapping[str, tuple[int, ...]]:
        """By rule, whom it applies to before the first round, where this instrument decides that."""
        return {}

    # The hooks, in the order of a round.

    def first_memory(self, agents: int) -> Any:
        """The memory before the first round."""
        return self.memory_type()

    def observe(self, at: Moment, memory: Any, agent: int) -> Facts:
        """What the agent is told through this instrument; joins the mechanism's facts."""
        return {}

    def tell(self, at: Moment, memory: Any, agent: int) -> Mapping[str, Telling]:
        """What the rule's paragraph words beyond its parameters, made `legible`; joins the variable ``rule`` of its template."""
        return {}

    def hidden(self, at: Moment, memory: Any, agent: int) -> frozenset[str]:
        """Names of the mechanism's facts the agent is not told."""
        return frozenset()

    def offers(self, at: Moment, memory: Any, agent: int) -> tuple[Offer, ...]:
        """The moves of the ledger that exist for the agent through this instrument."""
        return ()

    def widen(self, at: Moment, memory: Any, agent: int, space: SpaceOf) -> SpaceOf:
        """The space with actions added that exist only through this instrument."""
        return space

    def restrict(self, at: Moment, memory: Any, agent: int, space: SpaceOf) -> SpaceOf | None:
        """The part of the mechanism's space that the rule allows, or None where it says nothing."""
        return None

    def consult(self, at: Moment, memory: Any, legal: Joint, agent: int, space: SpaceOf) -> Mapping[str, SpaceOf]:
        """What a human is asked on the agent's behalf, with the space of each part; empty when no human is asked."""
        return {}

    def transform(self, at: Moment, memory: Any, joint: Joint) -> Joint:
        """The joint action to be executed."""
        return joint

    def groups(self, at: Moment, memory: Any) -> tuple[tuple[int, ...], ...] | None:
        """Groups of seats, everybody in one, that each play the mechanism among themselves; None: all play together."""
        return None

    def breaches(self, at: Moment, memory: Any, played: Played) -> tuple[Breach, ...]:
        """Who broke the rule, and what is due: by default those outside what `restrict` allows."""
        return tuple(
            breach
            for agent in range(at.agents)
            for breach in self.breaches_of(at, memory, played.allowed[agent], agent, played.executed[agent])
        )

    def breaches_of(
        self, at: Moment, memory: Any, allowed: SpaceOf | None, agent: int, action: Action
    ) -> tuple[Breach, ...]:
        """How one agent breaks the rule by what it does; `allowed` is what the rule allows it, None where it says nothing."""
        if allowed is None or allowed.contains(action):
            return ()
        return (self.breach(at, memory, agent, allowed, action),)

    def breach(self, at: Moment, memory: Any, agent: int, allowed: SpaceOf, action: Action) -> Breach:
        """The breach of one agent outside what is allowed, with its sanction."""
        from society.core.limits import excess

        return Breach(agent, excess=excess(allowed, action))

    def ask(self, at: Moment, memory: Any, played: Played, agent: int) -> Mapping[str, SpaceOf]:
        """What the agent has to decide in the second stage; empty when it is not asked."""
        return {}

    def reply(self, at: Moment, memory: Any, played: Played, agent: int) -> Mapping[str, SpaceOf]:
        """What the agent may decide in answer to the second stage; empty when it is not asked."""
        return {}

    def pay(self, at: Moment, memory: Any, played: Played) -> Paid:
        """Taxes, fines, contract transfers, rebates."""
        return Paid()

    def feel(self, at: Moment, memory: Any, played: Played, felt: tuple[Number, ...]) -> tuple[Number, ...]:
        """What each agent makes of the payoffs; starts from them and changes none."""
        return felt

    # The same for many joint actions at once, which counterfactuals need by the thousand. Whoever overrides `transform`,
    # `breaches`, `pay` or `feel` says it here as well (`breaches_of` for `breaches`); otherwise rounds under the instrument
    # are played one by one, which is right and slow. Both forms give equal numbers, as the contract test checks.

    def peculiar(self, at: Moment, memory: Any, agent: int) -> Hashable | None:
        """What tells the agent from others where this rule does more than allow, and to whom: who gets its fines, what it has
        signed. Agents of equal answers, scopes and limits can be exchanged; None: it cannot be exchanged with anybody.

        Whoever overrides `transform`, `groups`, a form of `breaches`, `pay` or `feel` says it as well, or is taken to say None.
        """
        return ()

    def transform_batch(self, at: Moment, memory: Any, acts: Acts) -> Acts:
        """`transform`, row by row."""
        return acts

    def pay_batch(self, at: Moment, memory: Any, played: PlayedBatch) -> Column | None:
        """What `pay` adds to each seat's balance and takes from it, shape (rows, seats); None: nothing."""
        return None

    def feel_batch(self, at: Moment, memory: Any, played: PlayedBatch, felt: Column) -> Column:
        """`feel`, shape (rows, seats). `played.balances` is final here."""
        return felt

    def remember(self, at: Moment, memory: Any, played: Played) -> Change:
        """The memory, and whatever else of the institution, for the next round. `played.balances` is final here."""
        return Change(memory)

    def charter(self, at: Moment, memory: Any) -> Ballot | None:
        """The vote by which rules can be changed through this instrument, or None where they cannot."""
        return None

    def ballot(self, at: Moment, memory: Any, agent: int) -> Mapping[str, SpaceOf]:
        """What is put to the vote at the end of the round; empty when this agent is not asked."""
        return {}

    def decide(self, at: Moment, memory: Any, votes: Mapping[int, Mapping[str, Action]]) -> Change:
        """What the vote comes to; called every round, with an empty mapping when nobody was asked."""
        return Change(memory)


_DOING = ("widen", "restrict", "transform", "groups", "breaches", "breaches_of", "pay", "feel")


def words_only(instrument: Instrument) -> bool:
    """Whether an instrument leaves what can be done in a round, and what it pays, as they are: pacts and votes do."""
    kind = type(instrument)
    return all(getattr(kind, hook) is getattr(Instrument, hook) for hook in _DOING)


def seat_of(seat: Seat, names: Sequence[str]) -> int:
    """The seat with this name or number.

    Raises:
        ScenarioError: there is none.
    """
    if isinstance(seat, int):
        if 0 <= seat < len(names):
            return seat
        raise ScenarioError(f"there is no seat {seat}: seats are 0 to {len(names) - 1}")
    if seat in names:
        return list(names).index(seat)
    raise ScenarioError(f"no agent is called {seat!r}{did_you_mean(seat, names)}")


def legible(value: Telling) -> Json:
    """Plain data for people: ratios become decimals of at most four places."""
    if isinstance(value, str):
        return legible(from_plain(value)) if is_ratio(value) else value
    if isinstance(value, Mapping):
        return {str(name): legible(part) for name, part in value.items()}
    if isinstance(value, Sequence):
        return [legible(part) for part in value]
    if isinstance(value, (Fraction, float)):
        whole = tidy(value)
        return whole if isinstance(whole, int) else round(float(whole), 4)
    return value
