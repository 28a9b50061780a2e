"""The stage game: joint action in, payoffs and next state out.

A mechanism is a pure function of (state, joint action, keyed noise). It never sees a language model, a clock or a file,
so every counterfactual this project reports is one more call of `step`.

Seats are numbers 0..n-1; names belong to the scenario. Rounds are counted from 1.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, ClassVar, Generic, Literal, Protocol, Self, TypeAlias, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from society.core.actions import Action, Amount, Choice, Division, Joint, Route
from society.core.arrays import NDArray, np
from society.core.columns import Column
from society.core.exact import Json, Number
from society.core.registry import Kind
from society.core.rows import RuleEvent
from society.core.seeds import Noise
from society.core.votes import Ballot

Fact: TypeAlias = Number | str | bool | tuple[Number | None, ...] | None
Facts: TypeAlias = Mapping[str, Fact]
"""What an agent is told of the state, by plain names that templates word. Never a hint at the theory."""

SpaceOf: TypeAlias = Amount | Choice | Route | Division
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Transition(Generic[S]):
    """What one round of the mechanism did.

    Attributes:
        state: the next state.
        payoffs: what the mechanism hands out, in seat order.
        granted: what each agent was given of a short stock (None where nothing is requested).
        total: what all took or gave together (None where actions are no quantities).
        stock_before: the shared stock as the round found it (None where there is none).
        stock_after: the stock the next round will find: after harvest, growth and shocks.
        collapsed: the commons died in this round.
        over: no further round can be played (a collapse, a race won).
        facts: further public results by plain name, such as ``target_reached``; told to the agents next round.
    """

    state: S
    payoffs: tuple[Number, ...]
    granted: tuple[Number, ...] | None = None
    total: Number | None = None
    stock_before: Number | None = None
    stock_after: Number | None = None
    collapsed: bool = False
    over: bool = False
    facts: Facts = field(default_factory=dict)

    @property
    def welfare(self) -> Number:
        """The sum of all payoffs."""
        return sum(self.payoffs)


@dataclass(frozen=True, slots=True)
class Batch:
    """Many transitions from one state at once: exact rationals in integer arrays.

    Row b is the outcome of joint action b; its payoffs are ``numerators[b] / denominators[b]``.

    Attributes:
        numerators: shape (B, n). Integers where the rules are rational (dtype int64, or object for big ones), else float64.
        denominators: shape (B, 1) or (1, 1), positive.
        totals: shape (B,), what all took or gave together; None where actions are no quantities.
        stocks: shape (B,), stock after the round; None where there is no stock.
        keys: shape (B,), integers that tell next states apart; None where the state never changes.
        state_of: the next state of a key.
        lasting: a key stands for the same state in every batch of the game, so that what is known of it can be kept.
        granted: what each seat was given of a short stock, shape (B, n); None where nothing is requested.
    """

    numerators: NDArray[Any]  # Any: int64, object or float64, as told above
    denominators: NDArray[Any]
    totals: NDArray[Any] | None = None
    stocks: NDArray[Any] | None = None
    keys: NDArray[np.int64] | None = None
    state_of: Callable[[int], object] | None = None
    lasting: bool = False
    granted: Column | None = None

    def floats(self) -> NDArray[np.float64]:
        """Payoffs as doubles: one correctly rounded division each, so equal to ``float(exact payoff)``."""
        if self.numerators.dtype == np.float64:
            return np.asarray(self.numerators / self.denominators, dtype=np.float64)
        return np.asarray(np.true_divide(self.numerators, self.denominators), dtype=np.float64)


Exactness = Literal["exact", "bound", "estimate"]


@dataclass(frozen=True, slots=True)
class Bound:
    """A ruler's value and how far it can be trusted.

    Attributes:
        value: the number.
        profile: a joint action that reaches it, if one is known.
        exact: True when no joint action does better; False when it is only the best one found.
        how: one line for the reader: closed form, enumeration of how many profiles, dynamic programme, search.
    """

    value: Number
    profile: Joint | None = None
    exact: bool = True
    how: str = ""


class Game(Protocol[S]):
    """What can be played: a bare mechanism, or one under instruments."""

    @property
    def agents(self) -> int: ...

    def initial_state(self) -> S: ...

    def over(self, state: S) -> bool: ...

    def space(self, state: S, agent: int) -> SpaceOf: ...

    def observe(self, state: S, agent: int) -> Facts: ...

    def step(self, state: S, joint: Joint, noise: Noise) -> Transition[S]: ...

    def batch(self, state: S, joints: NDArray[np.int64], noise: Noise) -> Batch: ...

    def batch_now(self, state: S, joints: NDArray[np.int64], noise: Noise) -> Batch: ...

    def abstention(self, state: S, agent: int) -> Action: ...


class Mechanism(Kind, Generic[S]):
    """A stage game with state. Subclass it in one file of `society.mechanisms`; nothing has to be registered.

    Subclasses give a literal `kind`, their parameters as fields with units, `state_type`, and the four methods below.
    Everything a *ruler* can know in closed form is an optional hook named ``known_*``: None means "not known, search".
    """

    agents: int = Field(ge=1, le=1000, description="number of agents (n); in a scenario file it follows from 'agents'")

    state_type: ClassVar[type]
    payoff_unit: ClassVar[str] = "points"
    quantities: ClassVar[frozenset[str]] = frozenset()
    """Which of ``total`` and ``stock_after`` the transitions carry; goals that aim at others are refused."""

    @property
    def symmetric(self) -> bool:
        """Whether all seats are alike: permuting the actions permutes the payoffs. Rulers then enumerate multisets."""
        return True

    @property
    def symmetric_in_expectation(self) -> bool:
        """Whether all seats are alike before luck is drawn: permuting the actions permutes the expected payoffs."""
        return self.symmetric

    @property
    def repeated(self) -> bool:
        """Whether every round is the same game: nothing that is done changes what a later round finds."""
        return not fields(self.state_type)

    @abstractmethod
    def initial_state(self) -> S:
        """The state the first round finds."""

    @abstractmethod
    def space(self, state: S, agent: int) -> SpaceOf:
        """What the agent can physically do in this state. Rules that can be broken belong into instruments."""

    @abstractmethod
    def observe(self, state: S, agent: int) -> Facts:
        """What the agent is told of the state before it speaks and acts."""

    @abstractmethod
    def step(self, state: S, joint: Joint, noise: Noise) -> Transition[S]:
        """Play one round. Every action is in its `space`; equal arguments give equal results."""

    def over(self, state: S) -> bool:
        """True when no further round can be played from this state."""
        return False

    def abstention(self, state: S, agent: int) -> Action:
        """What an agent does that does nothing; stands in for an unreadable answer where the scenario says `abstain`.

        The smallest allowed amount, or the last option of a choice unless the mechanism knows better.
        """
        space = self.space(state, agent)
        return space.low if isinstance(space, Amount) else space.grid()[-1]

    def of_size(self, agents: int) -> Self | None:
        """The same game for another number of agents; None where it cannot be played by so many."""
        try:
            return type(self).model_validate(self.model_dump() | {"agents": agents})
        except ValidationError:
            return None

    def charter(self, state: S) -> Ballot | None:
        """The vote by which the mechanism's own rules can be changed, where it is an institution itself."""
        return None

    def told(self, state: S, joint: Joint, after: Transition[S]) -> tuple[RuleEvent, ...]:
        """What happened to the mechanism's own rules in a round: a motion, and an ``amend`` with those who voted for it."""
        return ()

    def share(self, state: S) -> Number | None:
        """What each agent may take in this state so that the stock can be kept, or None where there is no such thing."""
        return None

    def sustainable(self, state: S) -> Number | None:
        """What all together may take in this state so that the next round finds no less; None without such a thing."""
        return None

    @property
    def thresholds(self) -> Mapping[str, Number]:
        """Levels of the stock, or of the total where there is none, that matter to a reader of a chart, by a short name."""
        return {}

    @property
    def most_stock(self) -> Number | None:
        """The largest stock a round can leave; None where there is no stock, or nothing bounds it."""
        return None

    def most_beside(self, state: S, others: Sequence[Action]) -> Number | None:
        """The most an agent can take beside what all others take, where they share a stock; None where nothing is short.

        It can ask for more, and be rationed like everybody; a best reply is looked for among what is really there.
        """
        return None

    def level(self, action: Action) -> Number | None:
        """The action as a quantity that can be summed and forecast, or None where it is none."""
        return None if isinstance(action, (str, tuple)) else action

    def batch(self, state: S, joints: NDArray[np.int64], noise: Noise) -> Batch:
        """`step` for many joint actions, given as codes of their spaces, shape (B, n).

        This default calls `step` row by row and is right for every mechanism; override it to be fast. The override
        equals the default exactly, which a property test checks for every kind.
        """
        from society.core.batching import batch_by_steps

        return batch_by_steps(self, state, joints, noise)

    def batch_now(self, state: S, joints: NDArray[np.int64], noise: Noise) -> Batch:
        """`batch`, where it is of no account which states the joint actions lead to; instruments know a faster way to that."""
        return self.batch(state, joints, noise)

    # What rulers may know in closed form. Utilities other than these are searched.

    def known_ceiling(self, state: S, agent: int) -> Bound | None:
        """The largest payoff this agent can get in this round if everybody acts for it."""
        return None

    def known_optimum(self, state: S) -> Bound | None:
        """The largest sum of payoffs in this round, at the cooperative benchmark a^S: of several
        profiles the one with the larger smallest payoff, then the smaller Gini, then the first in lexicographic order.
        """
        return None

    def facilities(self, state: S, agent: int, action: Action) -> tuple[str, ...]:
        """The shared facilities (roads) an action of the agent uses, by name; empty where there is no such thing."""
        return ()

    def delays(self, state: S, joint: Joint) -> Mapping[str, Number] | None:
        """How much longer each shared facility takes under this joint action than when nobody uses it; None without any."""
        return None

    def known_equilibria(self, state: S) -> tuple[Joint, ...] | None:
        """All pure Nash equilibria of this round, up to the order of the seats where the game is symmetric.

        Symmetric in expectation, where the mechanism knows expectations.
        """
        return None

    def known_expectation(self, state: S, joint: Joint) -> tuple[Number, ...] | None:
        """The exact expected payoffs of a joint action over the noise of this round; None: certain, or not known.

        Which of the two may depend on the state, not on the joint action. Where it is given, the closed forms above are
        expectations too.
        """
        return None

    def chancy(self, state: S) -> bool:
        """Whether expected payoffs of this round are known and may differ from those of one world."""
        joint = tuple(self.abstention(state, agent) for agent in range(self.agents))
        return self.known_expectation(state, joint) is not None

    def known_value(self, rounds_left: int, agent: int | None) -> Callable[[S], Number] | None:
        """The optimal total over the rounds left, as a function of the state: for one agent, or (None) for all."""
        return None

    def known_worst_equilibrium(self, rounds: int) -> Number | None:
        """The least welfare of any equilibrium of an episode of so many rounds; needed only where there is a state."""
        return None

    def known_best_equilibrium(self, rounds: int) -> Number | None:
        """The most welfare of any equilibrium of an episode of so many rounds; needed only where there is a state."""
        return None

    def known_landmarks(self) -> Mapping[str, Number]:
        """Further reference numbers in closed form, by a plain name: thresholds of the parameters, known solutions."""
        return {}

    def poles(self, state: S) -> tuple[Action, Action] | None:
        """The actions called cooperation and defection, where that is a meaningful pair of words."""
        return None


