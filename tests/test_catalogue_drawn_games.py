"""Stage games with drawn parameters, small ones and odd ones: every ruler against definitions worked out over all joint actions."""

import itertools
import random
from fractions import Fraction as F

import pytest

from society.mechanisms import get
from tests.oracle import Oracle, examine

CASES = 14
"""How many games of each kind."""


def laboratory(dice):
    n = dice.randint(1, 4)
    e = dice.randint(1, {1: 12, 2: 8, 3: 5, 4: 3}[n])
    wage, a = F(dice.randint(-2, 12), dice.choice([1, 2, 3])), F(dice.randint(-3, 40), dice.choice([1, 2]))
    b = F(dice.randint(1, 12), dice.choice([1, 2, 4, 8]))

    def pays(x):
        total = sum(x)
        return [wage * (e - own) + (F(own, total) * (a * total - b * total**2) if total else 0) for own in x]

    return {"kind": "common_pool_resource", "agents": n, "endowment": e, "wage": wage, "a": a, "b": b}, [range(e + 1)] * n, pays, ANY  # fmt: skip


def market(dice):
    n = dice.randint(1, 3)
    most = dice.randint(1, {1: 15, 2: 9, 3: 5}[n])
    demand, cost = F(dice.randint(1, 30), dice.choice([1, 2])), F(dice.randint(0, 12), dice.choice([1, 2]))
    slope = F(dice.randint(1, 6), dice.choice([1, 2, 3]))
    game = {"kind": "cournot", "agents": n, "demand": demand, "slope": slope, "cost": cost, "capacity": most}
    return game, [range(most + 1)] * n, lambda x: [own * (demand - slope * sum(x) - cost) for own in x], ANY


def public_good(dice):
    n = dice.randint(1, 4)
    e = dice.randint(1, {1: 9, 2: 7, 3: 5, 4: 3}[n])
    back = dice.choice([F(1, n), F(1), F(2, 5), F(dice.randint(1, 9), dice.randint(1, 9))])
    told = {"mpcr": back} if dice.random() < 0.5 else {"multiplier": back * n}
    game = {"kind": "public_goods", "agents": n, "endowment": e, **told}
    return game, [range(e + 1)] * n, lambda c: [e - own + back * sum(c) for own in c], (e, 0)


