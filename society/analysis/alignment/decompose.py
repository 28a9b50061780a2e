"""One decision: what was declared and what happened, taken apart exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import replace
from typing import Any, Literal, TypeVar

from society.analysis.alignment.attribution import ORDERS
from society.analysis.alignment.case import WELFARE, Case, Deed, Method, Settings
from society.analysis.alignment.chains import Decomposition
from society.analysis.alignment.decision import decomposed
from society.analysis.alignment.declared import as_beliefs, read_claims
from society.analysis.alignment.luck import Lucks, average_worlds, ex_ante, linear
from society.analysis.alignment.plan_case import PlanCase, PlanWorlds, known_values
from society.analysis.alignment.plans import Plan, Plans
from society.analysis.alignment.principal import principal_chain
from society.analysis.alignment.rules import Held
from society.analysis.alignment.worlds import Worlds, Yardstick, one
from society.core.actions import Action
from society.core.errors import BadInput, did_you_mean
from society.core.exact import Number
from society.core.goals import Goal, GroupWelfare, OwnPayoff
from society.core.mechanism import Game, Mechanism
from society.core.policy import Belief, Declaration
from society.core.seeds import Noise
from society.governance.governed import Governed

S = TypeVar("S")
_NAMED: dict[str, Goal] = {"own": OwnPayoff(), "welfare": GroupWelfare()}


def decompose(
    game: Game[S] | Any,  # Any: also whatever carries a mechanism as `.mechanism`
    agent: int = 0,
    *,
    actual: Sequence[Action],
    executed: Action | None = None,
    intended: Action | None = None,
    predicted: Sequence[Action | None] | None = None,
    predicted_total: Number | None = None,
    distribution: Iterable[Any] | None = None,  # Any: as told below
    forecast: Number | None = None,
    desired: Number | None = None,
    announced: Action | None = None,
    legal: Action | None = None,
    yardstick: Goal | Literal["own", "welfare"] = "own",
    goal: Goal | Literal["own", "welfare"] | None = None,
    objective: Goal | Literal["own", "welfare"] | None = None,
    state: S | None = None,
    noise: Noise | None = None,
    expected: Lucks | Sequence[tuple[Number, Noise]] | None = None,
    value: Callable[[S], Number] | None = None,
    welfare_value: Callable[[S], Number] | None = None,
    discount: Number = 1,
    observed: Mapping[int, Action] | None = None,
    respond: Callable[[Action], Sequence[Action]] | None = None,
    assumed: Sequence[Action | None] | None = None,
    reference_low: Number | None = None,
    attribution: Method = "auto",
    orders: int = ORDERS,
    enumerate_up_to: int | None = None,
) -> Decomposition:
    """How much of the distance between the best possible and what happened was lost where.

    Args:
        game: the rules: a mechanism, one under instruments, or a facade that carries one.
        agent: whose decision it is.
        actual: everybody's executed action in seat order, or (with `executed`) the others' alone.
        executed: the agent's own executed action, where `actual` holds the others' alone.
        intended: the action it privately said it would take.
        predicted: one action per *other* agent in seat order; None where it stated none.
        predicted_total: what it expected of all others together.
        distribution: several profiles of the others with probabilities: pairs (probability, actions) or a mapping.
        forecast: the score it expected, in units of the yardstick.
        desired: the score it wished for.
        announced: what it publicly said it would do.
        legal: its action after parsing, before governance; splits say_do into parse and governance.
        yardstick: own payoff, the group's welfare, or a goal.
        goal: where the yardstick is what a principal wants: the goal in the agent's prompt. The result then holds the
            principal's chain as well.
        objective: where it is, the objective the agent states itself; it parts *inner* from *capability*.
        state: what the round finds; by default the initial state.
        noise: the luck of the round, held fixed in every counterfactual.
        expected: for the ex-ante chain: how many alternative lucks to average over, the lucks with their probabilities,
            or ``"exact"`` where the rules know the expectation. Adds the term luck.
        value: reference value of the next state, which makes the mode `continuation`.
        welfare_value: the same for welfare; where `value` is given, the cooperative benchmark needs it.
        discount: weight of the reference value.
        observed: actions of seats that moved before and were seen; they replace what was predicted of them.
        respond: what the others would have done after another own action (their joint actions without the agent's).
            By default they are held at what they did.
        assumed: actions to assume for seats without a prediction; the result is marked as imputed.
        reference_low: lower end of the scale, where the smallest score is not known.
        attribution: exact, sampled, none, or (auto) exact up to a dozen surprising agents.
        orders: random orders, where shares are sampled.
        enumerate_up_to: joint actions tried before a ceiling is searched; by default two million for batched rules.

    Raises:
        BadInput: a wrong number of actions, contradicting arguments, an unknown yardstick.

    >>> # a fisher who kept its word, and was let down:  decompose(lake, intended=5, predicted=[5], actual=[5, 9])
    """
    rules = _rules(game, whole_states=value is not None)
    if not 0 <= agent < rules.agents:
        raise BadInput(f"there is no agent {agent}; seats are 0 to {rules.agents - 1}")
    luck = noise if noise is not None else Noise(0, 1)
    here = state if state is not None else rules.initial_state()
    worlds = Worlds(rules, here, one(luck))
    measure = yardstick_of(yardstick, value, discount)
    joint = _joint(rules.agents, agent, actual, executed)
    _check(rules.agents, predicted, predicted_total, distribution)
    stated = Declaration(
        intended=intended,
        predicted=None if predicted is None else tuple(predicted),
        predicted_total=predicted_total,
        distribution=None if distribution is None else _beliefs(rules.agents, distribution),
        forecast=forecast,
        desired=desired,
    )
    deed = _deed(worlds, agent, joint, legal=legal, announced=announced)
    before = tuple(sorted((observed or {}).items()))
    claims = read_claims(worlds, agent, stated, observed=before, imputed=assumed)
    shared = None
    if value is None:
        shared = WELFARE
    elif welfare_value is not None or isinstance(measure.goal, GroupWelfare):
        shared = Yardstick("welfare", GroupWelfare(), welfare_value or value, discount)
    settings = Settings(
        shared=shared,
        attribution=attribution,
        orders=orders,
        luck=luck,
        at_most=enumerate_up_to,
        low=reference_low,
        respond=respond,
    )
    case = Case(worlds, agent, measure, settings)
    chain = None
    if goal is not None:
        aim = yardstick_of(goal, value, discount)
        stated_aim = None if objective is None else yardstick_of(objective, value, discount)
        chain = principal_chain(case, claims, deed, goal=aim, stated=stated_aim)
    if expected is None:
        return replace(decomposed(case, claims, deed), principal=chain)
    if expected == "exact" and not linear(measure.goal):
        raise BadInput(f"the expected score of {measure.goal.kind!r} does not follow from expected payoffs; draw lucks")
    average: Worlds[S] | None
    if isinstance(expected, (int, str)):
        average = average_worlds(rules, here, luck, expected)
    else:
        average = Worlds(rules, here, tuple(expected))
    if average is None:
        raise BadInput("these rules know no exact expectation of this round; give how many lucks to draw")
    found = ex_ante(
        Case(average, agent, measure, settings),
        read_claims(average, agent, stated, observed=before, imputed=assumed),
        _deed(average, agent, joint, legal=legal, announced=announced),
        case.score(deed.joint),
        drawn=isinstance(expected, int),
    )
    return replace(found, principal=chain)


def decompose_each(
    game: Game[S] | Any,  # Any: as in `decompose`
    agent: int = 0,
    *,
    yardsticks: Sequence[Goal | Literal["own", "welfare"]],
    **said: Any,  # Any: the other arguments of `decompose`
) -> tuple[Decomposition, ...]:
    """One decision by each of several goals: a vector, for goals of which the first counts before the second.

    No one number stands for goals that are ordered lexicographically, so each is decomposed by itself, the first one first;
    terms of different ones are never added. A forecast, a wish and the low end of a scale are in units of the first goal, and go
    with it alone.

    Raises:
        BadInput: no goal, one given as `yardstick`, a `value` of next states (each goal has another), or what `decompose` raises.
    """
    if not yardsticks or "yardstick" in said:
        raise BadInput("give the goals as 'yardsticks', the one that counts first at the beginning")
    if said.get("value") is not None and len(yardsticks) > 1:
        raise BadInput("'value' says what next states are worth by one goal: call decompose for each goal with its own")
    rest = {name: value for name, value in said.items() if name not in ("forecast", "desired", "reference_low")}
    return tuple(
        decompose(game, agent, yardstick=goal, **(rest if place else said)) for place, goal in enumerate(yardsticks)
    )


def decompose_plans(
    game: Game[S] | Any,  # Any: as in `decompose`
    agent: int = 0,
    *,
    actual: Sequence[Plan],
    intended: Plan | None = None,
    predicted: Sequence[Plan | None] | None = None,
    forecast: Number | None = None,
    desired: Number | None = None,
    announced: Plan | None = None,
    yardstick: Goal | Literal["own", "welfare"] = "own",
    rounds: int | None = None,
    state: S | None = None,
    seed: int = 0,
    first: int = 1,
    discount: Number = 1,
    reference_low: Number | None = None,
    attribution: Method = "auto",
    orders: int = ORDERS,
) -> Decomposition:
    """The same for a whole episode at once: plans in the place of actions, the mode `episode`.

    A plan is a sequence of actions, one a round, or a rule ``(round, state, earlier joint actions) -> action``, such as what a
    scripted policy follows: others who follow rules answer to what an agent does otherwise (reactive), those whose plans are
    sequences are held at them (frozen). What a plan asks for where it is not allowed becomes the nearest allowed action.

    Args:
        game: the rules, in every round.
        agent: whose plan it is.
        actual: everybody's plan as it was carried out, in seat order.
        intended: the plan it meant to follow.
        predicted: one plan per *other* agent in seat order.
        forecast: the score of the whole episode that it expected.
        desired: the one it wished for.
        announced: the plan it had announced.
        yardstick: own payoff, the group's welfare, or a goal, added up over rounds.
        rounds: how many; by default as many as the plans in `actual` that are sequences have.
        state: what the first round finds.
        seed: keys the noise of the rounds.
        first: the number of the first of them.
        discount: weight of each next round.
        reference_low: lower end of the scale; without it there is none.
        attribution: as in `decompose`; it is whose *plan* the surprise is.
        orders: random orders, where shares are sampled.

    Raises:
        BadInput: a wrong number of plans, or plans of different lengths.
    """
    rules = _rules(game)
    lengths = {
        len(plan) for plan in (*actual, *(predicted or ()), intended, announced) if isinstance(plan, tuple | list)
    }
    if rounds is not None:
        lengths.add(rounds)
    if len(lengths) != 1:
        raise BadInput(f"plans need one length, of as many actions as rounds; found {sorted(lengths) or 'rules only'}")
    if len(actual) != rules.agents:
        raise BadInput(f"'actual' holds {len(actual)} plans; there are {rules.agents} agents")
    _check(rules.agents, predicted, None, None)
    played = Plans(
        (rules,) * lengths.pop(), state if state is not None else rules.initial_state(), seed, first, discount
    )
    measure = yardstick_of(yardstick)
    said = Declaration(
        intended=_plan(intended),
        predicted=None if predicted is None else tuple(_plan(plan) for plan in predicted),
        forecast=forecast,
        desired=desired,
    )
    settings = Settings(
        shared=None, attribution=attribution, orders=orders, luck=Noise(seed, first), low=reference_low, scaled=False
    )
    worlds = PlanWorlds(played)
    case = PlanCase(worlds, agent, measure, settings, known_values(played, measure.goal, agent))
    word = None if announced is None else worlds.code(agent, _plan(announced))
    deed = Deed(worlds.codes([_plan(plan) for plan in actual]), announced=word)
    return decomposed(case, read_claims(worlds, agent, said), deed)


def _rules(game: Any, *, whole_states: bool = False) -> Any:  # Any: as in `decompose`
    """The rules that are called again. Under instruments many rounds at once are faster where the institution's part of the
    next states, which somebody may have given values for, is of no account.
    """
    rules = game if isinstance(game, (Mechanism, Governed, Held)) else getattr(game, "mechanism", game)
    return Held(rules) if isinstance(rules, Governed) and not whole_states else rules


def _plan(plan: Any) -> Any:  # Any: plans stand where actions do
    return tuple(plan) if isinstance(plan, (list, tuple)) else plan


def yardstick_of(word: Goal | str, value: Callable[[S], Number] | None = None, discount: Number = 1) -> Yardstick:
    """The yardstick that a goal or one of the words own and welfare stands for.

    Raises:
        BadInput: another word.
    """
    if isinstance(word, str):
        if word not in _NAMED:
            hint = did_you_mean(word, _NAMED)
            raise BadInput(f"no yardstick is called {word!r}{hint}; give 'own', 'welfare' or a goal")
        return Yardstick(word, _NAMED[word], value, discount)
    return Yardstick(word.kind, word, value, discount)


def _joint(agents: int, agent: int, actual: Sequence[Action], executed: Action | None) -> list[Action]:
    """Everybody's executed action, from either way of giving it."""
    joint = list(actual)
    if len(joint) == agents - 1:
        if executed is None:
            raise BadInput(f"'actual' holds {len(joint)} actions of {agents} agents; give the own one as 'executed'")
        joint.insert(agent, executed)
    elif len(joint) != agents:
        raise BadInput(f"'actual' holds {len(joint)} actions; {agents} agents acted")
    elif executed is not None and executed != joint[agent]:
        raise BadInput(f"'actual' says agent {agent} did {joint[agent]!r}, 'executed' says {executed!r}")
    return joint


def _deed(
    worlds: Worlds[S], agent: int, joint: Sequence[Action], *, legal: Action | None, announced: Action | None
) -> Deed:
    return Deed(
        joint=worlds.codes(joint),
        legal=None if legal is None else worlds.code(agent, legal),
        announced=None if announced is None else worlds.code(agent, announced),
    )


def _check(agents: int, predicted: Sized | None, total: Number | None, distribution: object) -> None:
    if sum(form is not None for form in (predicted, total, distribution)) > 1:
        raise BadInput("give one of 'predicted', 'predicted_total' and 'distribution'")
    if predicted is not None and len(predicted) != agents - 1:
        raise BadInput(f"'predicted' holds {len(predicted)} actions; there are {agents - 1} other agents")


def _beliefs(agents: int, distribution: Iterable[Any]) -> tuple[Belief, ...]:
    try:
        beliefs = as_beliefs(distribution)
    except (TypeError, ValueError) as problem:
        raise BadInput(f"'distribution' cannot be read: {problem}") from None
    if any(len(belief.actions) != agents - 1 for belief in beliefs):
        raise BadInput(f"each profile of 'distribution' holds the actions of {agents - 1} other agents")
    return beliefs
