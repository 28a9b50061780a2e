"""Every number of a decomposition, worked out a second time from the definitions alone, by trying everything.

Nothing here is shared with the analysis but the rules of the games: expectations are loops, ceilings are tried joint action by
joint action, Shapley values are means over all orders. Hundreds of random games, declarations, beliefs, orders of moves,
lucks and scales are compared term by term, in exact rationals.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction as F
from math import factorial
from typing import Any, ClassVar
from zlib import crc32

import pytest

from society.analysis import decompose
from society.core.actions import Action, Amount, Choice, Joint
from society.core.goals import GroupWelfare, InequityAversion, OwnPayoff, RelativePayoff, Target, WorstOff
from society.core.mechanism import Facts, Mechanism, SpaceOf, Transition
from society.core.seeds import Noise
from society.governance.governed import Governed
from society.instruments import INSTRUMENTS
from society.mechanisms import MECHANISMS

Score = Callable[[Transition[Any]], Any]


@dataclass(frozen=True)
class Spot:
    """One of a few places."""

    place: int = 0


class Dice(Mechanism[Spot]):
    """Payoffs follow from place, joint action and luck without rhyme or reason; many of them tie."""

    agents: int = 3
    salt: int = 0
    options: int = 3
    amounts: bool = False
    chancy_: bool = False
    state_type = Spot
    symmetric: ClassVar[bool] = False

    def initial_state(self) -> Spot:
        return Spot()

    def space(self, state: Spot, agent: int) -> SpaceOf:
        if self.amounts:
            return Amount.between(0, self.options - 1)
        return Choice(options=tuple("abcd"[: self.options]))

    def observe(self, state: Spot, agent: int) -> Facts:
        return {}

    def step(self, state: Spot, joint: Joint, noise: Noise) -> Transition[Spot]:
        luck = noise.bits("dice") % 5 if self.chancy_ else 0
        drawn = [crc32(f"{self.salt}/{state.place}/{luck}/{joint}/{seat}".encode()) for seat in range(self.agents + 1)]
        payoffs = tuple(F(bits % 13 - 6, 1 + bits // 13 % 3) for bits in drawn[:-1])
        return Transition(Spot(drawn[-1] % 3), payoffs, total=drawn[-1] % 7)


def goals(dice: random.Random, agent: int) -> tuple[Any, Score]:
    """A goal as the analysis knows it, and the same as the definition says it."""

    def inequity(step: Transition[Any]) -> Any:
        own, others = step.payoffs[agent], [p for seat, p in enumerate(step.payoffs) if seat != agent]
        envy, guilt = sum(max(p - own, 0) for p in others), sum(max(own - p, 0) for p in others)
        return own - (envy + F(1, 4) * guilt) / len(others)

    def ahead(step: Transition[Any]) -> Any:
        others = [p for seat, p in enumerate(step.payoffs) if seat != agent]
        return step.payoffs[agent] - F(sum(others)) / len(others)

    return dice.choice([
        (OwnPayoff(), lambda step: step.payoffs[agent]),
        (GroupWelfare(), lambda step: sum(step.payoffs)),
        (WorstOff(), lambda step: min(step.payoffs)),
        (Target(quantity="total", value="5/2"), lambda step: -abs(step.total - F(5, 2))),
        (InequityAversion(), inequity),
        (RelativePayoff(), ahead),
    ])  # fmt: skip


@dataclass
class Told:
    """One decision as the definitions want it: beliefs are (probability, the others' actions by seat)."""

    game: Dice
    state: Spot
    lucks: list[tuple[F, Noise]]
    agent: int
    joint: tuple[Action, ...]
    beliefs: list[tuple[F, dict[int, Action]]]
    score: Score

    def grid(self, seat: int) -> list[Action]:
        space = self.game.space(self.state, seat)
        return list("abcd"[: self.game.options]) if isinstance(space, Choice) else list(range(self.game.options))

    def U(self, joint: Sequence[Action], score: Score | None = None) -> Any:
        """A score in expectation over the lucks."""
        value = score or self.score
        return sum(p * value(self.game.step(self.state, tuple(joint), noise)) for p, noise in self.lucks)

    def against(self, own: Action, others: dict[int, Action], score: Score | None = None) -> Any:
        return self.U([own if seat == self.agent else others[seat] for seat in range(self.game.agents)], score)

    def believed(self, own: Action, score: Score | None = None) -> Any:
        return sum(p * self.against(own, others, score) for p, others in self.beliefs)

    @property
    def done(self) -> dict[int, Action]:
        return dict(enumerate(self.joint))

    def profiles(self) -> Iterable[tuple[Action, ...]]:
        return itertools.product(*(self.grid(seat) for seat in range(self.game.agents)))

    def cooperation(self) -> tuple[Action, ...]:
        """The largest welfare; then the best off worst-off, the least spread, the first in lexicographic order."""

        def rank(joint: tuple[Action, ...]) -> Any:
            means = [self.U(joint, lambda step, seat=seat: step.payoffs[seat]) for seat in range(self.game.agents)]
            spread = sum(abs(a - b) for a, b in itertools.combinations(means, 2))
            return (sum(means), min(means), -spread)

        return max(self.profiles(), key=rank)  # of equals `max` takes the first

    def carried(self) -> dict[int, Any]:
        """Shapley: the mean over all orders of what each other adds when it is revealed."""
        others = [seat for seat in range(self.game.agents) if seat != self.agent]

        def worth(revealed: frozenset[int]) -> Any:
            mixed = sum(
                p * self.against(self.joint[self.agent], {s: self.joint[s] if s in revealed else b[s] for s in others})
                for p, b in self.beliefs
            )
            return self.believed(self.joint[self.agent]) - mixed

        sums = dict.fromkeys(others, F(0))
        for order in itertools.permutations(others):
            for place, seat in enumerate(order):
                before = frozenset(order[:place])
                sums[seat] += worth(before | {seat}) - worth(before)
        return {seat: total / factorial(len(others)) for seat, total in sums.items()}

    def difference(self, seat: int) -> Any:
        """The one seat as it was predicted, all others as they were, less what happened."""
        return sum(
            p * self.against(self.joint[self.agent], {**self.done, seat: b[seat]}) for p, b in self.beliefs
        ) - self.U(self.joint)


def told(dice: random.Random, *, amounts: bool = False) -> tuple[Told, dict[str, Any]]:
    """A random decision, and how `decompose` is told of it."""
    n, options = dice.choice([(2, 3), (2, 4), (3, 2), (3, 3), (4, 2)])
    game = Dice(
        kind="dice", agents=n, salt=dice.randrange(10**6), options=options, amounts=amounts, chancy_=dice.random() < 0.4
    )
    state, noise, agent = Spot(dice.randrange(3)), Noise(dice.randrange(9), 1 + dice.randrange(3)), dice.randrange(n)
    goal, score = goals(dice, agent)
    case = Told(game, state, [(F(1), noise)], agent, (), [], score)

    def pick(seat: int) -> Action:
        return dice.choice(case.grid(seat))

    case.joint = tuple(pick(seat) for seat in range(n))
    others = [seat for seat in range(n) if seat != agent]
    said: dict[str, Any] = {"agent": agent, "actual": case.joint, "state": state, "noise": noise, "yardstick": goal}
    form = dice.choice(["none", "points", "points", "gaps", "spread", *(["total"] if amounts else [])])
    if form == "points":
        case.beliefs = [(F(1), {seat: pick(seat) for seat in others})]
        said["predicted"] = [case.beliefs[0][1][seat] for seat in others]
    if form == "gaps":
        said["predicted"] = [None, *(pick(seat) for seat in others[1:])]
    if form == "spread":
        weights = [dice.randint(1, 4) for _ in range(dice.randint(2, 3))]
        case.beliefs = [(F(w, sum(weights)), {seat: pick(seat) for seat in others}) for w in weights]
        said["distribution"] = [(p, [b[seat] for seat in others]) for p, b in case.beliefs]
    if form == "total":
        said["predicted_total"] = dice.randint(0, (options - 1) * len(others))
        each, left = divmod(said["predicted_total"], len(others))
        case.beliefs = [(F(1), {seat: each + (place < left) for place, seat in enumerate(others)})]
    if form != "total" and dice.random() < 0.3:  # some moved before and were seen
        seen = {seat: case.joint[seat] for seat in dice.sample(others, dice.randint(1, len(others)))}
        said["observed"] = seen
        if form == "gaps" and others[0] in seen:
            case.beliefs = [(F(1), {**dict(zip(others, said["predicted"], strict=True)), **seen})]
        elif form == "none" and len(seen) == len(others):
            case.beliefs = [(F(1), dict(seen))]
        else:
            case.beliefs = [(p, {**b, **seen}) for p, b in case.beliefs]
    said |= words(dice, case.grid(agent))
    return case, said


def words(dice: random.Random, own: Sequence[Action]) -> dict[str, Any]:
    """What else may have been said of the own action and its score."""
    said: dict[str, Any] = {
        name: dice.choice(own) for name in ("intended", "announced", "legal") if dice.random() < 0.7
    }
    said |= {name: F(dice.randint(-20, 20), 3) for name in ("forecast", "desired") if dice.random() < 0.6}
    return {**said, "reference_low": F(-7, 2)} if dice.random() < 0.2 else said


def chain(stages: Sequence[Any], names: Sequence[str]) -> dict[str, Any]:
    """Differences of neighbours; where a stage is missing the two beside it are one."""
    known = [place for place, stage in enumerate(stages) if stage is not None]
    return {
        "+".join(names[before:after]): stages[before] - stages[after] for before, after in itertools.pairwise(known)
    }


CAUSAL = ("anticipated", "planning", "say_do", "surprise")


def compare(case: Told, said: dict[str, Any], found: Any) -> None:
    me, did = case.agent, case.joint[case.agent]
    known, intended = bool(case.beliefs), said.get("intended")
    U = case.U
    W0 = max(U(joint) for joint in case.profiles())
    W1 = max(case.believed(x) for x in case.grid(me)) if known else None
    W2 = case.believed(intended) if known and intended is not None else None
    W3 = case.believed(did) if known else None
    W4 = U(case.joint)
    assert (found.W0, found.W1, found.W2, found.W3, found.W4) == (W0, W1, W2, W3, W4)
    terms = {name: term for name, term in found.terms.items() if name != "luck"}
    assert terms == (chain((W0, W1, W2, W3, W4), CAUSAL) if known else {"unattributed": W0 - W4})
    forecast = said.get("forecast")
    if known and forecast is not None:
        names = ("aspiration", "model_error", "say_do", "surprise")
        assert dict(found.subjective) == chain((W0, forecast, W2, W3, W4), names)
    else:
        assert found.subjective is None
    C = U(case.cooperation())
    assert found.benchmark == C
    splits: dict[str, Any] = {}
    beside: dict[str, Any] = {"avoidable": C - W4}
    if known:
        splits |= {"goal_conflict": W0 - C, "against_benchmark": C - W1}
        beside["avoidable_inter_agent"] = (C - W1) + (W3 - W4)
        if W2 is not None and "legal" in said:
            lawful = case.believed(said["legal"])
            splits |= {"parse": W2 - lawful, "governance": lawful - W3}
        if W2 is not None and "announced" in said:
            beside["announce"] = case.believed(said["announced"]) - W2
    if "desired" in said:
        beside["ambition"] = said["desired"] - W0
    if forecast is not None:
        beside["forecast_error"] = forecast - W4
    assert (dict(found.splits), dict(found.beside)) == (splits, beside)
    assert found.regret == max(case.against(x, case.done) for x in case.grid(me)) - W4
    low = said.get("reference_low", min(U(joint) for joint in case.profiles()))
    assert (found.scale.value, found.scale.low) == (W0 - low, low)
    assert found.normalised == (
        {name: F(term) / (W0 - low) for name, term in found.terms.items()} if low != W0 else None
    )
    compare_orders(case, intended, found, (W1, W2, W3, W4))
    if not known:
        assert found.attribution is None
        return
    shares, differences = found.attribution.shares, found.attribution.difference
    assert {s: shares[s] for s in range(case.game.agents) if s != me} == case.carried()
    assert {s: differences[s] for s in range(case.game.agents) if s != me} == {
        s: case.difference(s) for s in range(case.game.agents) if s != me
    }


def compare_orders(case: Told, intended: Action | None, found: Any, stages: tuple[Any, ...]) -> None:
    W1, W2, W3, W4 = stages
    did = case.joint[case.agent]
    if W1 is None:
        assert found.interaction is None and found.ordering is None
        return
    if W2 is not None:
        f01 = case.against(intended, case.done)
        crossed = W2 - W3 - f01 + W4
        assert found.interaction.value == crossed
        assert (
            found.interaction.say_do == (W2 - W3) - crossed / 2
            and found.interaction.surprise == (W3 - W4) + crossed / 2
        )
        assert (found.interaction.say_do_last, found.interaction.surprise_first) == (f01 - W4, W2 - f01)
        assert found.interaction.large == (abs(crossed) > (abs(W2 - W3) + abs(W3 - W4)) / 4)
    best = next(x for x in case.grid(case.agent) if case.believed(x) == W1)
    ladder = [best, *([] if W2 is None else [intended]), did]
    own = len(ladder) - 1
    paths = {}
    for crossing in range(own + 1):  # after so many own steps the others are revealed
        values = [case.believed(x) for x in ladder[: crossing + 1]]
        values += [case.against(x, case.done) for x in ladder[crossing:]]
        drops = [before - after for before, after in itertools.pairwise(values)]
        others = drops.pop(crossing)
        paths["O" * crossing + "X" + "O" * (own - crossing)] = (*drops, others)
    assert dict(found.ordering.paths) == paths
    assert found.ordering.average == tuple(sum(column) / F(len(paths)) for column in zip(*paths.values(), strict=True))


SEEDS = [*range(45), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(45, 600))]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_number_is_what_the_definitions_say(seed: int) -> None:
    dice = random.Random(seed)
    case, said = told(dice, amounts=seed % 3 == 0)
    compare(case, said, decompose(case.game, **said))