def climate(dice):
    """In one shot: from targets of nothing to targets nobody can reach, from no risk to certain loss."""
    n, step = dice.randint(1, 4), dice.randint(1, 3)
    money = dice.randint(0, {1: 12, 2: 9, 3: 7, 4: 6}[n])
    most, target = dice.randint(0, money + 3), dice.randint(0, n * money + 2)
    p = dice.choice([F(0), F(1), F(1, 3), F(dice.randint(0, 10), 10)])
    gifts = range(0, min(most, money) + 1, step)
    fair = min(-(-target // (step * n)) * step, max(gifts))
    game = {
        "kind": "collective_risk",
        "agents": n,
        "endowment": money,
        "step_size": step,
        "most": most,
        "target": target,
    }
    game |= {"periods": 1, "probability": p, "lottery": dice.choice(["group", "player"])}
    return game, [gifts] * n, lambda t: [(money - own) * (1 if sum(t) >= target else 1 - p) for own in t], (fair, 0)


def four_numbers(dice):
    n = dice.choice([2, 2, 3, 4, 5])
    t, r, p, s = (F(dice.randint(-4, 6), dice.choice([1, 1, 2])) for _ in range(4))
    worth = {("C", "C"): r, ("C", "D"): s, ("D", "C"): t, ("D", "D"): p}

    def pays(x):
        return [sum(worth[own, other] for j, other in enumerate(x) if j != i) / F(n - 1) for i, own in enumerate(x)]

    return {"kind": "matrix_game", "agents": n, "trps": [t, r, p, s]}, [["C", "D"]] * n, pays, ("C", "D")


def by_others(dice):
    n = dice.randint(2, 5)
    rows = [[F(dice.randint(-5, 9), dice.choice([1, 2])) for _ in range(n)] for _ in range(2)]

    def pays(x):
        return [rows[own != "C"][x.count("C") - (own == "C")] for own in x]

    return {"kind": "matrix_game", "agents": n, "by_others": rows}, [["C", "D"]] * n, pays, ("C", "D")


def any_table(dice):
    """Unlike agents with unlike options; payoffs that tie and payoffs that do not."""
    n = dice.randint(2, 4)
    sizes = [dice.randint(2, 5 if n == 2 else 3) for _ in range(n)]
    if dice.random() < 0.3:
        sizes = [sizes[0]] * n
    words = [[f"{'xyzw'[i]}{k}" for k in range(size)] for i, size in enumerate(sizes)]
    most = dice.choice([3, 50])
    cells = {picks: [F(dice.randint(-most, most), dice.choice([1, 1, 3])) for _ in range(n)] for picks in itertools.product(*map(range, sizes))}  # fmt: skip

    def table(picks=()):
        return cells[picks] if len(picks) == n else [table((*picks, k)) for k in range(sizes[len(picks)])]

    def pays(x):
        return cells[tuple(own.index(word) for own, word in zip(words, x, strict=True))]

    return {"kind": "matrix_game", "agents": n, "options": words, "table": table()}, words, pays, ANY


def volunteers(dice):
    n = dice.randint(2, 6)
    benefit = F(dice.randint(2, 20), dice.choice([1, 2]))
    cost = benefit * F(dice.randint(1, 9), 10)

    def pays(x):
        return [(benefit if "volunteer" in x else 0) - (cost if own == "volunteer" else 0) for own in x]

    game = {"kind": "volunteers_dilemma", "agents": n, "benefit": benefit, "cost": cost}
    return game, [["volunteer", "wait"]] * n, pays, ("volunteer", "wait")


def diners(dice):
    n = dice.randint(1, 6)
    value, cost = ({meal: F(dice.randint(0, 40), dice.choice([1, 1, 3])) for meal in ("cheap", "expensive")} for _ in range(2))  # fmt: skip

    def pays(x):
        return [value[own] - sum(cost[meal] for meal in x) / F(n) for own in x]

    game = {"kind": "diners_dilemma", "agents": n} | {f"{meal}_value": v for meal, v in value.items()}
    game |= {f"{meal}_cost": c for meal, c in cost.items()}
    return game, [["cheap", "expensive"]] * n, pays, ("cheap", "expensive")


def race(dice):
    b, c, prize = (F(dice.randint(0, 30), dice.choice([1, 2])) for _ in range(3))
    s, w = 1 + F(dice.randint(1, 12), 4), dice.randint(1, 20)
    caught, risk = (F(dice.randint(0, 4), 4) for _ in range(2))
    p = 1 - risk
    worth = {
        ("SAFE", "SAFE"): prize / (2 * w) + b / 2 - c,
        ("SAFE", "UNSAFE"): -c + (1 - caught) * b / (s + 1) + caught * b,
        ("UNSAFE", "SAFE"): p * (s * prize / w + (1 - caught) * s * b / (s + 1)),
        ("UNSAFE", "UNSAFE"): p * (s * prize / (2 * w) + (1 - caught**2) * b / 2),
    }
    game = {"kind": "ai_race", "benefit": b, "cost": c, "speed": s, "prize": prize, "steps": w, "detection": caught, "risk": risk}  # fmt: skip
    return game, [["SAFE", "UNSAFE"]] * 2, lambda x: [worth[x], worth[x[::-1]]], ("SAFE", "UNSAFE")


def service(dice):
    n, k = dice.randint(1, 4), dice.randint(1, 12)
    v = F(dice.randint(1, 12), dice.choice([1, 2]))
    c = v * F(dice.randint(0, 9), 10)
    most = dice.randint(0, {1: 14, 2: 9, 3: 5, 4: 4}[n])

    def pays(x):
        return [v * own * min(F(1), F(k, sum(x)) if sum(x) else F(1)) - c * own for own in x]

    fair = min(most, k // n)
    selfish = F((n - 1) * v * k, c * n * n) if c else most
    game = {"kind": "shared_compute", "agents": n, "capacity": k, "value": v, "cost": c, "most": most}
    return game, [range(most + 1)] * n, pays, (fair, max(fair, min(most, int(selfish))))


def attention(dice):
    n = dice.randint(1, 5)
    gain, loss = (F(dice.randint(0, 40), dice.choice([1, 2])) for _ in range(2))
    fee, slots = F(dice.randint(0, 40), 16), dice.randint(0, n + 1)
    p, h = (F(dice.randint(0, 10), 10) for _ in range(2))

    def pays(x):
        asked = min(F(1), F(slots, max(1, x.count("ask")))) * (p * h * gain - (1 - p) * (1 - h) * loss) - fee
        return [{"act": p * gain - (1 - p) * loss, "ask": asked, "noop": 0}[own] for own in x]

    game = {"kind": "attention", "agents": n, "gain": gain, "loss": loss, "good": p, "judgement": h, "cost": fee}
    game |= {"slots": slots, "outcomes": dice.choice(["expected", "drawn"])}
    return game, [["act", "ask", "noop"]] * n, pays, ANY


def roads(dice):
    """Networks of any shape, with circles, dead ends and closed edges; trips of one's own; every kind of travel time."""
    n, flow = dice.randint(1, 4), dice.choice([F(1), F(1, 2), F(3)])
    nodes = "abcde"[: dice.randint(2, 5)]
    pairs = [(start, end) for start in nodes for end in nodes if start != end]
    while True:
        drawn = dice.sample(pairs, min(len(pairs), dice.randint(1, 7)))
        open_edges = [edge for edge in drawn if dice.random() > 0.1]
        trips = [dice.choice(pairs) for _ in range(dice.choice([1, n]))]
        routes = [list(ways(open_edges, *trips[i % len(trips)])) for i in range(n)]
        if all(routes) and max(map(len, routes)) <= 5 and len(list(itertools.product(*routes))) <= 700:
            break
    minutes, edges = {}, []
    for start, end in drawn:
        told, minutes[start + end] = travel_time(dice, n * flow)
        edges.append([start, end, told])

    def pays(x):
        legs = [[a + b for a, b in itertools.pairwise(route.split("-"))] for route in x]
        used = {leg: flow * sum(leg in other for other in legs) for own in legs for leg in own}
        return [-sum(minutes[leg](used[leg]) for leg in own) for own in legs]

    closed = [f"{start}-{end}" for start, end in drawn if (start, end) not in open_edges]
    game = {"kind": "congestion", "agents": n, "edges": edges, "trips": ["-".join(trip) for trip in trips]}
    return game | {"closed": closed, "flow": flow}, routes, pays, None


def ways(edges, start, end, path=""):
    path = path or start
    if path[-1] == end:
        yield "-".join(path)
        return
    for a, b in edges:
        if a == path[-1] and b not in path:
            yield from ways(edges, start, end, path + b)


def travel_time(dice, everybody):
    """A latency as it is written, and as it is meant."""
    u, v = F(dice.randint(0, 9), dice.choice([1, 2])), F(dice.randint(0, 9), dice.choice([1, 3]))
    i, j = dice.randint(0, 9), dice.randint(1, 9)
    return dice.choice(
        [
            ({"kind": "constant", "a": u}, lambda x: u),
            ({"kind": "linear", "a": u, "b": v}, lambda x: u + v * x),
            ({"kind": "per_capita", "a": u, "b": v}, lambda x: u + v * x / everybody),
            ({"kind": "polynomial", "coefficients": [u, 0, v, F(1, 2)]}, lambda x: u + v * x**2 + x**3 / 2),
            ({"kind": "bpr", "free": u, "capacity": v + 1}, lambda x: u * (1 + F(3, 20) * (x / (v + 1)) ** 4)),
            (f"{i} + {j} x^2/c + x/{j}", lambda x: i + j * x**2 / everybody + x / j),
        ]
    )


def short_pool(dice):
    """One round at a pool, under the three rules that draw no lots."""
    n = dice.randint(1, 4)
    stock = dice.randint(0, {1: 12, 2: 8, 3: 5, 4: 3}[n])
    rule, order = dice.choice(["proportional", "equal", "priority"]), dice.sample(range(n), n)

    def pays(x):
        return handed_out(x, stock, rule, order)

    game = {
        "kind": "common_pool",
        "agents": n,
        "capacity": stock + dice.randint(1, 9),
        "stock": stock,
        "rationing": rule,
    }
    if rule == "priority":
        game["priority"] = order
    return game, [range(stock + 1)] * n, pays, ANY


def handed_out(asked, stock, rule, order):
    """Unit after unit to whoever the rule says is next."""
    got, total = [0] * len(asked), sum(asked)
    if total <= stock:
        return list(asked)
    if rule == "proportional":
        parts = [F(own * stock, total) for own in asked]
        got = [part.numerator // part.denominator for part in parts]
        for seat in sorted(range(len(asked)), key=lambda i: (got[i] - parts[i], i))[: stock - sum(got)]:
            got[seat] += 1
        return got
    while sum(got) < stock:
        wanting = [seat for seat in range(len(asked)) if got[seat] < asked[seat]]
        got[min(wanting, key=lambda i: (got[i], i) if rule == "equal" else order.index(i))] += 1
    return got


ANY = "whatever the mechanism calls so"
KINDS = (laboratory, market, public_good, climate, four_numbers, by_others, any_table, volunteers, diners, race, service, attention, roads, short_pool)  # fmt: skip


@pytest.mark.parametrize("number", range(CASES))
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_rulers_of_a_drawn_game_are_what_the_definitions_say(kind, number):
    parameters, actions, pays, poles = kind(random.Random(f"{kind.__name__} {number}"))
    bench = get(**parameters)
    for agent, own in enumerate(actions):
        assert set(bench.mechanism.space(bench.mechanism.initial_state(), agent).grid()) == set(own)
    examine(bench, Oracle(actions, pays), bench.ruler.poles if poles is ANY else poles)