@cache
def _adapter_of(state_type: Any) -> TypeAdapter[Any]:  # Any: the state type is known only here, at run time
    return TypeAdapter(state_type)


def _adapter(state_type: Any) -> TypeAdapter[Any]:  # Any: as above; `cache` wants a type it can see is hashable
    return _adapter_of(state_type)


def state_to_plain(state: object) -> Json:
    """The canonical JSON form of a state (a frozen dataclass of exact numbers)."""
    plain_state: Json = _adapter(type(state)).dump_python(state, mode="json")
    return plain_state


def state_from_plain(state_type: type[S], raw: Json) -> S:
    """Back from `state_to_plain`."""
    state: S = _adapter(state_type).validate_python(raw)
    return state


def legalise(space: SpaceOf, action: Action) -> Action:
    """The action, or the allowed one nearest to it.

    Raises:
        ValueError: no allowed action is near in any meaningful sense (an unknown word, an empty space).
    """
    if space.contains(action):
        return action
    near = space.nearest(action)
    if near is None:
        raise ValueError(f"{action!r} is not allowed: expected {space.describe()}")
    return near


def encode(game: Game[S], state: S, joints: Sequence[Joint]) -> NDArray[np.int64]:
    """Joint actions as the integer codes `Mechanism.batch` takes, shape (B, n)."""
    spaces = [game.space(state, agent) for agent in range(game.agents)]
    codes = [[space.encode(a) for space, a in zip(spaces, joint, strict=True)] for joint in joints]
    return np.array(codes, dtype=np.int64).reshape(len(joints), game.agents)
