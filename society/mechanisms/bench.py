"""A mechanism in the hand: play a joint action, roll a plan out, ask for the ruler; no scenario file, no agents."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from society.core.actions import Action, Amount, Division, Joint
from society.core.complaints import complaint, trace, unknown_kind
from society.core.errors import BadInput, did_you_mean
from society.core.exact import Json, Number, parse_exact, show
from society.core.mechanism import Mechanism, SpaceOf, Transition, legalise
from society.core.record import Record, RoundRecord
from society.core.seeds import Noise
from society.mechanisms.reference import reference_of
from society.metrics import Measured, measure_all
from society.rulers import Outlook, Ruler, lasts, outlook

S = TypeVar("S")
Plan = Sequence[Sequence[Any]] | Callable[[Any, int], Sequence[Any]]  # Any: actions as people write them, any state
"""Joint actions round by round, or a function from (state, round) to one."""


@dataclass(frozen=True)
class Rollout(Generic[S]):
    """What a plan led to. All tuples have one entry per round that was played; a collapse ends the play early.

    Attributes:
        record: the rounds as metrics read them.
        transitions: what each round did.
        states: the state before each round, and the one after the last.
    """

    mechanism: Mechanism[S]
    seed: int
    record: Record
    transitions: tuple[Transition[S], ...]
    states: tuple[S, ...]

    @property
    def stocks(self) -> tuple[Number | None, ...]:
        """The stock each round found."""
        return tuple(step.stock_before for step in self.transitions)

    @property
    def stocks_after(self) -> tuple[Number | None, ...]:
        """The stock each round left for the next."""
        return tuple(step.stock_after for step in self.transitions)

    @property
    def actions(self) -> tuple[Joint, ...]:
        """What was played, after clamping."""
        return tuple(round_.executed for round_ in self.record.rounds)

    @property
    def grants(self) -> tuple[tuple[Number, ...] | None, ...]:
        """What each agent was given in each round, in seat order."""
        return tuple(step.granted for step in self.transitions)

    @property
    def payoffs(self) -> tuple[tuple[Number, ...], ...]:
        """What each agent got in each round."""
        return tuple(step.payoffs for step in self.transitions)

    @property
    def totals(self) -> tuple[Number | None, ...]:
        """What all took or gave together in each round."""
        return tuple(step.total for step in self.transitions)

    @property
    def gains(self) -> tuple[Number, ...]:
        """Each agent's payoffs summed over the rounds."""
        return self.record.gains

    @property
    def welfare(self) -> Number:
        """The sum of all gains."""
        return sum(self.gains)

    @property
    def rounds(self) -> int:
        """How many rounds were played."""
        return len(self.transitions)

    @property
    def collapsed(self) -> bool:
        """Whether the commons died."""
        return any(step.collapsed for step in self.transitions)

    @cached_property
    def metrics(self) -> Mapping[str, Measured]:
        """Every collective metric by name; its `value` is None where it does not apply."""
        possible = reference_of(self.mechanism, self.record.horizon, seed=self.seed)
        return measure_all(self.record, replace(possible, lasting=lasts(self.outlook)))

    @cached_property
    def outlook(self) -> Outlook | None:
        """What becomes of the stock if the last round is repeated for ever; None without a stock, or before any round."""
        if not self.transitions:
            return None
        last = self.actions[-1]
        return outlook(
            self.mechanism, lambda state, number: last, state=self.states[-1], seed=self.seed, start=self.rounds + 1
        )

    def __repr__(self) -> str:
        gains = ", ".join(show(gain) for gain in self.gains)
        return f"Rollout({self.mechanism.kind}, {self.rounds} of {self.record.horizon} rounds, gains {gains})"