@pytest.mark.parametrize("seed", SEEDS[::3])
def test_before_luck_every_stage_is_its_expectation(seed: int) -> None:
    dice = random.Random(f"luck {seed}")
    case, said = told(dice)
    happened = case.U(case.joint)
    case.lucks = [(F(1, 2), Noise(77, 1)), (F(1, 3), Noise(78, 1)), (F(1, 6), Noise(79, 2))]
    found = decompose(case.game, **said, expected=case.lucks)
    compare(case, said, found)
    assert found.luck == found.terms["luck"] == case.U(case.joint) - happened
    assert sum(found.terms.values()) == found.total == found.W0 - happened


@pytest.mark.parametrize("seed", SEEDS[::3])
def test_the_principals_chain_is_what_the_definitions_say(seed: int) -> None:
    dice = random.Random(f"principal {seed}")
    case, said = told(dice)
    (goal, wants), (objective, states) = goals(dice, case.agent), goals(dice, case.agent)
    said["goal"] = goal
    if dice.random() < 0.6:
        said["objective"] = objective
    found = decompose(case.game, **said).principal
    me, did = case.agent, case.joint[case.agent]
    P0, P6 = max(case.U(joint) for joint in case.profiles()), case.U(case.joint)
    if not case.beliefs:
        assert dict(found.terms) == {"unattributed": P0 - P6}
        return

    def under(score: Score) -> list[Any]:
        top = max(case.believed(x, score) for x in case.grid(me))
        return [case.believed(x) for x in case.grid(me) if case.believed(x, score) == top]

    P1 = max(case.believed(x) for x in case.grid(me))
    P2 = max(under(wants))
    P3 = max(under(states)) if "objective" in said else None
    P4 = case.believed(said["intended"]) if "intended" in said else None
    values = (P0, P1, P2, P3, P4, case.believed(did), P6)
    assert dict(found.terms) == chain(values, ("anticipated", "outer", "inner", "capability", "say_do", "surprise"))
    assert found.outer == (P1 - P2, P1 - min(under(wants)))


