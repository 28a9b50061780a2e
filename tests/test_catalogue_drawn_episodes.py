"""Whole episodes with drawn parameters, plans and luck, against the rules told once more, round by round.

What luck decides is drawn by the same keyed noise; everything that is made of it is worked out here.
"""

import itertools
import random
from fractions import Fraction as F
from functools import cache

import pytest

from society.core.seeds import Noise
from society.mechanisms import get
from society.rulers import episode_optimum
from tests.test_catalogue_drawn_games import handed_out

CASES = 25

# A renewable pool

LAWS = {
    "none": lambda law, y, cap, luck: F(y),
    "doubling": lambda law, y, cap, luck: law["factor"] * y,
    "logistic": lambda law, y, cap, luck: y + law["rate"] * y * (1 - F(y, cap)),
    "linear": lambda law, y, cap, luck: F(y + law["amount"]),
    "stochastic": lambda law, y, cap, luck: (law["factor"] + law["spread"] * F(2 * luck - 100, 100)) * y,
}


class Lake:
    """A pool with drawn parameters, in words of its own."""

    def __init__(self, dice):
        self.n, self.cap = dice.randint(1, 6), dice.randint(1, 40)
        self.stock, self.below = dice.randint(0, self.cap), dice.randint(0, 6)
        self.early, self.rule = dice.random() < 0.5, dice.choice(["proportional", "equal", "priority", "random_order", "unit_by_unit"])  # fmt: skip
        self.seats = dice.sample(range(self.n), self.n)
        self.law = dice.choice(
            [
                {"kind": "none"},
                {"kind": "doubling", "factor": F(dice.randint(0, 12), 4)},
                {"kind": "logistic", "rate": F(dice.randint(0, 12), 5)},
                {"kind": "linear", "amount": dice.randint(0, 9)},
                {"kind": "stochastic", "factor": F(dice.randint(2, 10), 4), "spread": F(dice.randint(1, 8), 4)},
            ]
        )
        self.shock = {"probability": F(dice.randint(0, 4), 4), "loss": F(dice.randint(0, 6), 6)} if dice.random() < 0.4 else None  # fmt: skip
        self.chancy = self.law["kind"] == "stochastic"
        self.bench = get(
            "common_pool",
            agents=self.n,
            capacity=self.cap,
            stock=self.stock,
            growth=self.law,
            collapse_below=self.below,
            order="growth_first" if self.early else "harvest_first",
            rationing=self.rule,
            shock=self.shock,
            **({"priority": self.seats} if self.rule == "priority" else {}),
        )

    def grown(self, y, luck=50, struck=False):
        value = LAWS[self.law["kind"]](self.law, y, self.cap, luck)
        whole = max(0, min(self.cap, value.numerator // value.denominator))
        return whole - int(whole * self.shock["loss"]) if struck else whole

    def granted(self, asked, found, noise):
        if self.rule == "unit_by_unit":
            got = [0] * self.n
            for unit in range(min(found, sum(asked))):
                wanting = [seat for seat in range(self.n) if got[seat] < asked[seat]]
                got[min(wanting, key=lambda seat: (noise.bits("unit", (unit, seat)), seat))] += 1
            return got
        lots = sorted(range(self.n), key=lambda seat: (noise.bits("lot", str(seat)), seat))
        return handed_out(asked, found, self.rule, lots if self.rule == "random_order" else self.seats)

    def played(self, plan, seed):
        """(stock before, grants, stock after, dead) of each round."""
        h = self.stock
        for number, wanted in enumerate(plan, start=1):
            noise = Noise(seed, number)
            luck = noise.below(101, "growth") if self.chancy else 50
            struck = self.shock is not None and noise.chance(self.shock["probability"], "shock")
            found = self.grown(h, luck, struck) if self.early else h
            most = self.grown(h, 100) if self.early else h
            got = self.granted([min(amount, most) for amount in wanted], found, noise)
            left = found - sum(got)
            after = 0 if left < self.below else left if self.early else self.grown(left, luck, struck)
            yield h, tuple(got), after, left < self.below
            if left < self.below:
                return
            h = after

    def kept_by(self, h):
        """The most that all may take so that the next round finds no less, growth at its mean."""
        found = self.grown(h) if self.early else h
        return max((x for x in range(found + 1) if found - x >= self.below and self.grown(found - x) >= found), default=0)  # fmt: skip

    def best(self, rounds):
        """The optimal total, by going through everything that can be left; None where requests are made in the dark."""
        if self.early and (self.chancy or self.shock):
            return None
        lucks = range(101) if self.chancy else [50]
        p = self.shock["probability"] if self.shock else F(0)

        @cache
        def later(y, left):
            calm = sum(value(self.grown(y, luck), left) for luck in lucks)
            hit = sum(value(self.grown(y, luck, struck=True), left) for luck in lucks) if p else 0
            return ((1 - p) * calm + p * hit) / len(lucks)

        @cache
        def value(h, left):
            if not left:
                return F(0)
            found = self.grown(h) if self.early else h
            rest = [0 if y < self.below else value(y, left - 1) if self.early else later(y, left - 1) for y in range(found + 1)]  # fmt: skip
            return max(found - y + worth for y, worth in enumerate(rest))

        return value(self.stock, rounds)


@pytest.mark.parametrize("case", range(2 * CASES))
def test_a_drawn_pool_round_by_round(case):
    dice = random.Random(f"pool {case}")
    lake, seed, rounds = Lake(dice), dice.randint(0, 9999), dice.randint(1, 12)
    plan = [[dice.randint(0, dice.choice([3, lake.cap, 2 * lake.cap])) for _ in range(lake.n)] for _ in range(rounds)]
    rolled, told = lake.bench.rollout(plan, seed=seed), list(lake.played(plan, seed))
    assert [(s.stock_before, s.granted, s.stock_after, s.collapsed) for s in rolled.transitions] == told
    assert all(step.payoffs == got and step.total == sum(got) for step, (_, got, _, _) in zip(rolled.transitions, told, strict=True))  # fmt: skip
    metrics_by_hand(rolled, [got for _, got, _, _ in told], rounds)
    metrics, total = rolled.metrics, sum(rolled.gains)
    assert metrics["survival"].value == (len(told) if told[-1][3] else rounds)
    over = [amount > lake.kept_by(h) // lake.n for h, got, _, _ in told for amount in got]
    assert metrics["over_use"].value == F(sum(over), len(over))
    kept = rounds * lake.kept_by(lake.stock)
    assert metrics["govsim_efficiency"].value == (1 - F(max(0, kept - total), kept) if kept else None)
    excess = sum(max(0, sum(got) - lake.kept_by(h)) for h, got, _, _ in told)
    assert metrics["overdraft"].value == (F(excess, total) if total else None)
    assert metrics["depletion"].value == (F(lake.stock - told[-1][2], lake.stock) if lake.stock else None)


def metrics_by_hand(rolled, rows, rounds):
    """Those of the definitions that need nothing but rewards."""
    n, gains, metrics = len(rows[0]), [sum(column) for column in zip(*rows, strict=True)], rolled.metrics
    total, apart = sum(gains), sum(abs(a - b) for a in gains for b in gains)
    assert rolled.gains == tuple(gains)
    assert (metrics["total_welfare"].value, metrics["efficiency"].value) == (total, F(total) / rounds)
    fair = total != 0 and min(gains) >= 0
    assert metrics["gini"].value == (F(apart) / (2 * n * total) if fair else None)
    assert metrics["equality"].value == (1 - F(apart) / (2 * n * total) if fair else None)
    assert metrics["resource_hhi"].value == (sum((F(gain) / total) ** 2 for gain in gains) if fair else None)
    assert metrics["mean_absolute_difference"].value == (F(apart) / (n * (n - 1)) if n > 1 else None)
    times = [[t for t, row in enumerate(rows, start=1) if row[i] > 0] for i in range(n)]
    means = [F(sum(when), len(when)) for when in times if when]
    assert metrics["sustainability"].value == (sum(means) / len(means) if means else None)
    assert metrics["never_rewarded"].value == n - len(means)


@pytest.mark.parametrize("case", range(CASES))
def test_the_most_that_a_drawn_pool_can_give(case):
    dice = random.Random(f"best pool {case}")
    lake, rounds = Lake(dice), dice.randint(1, 4)
    best, game = lake.best(rounds), lake.bench.mechanism
    known = game.known_value(rounds, None)
    if best is None:
        assert known is None
        return
    assert known(game.initial_state()) == best == game.known_value(rounds, lake.n - 1)(game.initial_state())
    bound = episode_optimum(game, rounds)
    assert (bound.value, bound.exact) == (best, True)


# A service with a bucket


@pytest.mark.parametrize("case", range(CASES))
def test_a_drawn_bucket_round_by_round_and_at_its_best(case):
    dice = random.Random(f"bucket {case}")
    n, capacity, size, refill = dice.randint(1, 4), dice.randint(1, 12), dice.randint(1, 25), dice.randint(0, 12)
    outage, most, rounds = dice.randint(0, 3), dice.randint(0, 10), dice.randint(1, 8)
    v = F(dice.randint(1, 8))
    c = v * F(dice.randint(0, 4), 5)
    game = get("shared_compute", agents=n, capacity=capacity, value=v, cost=c, most=most, bucket={"size": size, "refill": refill, "outage": outage})  # fmt: skip
    plan = [[dice.randint(0, dice.choice([2, 10])) for _ in range(n)] for _ in range(rounds)]

    def then(tokens, dark, served):
        emptied = tokens == served and not dark
        return min(size, tokens - served + refill), outage if emptied else max(0, dark - 1)

    tokens, dark, rows = size, 0, []
    rolled = game.rollout(plan)
    for wanted, step in zip(plan, rolled.transitions, strict=True):
        sent = [min(most, amount) for amount in wanted]
        served = min(sum(sent), 0 if dark else min(capacity, tokens))
        got = [F(amount * served, sum(sent)) if sum(sent) else F(0) for amount in sent]
        rows.append([v * part - c * amount for part, amount in zip(got, sent, strict=True)])
        assert (step.stock_before, step.granted, step.payoffs) == (tokens, tuple(got), tuple(rows[-1]))
        tokens, dark = then(tokens, dark, served)
        assert step.stock_after == tokens
    metrics_by_hand(rolled, rows, rounds)

    @cache
    def best(tokens, dark, left, limit):
        if not left:
            return 0
        service = 0 if dark else min(capacity, tokens)
        return max((v - c) * s + best(*then(tokens, dark, s), left - 1, limit) for s in range(min(service, limit) + 1))

    start = game.mechanism.initial_state()
    assert episode_optimum(game.mechanism, rounds).value == best(size, 0, rounds, n * most)
    assert game.mechanism.known_value(rounds, 0)(start) == best(size, 0, rounds, most)


# The climate account


@pytest.mark.parametrize("case", range(CASES))
def test_a_drawn_climate_account_period_by_period_and_at_its_best(case):
    dice = random.Random(f"climate {case}")
    n, money, step_size, most = dice.randint(1, 4), dice.randint(0, 12), dice.randint(1, 3), dice.randint(0, 6)
    periods, target, p = dice.randint(1, 3), dice.randint(0, n * money + 2), F(dice.randint(0, 10), 10)
    lottery, seed = dice.choice(["group", "player"]), dice.randint(0, 99)
    game = get("collective_risk", agents=n, endowment=money, step_size=step_size, most=most, periods=periods, target=target, probability=p, lottery=lottery)  # fmt: skip
    plan = [[dice.randint(0, 8) for _ in range(n)] for _ in range(periods)]
    rolled, paid = game.rollout(plan, seed=seed), [0] * n
    for wanted, step in zip(plan, rolled.transitions, strict=True):
        allowed = [range(0, min(most, money - before) + 1, step_size) for before in paid]
        gifts = [min(own, key=lambda gift, w=w: (abs(gift - w), gift)) for own, w in zip(allowed, wanted, strict=True)]
        assert (step.stock_before, step.total) == (sum(paid), sum(gifts))
        paid = [before + gift for before, gift in zip(paid, gifts, strict=True)]
    noise, reached = Noise(seed, periods), sum(paid) >= target
    struck = [noise.chance(p, "disaster") if lottery == "group" else noise.chance(p, "disaster", i) for i in range(n)]
    assert rolled.gains == tuple(0 if hit and not reached else money - own for own, hit in zip(paid, struck, strict=True))  # fmt: skip
    totals = sorted({sum(gifts) for gifts in itertools.product(range(0, most + 1, step_size), repeat=periods) if sum(gifts) <= money})  # fmt: skip
    worth = {t: [(money - own) * (1 if sum(t) >= target else 1 - p) for own in t] for t in itertools.product(totals, repeat=n)}  # fmt: skip
    start = game.mechanism.initial_state()
    assert game.mechanism.known_value(periods, None)(start) == max(map(sum, worth.values()))
    assert game.mechanism.known_value(periods, 0)(start) == max(kept[0] for kept in worth.values())
    worst = game.mechanism.known_worst_equilibrium(periods)
    if worst is not None and len(worth) <= 2000:  # among plans that fix a total beforehand
        stable = [t for t in worth if all(worth[*t[:i], own, *t[i + 1 :]][i] <= worth[t][i] for i in range(n) for own in totals)]  # fmt: skip
        assert worst == min(sum(worth[t]) for t in stable)
        held = game.mechanism.known_best_equilibrium(periods)
        assert held is None or held == max(sum(worth[t]) for t in stable)


# A constitution


def shares(dice, n):
    cuts = sorted(dice.randint(0, 12) for _ in range(n - 1))
    return [F(b - a, 12) for a, b in zip([0, *cuts], [*cuts, 12], strict=True)]


def votes_of(dice, n):
    weights = [dice.randint(0, 4) for _ in range(n)]
    return weights if sum(weights) else [1, *weights[1:]]


@pytest.mark.parametrize("case", range(CASES))
def test_a_drawn_constitution_vote_by_vote(case):
    dice = random.Random(f"constitution {case}")
    n, pie, discount, seed = dice.randint(2, 5), 6 * dice.randint(1, 12), F(dice.randint(0, 4), 4), dice.randint(0, 999)
    weights = votes_of(dice, n)
    quota = dice.randint(1, sum(weights))
    motions = [
        {"name": f"motion {k}"}
        | ({"weights": votes_of(dice, n)} if dice.random() < 0.6 else {})
        | ({"quota": dice.randint(1, 6)} if dice.random() < 0.5 else {})
        | ({"shares": shares(dice, n)} if dice.random() < 0.6 else {})
        for k in range(dice.randint(0, 3))
    ]
    first = shares(dice, n) if motions and dice.random() < 0.6 else []
    game = get("constitution", agents=n, pie=pie, weights=weights, quota=quota, discount=discount, motions=motions, shares=first)  # fmt: skip

    def propose():
        if motions:
            return [dice.choice([*(motion["name"] for motion in motions), "none"]) for _ in range(n)]
        cuts = [sorted(dice.randint(0, pie) for _ in range(n - 1)) for _ in range(n)]
        return [tuple(b - a for a, b in zip([0, *own], [*own, pie], strict=True)) for own in cuts]

    def plan(state, number):
        if number % 2:
            return propose()
        return ["yes" if seat == state.proposer or dice.random() < 0.5 else "no" for seat in range(n)]

    rolled = game.rollout(plan, rounds=8, seed=seed)
    rule = {"weights": weights, "quota": quota, "shares": first or [F(1, n)] * n}
    refused, table = 0, None
    for number, (said, step) in enumerate(zip(rolled.actions, rolled.transitions, strict=True), start=1):
        if number % 2:
            proposer = Noise(seed, number).below(n, "recognition")
            table = said[proposer]
            assert (step.state.proposer, step.payoffs) == (proposer, (0,) * n)
            continue
        passed = sum(w for w, word in zip(rule["weights"], said, strict=True) if word == "yes") >= rule["quota"]
        assert step.facts["passed"] == passed
        if motions:
            rule |= next((motion for motion in motions if passed and motion["name"] == table), {})
            assert step.payoffs == tuple(share * pie for share in rule["shares"])
            assert (list(step.state.weights), step.state.quota) == (rule["weights"], rule["quota"])
        else:
            assert step.payoffs == tuple(part * discount**refused if passed else 0 for part in table)
            assert step.over == passed
            refused += not passed


# A race that runs


@pytest.mark.parametrize("case", range(CASES))
def test_a_drawn_race_step_by_step_and_its_plans(case):
    dice = random.Random(f"race {case}")
    b, c, prize = F(dice.randint(0, 12)), F(dice.randint(0, 4)), F(dice.randint(0, 200))
    s, caught, risk = 1 + F(dice.randint(1, 8), 4), F(dice.randint(0, 4), 4), F(dice.randint(0, 4), 4)
    shortest, stop, seed = dice.randint(1, 6), F(dice.randint(1, 5), 5), dice.randint(0, 999)
    game = get("ai_race", variant="dynamic", benefit=b, cost=c, speed=s, prize=prize, detection=caught, risk=risk, shortest=shortest, stop=stop)  # fmt: skip
    plan = [[dice.choice(["SAFE", "UNSAFE"]) for _ in range(2)] for _ in range(80)]
    worth = {
        ("SAFE", "SAFE"): b / 2 - c,
        ("SAFE", "UNSAFE"): -c + (1 - caught) * b / (s + 1) + caught * b,
        ("UNSAFE", "SAFE"): (1 - caught) * s * b / (s + 1),
        ("UNSAFE", "UNSAFE"): (1 - caught**2) * b / 2,
    }
    rolled = game.rollout(plan, seed=seed)
    moved, earned, unsafe = [F(0)] * 2, [F(0)] * 2, [0, 0]
    for number, step in enumerate(rolled.transitions, start=1):
        own, noise = plan[number - 1], Noise(seed, number)
        paid = [worth[own[0], own[1]], worth[own[1], own[0]]]
        moved = [at + (s if word == "UNSAFE" else 1) for at, word in zip(moved, own, strict=True)]
        unsafe = [count + (word == "UNSAFE") for count, word in zip(unsafe, own, strict=True)]
        last = number >= shortest and noise.chance(stop, "stop")
        if last:
            ahead = [lab for lab in (0, 1) if moved[lab] == max(moved)]
            for lab in ahead:
                lost = noise.chance(risk * F(unsafe[lab], number), "setback", lab)
                paid[lab] = -earned[lab] if lost else paid[lab] + prize / len(ahead)
        assert (step.payoffs, step.over) == (tuple(paid), last)
        earned = [sum(pair) for pair in zip(earned, paid, strict=True)]
    assert rolled.transitions[-1].over
    length = shortest + (1 - stop) / stop
    kept = 1 - risk
    assert game.mechanism.plans() == (
        (length * worth["SAFE", "SAFE"] + prize / 2, length * worth["SAFE", "UNSAFE"]),
        (kept * (length * worth["UNSAFE", "SAFE"] + prize), kept * (length * worth["UNSAFE", "UNSAFE"] + prize / 2)),
    )
