"""What a script is, and the policy that plays one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from society.core.actions import Action, Amount, Choice, action_to_plain
from society.core.errors import BadInput
from society.core.goals import Goal
from society.core.mechanism import Mechanism, SpaceOf
from society.core.moves import Move
from society.core.policy import (
    Act,
    Answer,
    Decide,
    Declaration,
    Declare,
    Draft,
    Happened,
    Observation,
    Question,
    Speak,
    Utterance,
)
from society.core.registry import Kind, Registry
from society.core.seeds import Noise
from society.governance.governed import Governed, GovernedState

T = TypeVar("T")
Poles = tuple[Action, Action]


@dataclass(frozen=True, slots=True)
class Past:
    """One finished round, as far as it was public.

    Attributes:
        round: counted from 1.
        actions: what each agent did; None where that was hidden.
        poles: what was called cooperation and defection then, if anything was.
    """

    round: int
    actions: tuple[Action | None, ...]
    poles: Poles | None


@dataclass(frozen=True, slots=True)
class Sight:
    """What a script goes by.

    Attributes:
        seen: what its agent sees.
        game, state: the public rules and the physical state.
        past: the finished rounds, oldest first.
        noise: luck of this round, keyed by the run's seed.
        rules: the mechanism under its instruments; standing: the state of both. None where there are no instruments.
    """

    seen: Observation
    game: Mechanism[Any]  # Any: each mechanism has its own type of state
    state: Any  # Any: as above
    past: Sequence[Past]
    noise: Noise
    rules: Governed | None = None
    standing: GovernedState | None = None

    @property
    def law(self) -> tuple[Mechanism[Any] | Governed, Any]:  # Any: a state of either
        """What is played, and its state: with the rules that are in force, where there are any."""
        return (self.game, self.state) if self.rules is None else (self.rules, self.standing)

    @property
    def agent(self) -> int:
        return self.seen.agent

    @property
    def space(self) -> SpaceOf:
        return self.seen.space

    @property
    def poles(self) -> Poles:
        """Cooperation and defection in this state.

        Raises:
            BadInput: the mechanism knows no such words.
        """
        poles = self.game.poles(self.state)
        if poles is None:
            raise BadInput(
                f"the mechanism {self.game.kind!r} does not say what cooperation is; scripts that calculate, such as "
                "'best_reply', or that do as written, such as 'sequence', need not know"
            )
        return poles

    def others(self, past: Past) -> tuple[Action, ...]:
        """What the others did in that round, as far as it was public."""
        return tuple(a for seat, a in enumerate(past.actions) if seat != self.agent and a is not None)


def defected(action: Action, poles: Poles | None) -> bool:
    """Whether an action was no cooperation: another word, or an amount on defection's side of cooperation."""
    if poles is None:
        return False
    good, bad = poles
    if isinstance(action, (str, tuple)) or isinstance(good, (str, tuple)) or isinstance(bad, (str, tuple)):
        return action != good
    return action > good if bad > good else action < good


class Script(Kind):
    """A rule that decides. Subclass it in one file of this package; nothing has to be registered."""

    @abstractmethod
    def act(self, at: Sight) -> Action:
        """What it does. It may want more than is allowed: the nearest allowed action then stands, and that is logged."""

    def expects(self, at: Sight) -> tuple[Action | None, ...] | None:
        """What it expects each other agent to do, in seat order, or None where it has no model of them."""
        return None

    def moves(self, at: Sight, question: Speak) -> tuple[Move, ...]:
        """The moves it makes in its turn of talk."""
        return ()

    def says(self, at: Sight, question: Speak) -> tuple[Draft, ...]:
        """What it says in its turn of talk: nothing, unless its part is written out."""
        return ()

    def decide(self, at: Sight, question: Decide) -> Mapping[str, Action]:
        """What it answers to a rule: it abstains, or says no, or spends nothing, or takes the first option."""
        return {name: _abstain(space) for name, space in question.parts.items()}