@pytest.mark.parametrize("seed", SEEDS[::3])
def test_with_a_value_of_what_follows_every_score_holds_it(seed: int) -> None:
    """u = the score of the round + discount * V(next state), in every stage, share and benchmark."""
    dice = random.Random(f"value {seed}")
    case, said = told(dice)
    worth = [F(dice.randint(-9, 9), 2) for _ in range(3)]
    discount, now = F(9, 10), case.score
    case.score = lambda step: now(step) + discount * worth[step.state.place]
    found = decompose(case.game, **said, value=lambda state: worth[state.place], discount=discount)
    assert found.mode == "continuation"
    if not isinstance(said["yardstick"], GroupWelfare):  # the benchmark of another yardstick needs a value of its own
        assert found.benchmark is None
    if case.beliefs:
        shares = found.attribution.shares
        assert {s: shares[s] for s in range(case.game.agents) if s != case.agent} == case.carried()
        assert case.believed(case.joint[case.agent]) == found.W3
    assert max(case.U(joint) for joint in case.profiles()) == found.W0
    assert case.U(case.joint) == found.W4
    assert found.regret == max(case.against(x, case.done) for x in case.grid(case.agent)) - found.W4


@pytest.mark.parametrize("seed", SEEDS[::3])
def test_others_who_answer_are_asked_again_for_every_other_own_action(seed: int) -> None:
    """Reactive: W1 to W3 stand on beliefs; the corner and regret on what the others would then have done."""
    dice = random.Random(f"reactive {seed}")
    case, said = told(dice)
    others = [seat for seat in range(case.game.agents) if seat != case.agent]
    rule = {x: {seat: dice.choice(case.grid(seat)) for seat in others} for x in case.grid(case.agent)}
    rule[case.joint[case.agent]] = {seat: case.joint[seat] for seat in others}
    found = decompose(case.game, **said, respond=lambda own: [rule[own][seat] for seat in others])
    W4 = case.U(case.joint)
    assert found.regret == max(case.against(x, rule[x]) for x in case.grid(case.agent)) - W4
    if case.beliefs and "intended" in said:
        f01 = case.against(said["intended"], rule[said["intended"]])
        assert found.interaction.value == found.W2 - found.W3 - f01 + W4