class Bench(Generic[S]):
    """A mechanism to play with by hand.

    Numbers that are not allowed are clamped to the nearest allowed ones, as an agent's would be; words that are no option
    and things that are no action at all raise `BadInput`.
    """

    def __init__(self, mechanism: Mechanism[S]) -> None:
        self.mechanism = mechanism

    @cached_property
    def ruler(self) -> Ruler[S]:
        """What is possible in the first round: `optimum`, `ceiling`, `equilibria`, each telling whether it is exact."""
        return Ruler(self.mechanism)

    def ruler_at(self, state: S) -> Ruler[S]:
        """What is possible in a round that finds this state."""
        return Ruler(self.mechanism, state)

    def play(self, joint: Sequence[Any], *, state: S | None = None, round: int = 1, seed: int = 0) -> Transition[S]:
        """One joint action, from the initial state unless another is given.

        Raises:
            BadInput: not one action per agent, or something that is no action here.
        """
        here = self.mechanism.initial_state() if state is None else state
        return self.mechanism.step(here, self.joint(here, joint), Noise(seed, round))

    def rollout(self, plan: Plan, *, rounds: int | None = None, seed: int = 0) -> Rollout[S]:
        """A whole episode, from the initial state, until the plan or the game ends.

        Args:
            plan: one joint action per round, or a function of (state, round) that gives it.
            rounds: how many rounds; needed with a function, by default the length of the list.
            seed: the seed of the keyed noise.

        Raises:
            BadInput: a bad action, or a function without `rounds`.
        """
        if callable(plan):
            if rounds is None:
                raise BadInput("a function can go on for ever: say how many rounds")
            horizon, choose = rounds, plan
        else:
            listed = list(plan)
            horizon = len(listed) if rounds is None else min(rounds, len(listed))
            choose = partial(_listed, listed)
        state = self.mechanism.initial_state()
        states, steps, records = [state], [], []
        for number in range(1, horizon + 1):
            if self.mechanism.over(state):
                break
            joint = self.joint(state, choose(state, number))
            step = self.mechanism.step(state, joint, Noise(seed, number))
            records.append(_record(number, joint, step, self.mechanism, state))
            steps.append(step)
            states.append(state := step.state)
        record = Record(self.mechanism.agents, horizon, tuple(records))
        return Rollout(self.mechanism, seed, record, tuple(steps), tuple(states))

    def outlook(self, play: Sequence[Any] | Callable[[Any, int], Sequence[Any]], *, seed: int = 0) -> Outlook | None:
        """Whether a policy keeps the stock, far beyond any horizon: does it only look sustainable?

        >>> from society import mechanisms
        >>> mechanisms.get("common_pool").outlook([10, 10, 10, 10, 11])
        Outlook(verdict='collapsed', rounds=6, least=0, exact=True)

        Args:
            play: one joint action, repeated for ever, or a function of (state, round) that gives one.
            seed: the seed of the keyed noise.

        Returns:
            None for a game without a stock that regrows.
        """
        rule = play if callable(play) else lambda state, number: play
        return outlook(self.mechanism, lambda state, number: self.joint(state, rule(state, number)), seed=seed)

    def joint(self, state: S, actions: Sequence[Any]) -> Joint:
        """The joint action that is meant by what a person wrote, clamped where numbers are not allowed.

        Raises:
            BadInput: not one action per agent, or something that is no action here.
        """
        if isinstance(actions, str) or len(actions) != self.mechanism.agents:
            found = "a word" if isinstance(actions, str) else f"{len(actions)}"
            raise BadInput(f"expected {self.mechanism.agents} actions, one per agent; got {found}")
        return tuple(_action(self.mechanism.space(state, agent), raw, agent) for agent, raw in enumerate(actions))

    def __repr__(self) -> str:
        given = ", ".join(
            f"{name}={value!r}"
            for name, value in self.mechanism
            if name in type(self.mechanism).model_fields and name != "kind"
        )
        return f"Bench({self.mechanism.kind}: {given})"


def get(kind: str, **parameters: Any) -> Bench[Any]:  # Any: parameters as people write them; any type of state
    """A mechanism by its kind, with its parameters by name, ready to be played.

    Raises:
        BadInput: no such kind, no such parameter, or a value that is not allowed; names the nearest known one.
    """
    from society.mechanisms import MECHANISMS

    kind_type = MECHANISMS.type_of(kind)
    try:
        return Bench(kind_type.model_validate({"kind": kind, **parameters}))
    except ValidationError as problem:
        raise BadInput(f"{kind}: {_told(problem, kind_type)}") from None


def _told(problem: ValidationError, kind_type: type[Mechanism[Any]]) -> str:  # Any: whatever its state is
    sentences = []
    for error in problem.errors(include_url=False):
        path, owner = trace(kind_type, error["loc"])
        where = ".".join(map(str, path))
        if error["type"] == "extra_forbidden":
            fields = (owner or kind_type).model_fields
            name = str(path[-1])
            known = [field for field in fields if field != "kind"]
            symbol = [field for field in known if _symbol(fields[field].description) == name]
            hint = f"; did you mean {symbol[0]!r}?" if symbol else did_you_mean(name, known)
            sentences.append(f"no parameter {where!r}{hint} (known: {', '.join(known)})")
        elif error["type"] == "union_tag_invalid":
            sentences.append(f"{where}: {unknown_kind(error, str(path[-1]))}")
        else:
            sentences.append(f"{where}: {complaint(error)}" if where else complaint(error))
    return "; ".join(dict.fromkeys(sentences))


def _symbol(description: str | None) -> str:
    """The letter the papers have for a parameter, as its description tells: ``points that asking costs (k)``."""
    match = re.search(r"\((\w{1,3})\)", description or "")
    return match[1] if match else ""


def _action(space: SpaceOf, raw: Json, agent: int) -> Action:
    try:
        if isinstance(space, Amount):
            if isinstance(raw, str):
                raise BadInput(f"agent {agent}: expected {space.describe()}, got {raw!r}")
            return legalise(space, parse_exact(raw))
        if isinstance(space, Division):
            if isinstance(raw, (str, Mapping)) or not isinstance(raw, Sequence):
                raise BadInput(f"agent {agent}: expected {space.describe()}, got {raw!r}")
            return legalise(space, tuple(parse_exact(part) for part in raw))
        word = str(raw)
        for option in space.options:
            if option.casefold() == word.strip().casefold():
                return option
        raise BadInput(f"agent {agent}: {word!r} is no option{did_you_mean(word, space.options)} ({space.describe()})")
    except BadInput:
        raise
    except ValueError as problem:
        raise BadInput(f"agent {agent}: {problem}") from None


def _record(number: int, joint: Joint, step: Transition[S], mechanism: Mechanism[S], state: S) -> RoundRecord:
    return RoundRecord(
        round=number,
        executed=joint,
        payoffs=step.payoffs,
        material=step.payoffs,
        granted=step.granted,
        total=step.total,
        stock_before=step.stock_before,
        stock_after=step.stock_after,
        collapsed=step.collapsed,
        share=mechanism.share(state),
        sustainable=mechanism.sustainable(state),
    )


def _listed(joints: Sequence[Sequence[Any]], _: Any, number: int) -> Sequence[Any]:  # Any: as in `Plan`
    """A plan that is a list, as a function of the state and the round."""
    return joints[number - 1]