SCRIPTS: Registry[Script] = Registry("script", Script, "society.agents.scripted")


class ScriptedPolicy:
    """Plays a script in one seat of one run.

    Args:
        script: the rule.
        game: the mechanism it plays.
        goal: what its forecasts are measured in.
        seed: the seed of the run.
        rules: the mechanism under its instruments, where there are any.
    """

    at_once = True

    def __init__(
        self, script: Script, game: Mechanism[Any], *, goal: Goal, seed: int = 0, rules: Governed | None = None
    ) -> None:
        self.script, self.game, self.goal, self.seed, self.rules = script, game, goal, seed, rules
        self._poles: dict[int, Poles | None] = {}
        self._past: list[Past] = []
        self._read = 0

    async def answer(self, question: Question[T]) -> Answer[T]:
        """Answer at once, without asking anybody."""
        return cast("Answer[T]", self.reply(question))

    def reply(self, question: Question[Any]) -> Answer[Any]:
        """The answer to a question.

        Raises:
            BadInput: the script cannot play here; says whose it is.
        """
        try:
            return self._reply(question)
        except BadInput as problem:
            whose = question.seen.names[question.seen.agent]
            raise BadInput(f"the script {self.script.kind!r} of {whose}: {problem}") from None

    def _reply(self, question: Question[Any]) -> Answer[Any]:
        at = self._sight(question.seen)
        if isinstance(question, Speak):
            return Answer(Utterance(self.script.says(at, question), self.script.moves(at, question)))
        if isinstance(question, Act):
            action = self.script.act(at)
            return Answer(action, submitted=action_to_plain(action))
        if isinstance(question, Decide):
            return Answer(self.script.decide(at, question))
        if isinstance(question, Declare):
            return Answer(self._declaration(at))
        raise TypeError(f"no script answers a {type(question).__name__}")

    def _declaration(self, at: Sight) -> Declaration:
        intended = at.space.nearest(self.script.act(at))
        predicted = self.script.expects(at)
        forecast = None
        if predicted is not None and intended is not None and None not in predicted:
            joint = [cast("Action", action) for action in predicted]
            joint.insert(at.agent, intended)
            game, state = at.law
            outcome = game.step(state, tuple(joint), at.noise.other(1))
            forecast = self.goal.utility(outcome, at.agent)
        return Declaration(intended=intended, predicted=predicted, forecast=forecast)

    def _sight(self, seen: Observation) -> Sight:
        state = self.game.initial_state() if seen.state is None else seen.state
        if seen.round not in self._poles:
            self._poles[seen.round] = self.game.poles(state)
        for entry in seen.history[self._read :]:
            if isinstance(entry, Happened):
                self._past.append(Past(entry.round, entry.requested, self._poles.get(entry.round)))
        self._read = len(seen.history)
        noise = Noise(self.seed, seen.round)
        if self.rules is None:
            return Sight(seen, self.game, state, self._past, noise)
        standing = seen.standing if isinstance(seen.standing, GovernedState) else self.rules.initial_state()
        return Sight(seen, self.game, state, self._past, noise, self.rules, standing)


def _abstain(space: SpaceOf) -> Action:
    if isinstance(space, Choice):
        for word in ("abstain", "no"):
            if word in space.options:
                return word
        return space.options[0]
    if isinstance(space, Amount):
        return 0 if space.contains(0) else space.low
    units, spare = divmod(int(space.total // space.step), space.parts)
    return tuple((units + (place < spare)) * space.step for place in range(space.parts))


def parse_script(kind: str, parameters: Mapping[str, Any]) -> Script:  # Any: raw fields of a scenario file
    """A script from its kind and parameters.

    Raises:
        BadInput: no such script, or a parameter is wrong.
    """
    try:
        return SCRIPTS.parse({**parameters, "kind": kind})
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "parameters"
        raise BadInput(f"script {kind!r}, {where}: {first['msg']}") from None