RULES = [
    {"kind": "tax", "rate": "3/2", "rebate": 1, "free": 1},
    {"kind": "quota", "amount": 2},
    {"kind": "quota", "amount": 1, "enforcement": "soft", "detection": "1/2", "fine": 2, "fine_to": "victims"},
    {"kind": "contract", "imposed": 1, "imposed_penalty": 3, "sense": "exactly", "allow_debt": False},
    {"kind": "restriction", "intervals": [[None, 0], [2, None]], "enforcement": "soft", "fine_per_unit": 1},
    {"kind": "graduated_sanction", "limit": 2, "detection": "1/2"},
    {"kind": "pact"},
]


@pytest.mark.parametrize("seed", SEEDS[::3])
def test_under_instruments_every_number_is_what_single_rounds_say(seed: int) -> None:
    """The analysis plays rounds by the thousand; here each is one step of the governed game."""
    dice = random.Random(f"governed {seed}")
    gifts = MECHANISMS.parse({"kind": "public_goods", "agents": 3, "endowment": 3})
    chosen = [rule for rule in RULES if dice.random() < 0.5]
    game = Governed(gifts, tuple(INSTRUMENTS.parse({**rule, "name": f"rule{k}"}) for k, rule in enumerate(chosen)))
    state, agent, noise = game.initial_state(), dice.randrange(3), Noise(seed % 9, 1)
    goal, score = goals(dice, agent)
    case = Ruled(game, state, [(F(1), noise)], agent, (), [], score)  # type: ignore[arg-type]  # rules in place of dice
    case.joint = tuple(dice.choice(case.grid(seat)) for seat in range(3))
    case.beliefs = [(F(1), {seat: dice.choice(case.grid(seat)) for seat in range(3) if seat != agent})]
    said = {"agent": agent, "actual": case.joint, "noise": noise, "yardstick": goal, **words(dice, case.grid(agent))}
    said["predicted"] = list(case.beliefs[0][1].values())
    if not isinstance(goal, Target):
        compare(case, said, decompose(game, **said))


class Ruled(Told):
    """A decision under instruments: what can be done is what hard rules leave."""

    def grid(self, seat: int) -> list[Action]:
        return list(self.game.space(self.state, seat).grid())
