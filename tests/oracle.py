"""Game theory by its definitions: every joint action is looked at, in fractions. Shares no code with what it examines."""

import itertools
from fractions import Fraction as F
from functools import cached_property

from society.analysis import general_self_interest_level


class Oracle:
    """A stage game as a list of actions for each agent and a function from joint actions to payoffs."""

    def __init__(self, actions, pays):
        self.actions = [list(own) for own in actions]
        self.n = len(self.actions)
        self.table = {joint: tuple(map(F, pays(joint))) for joint in itertools.product(*self.actions)}

    def welfare(self, joint):
        return sum(self.table[joint])

    @cached_property
    def optimum(self):
        return max(map(self.welfare, self.table))

    @property
    def benchmark(self):
        """(sum, smallest payoff, sum of differences) of the cooperative benchmark: a larger minimum, then a smaller spread."""

        def merit(paid):
            return sum(paid), min(paid), -sum(abs(a - b) for a in paid for b in paid)

        return max(map(merit, self.table.values()))

    @property
    def ceilings(self):
        return [max(paid[i] for paid in self.table.values()) for i in range(self.n)]

    def turned(self, joint, i, action):
        return (*joint[:i], action, *joint[i + 1 :])

    def regrets(self, joint):
        return [max(self.table[self.turned(joint, i, a)][i] for a in self.actions[i]) - self.table[joint][i] for i in range(self.n)]  # fmt: skip

    def replies(self, joint, i):
        best = max(self.table[self.turned(joint, i, a)][i] for a in self.actions[i])
        return {a for a in self.actions[i] if self.table[self.turned(joint, i, a)][i] == best}

    @cached_property
    def equilibria(self):
        return {joint for joint in self.table if not any(self.regrets(joint))}

    def price(self, reached):
        """Optimum over what is reached; of costs the other way round; None of mixed sign."""
        best = self.optimum
        if best > 0 and reached > 0:
            return best / reached
        return reached / best if best < 0 and reached < 0 else None

    def diagram(self, good, bad):
        """R_c(k) and R_d(k): means over agents and groups of k others who cooperate."""
        cooperator, defector = [], []
        for k in range(self.n):
            found = {good: [], bad: []}
            for i in range(self.n):
                for group in itertools.combinations([j for j in range(self.n) if j != i], k):
                    for own in (good, bad):
                        joint = tuple(own if j == i else good if j in group else bad for j in range(self.n))
                        found[own].append(self.table[joint][i])
            cooperator.append(sum(found[good]) / len(found[good]))
            defector.append(sum(found[bad]) / len(found[bad]))
        return cooperator, defector

    def self_interest_level(self, good, bad, least=None):
        """The largest s in [1/n, 1] at which cooperation is weakly dominant: every breakpoint of a constraint is tried.

        From 0 on, in a symmetric game, it is the general level too: the mean of a solution over all orders of the seats is
        a solution that is no worse.
        """
        n, constraints = self.n, []
        least = F(1, n) if least is None else least
        for i in range(n):
            for others in itertools.product((good, bad), repeat=n - 1):
                joint = (*others[:i], good, *others[i:])
                change = [a - b for a, b in zip(self.table[joint], self.table[self.turned(joint, i, bad)], strict=True)]
                constraints.append((change[i], sum(change) - change[i]))
        spread = max(1, n - 1)
        tried = {least, F(1)}
        tried |= {-rest / spread / (own - rest / spread) for own, rest in constraints if own != rest / spread}
        fit = [s for s in tried if least <= s <= 1 and all(s * own + (1 - s) * rest / spread >= 0 for own, rest in constraints)]  # fmt: skip
        return max(fit, default=None)

    @property
    def selfishness_level(self):
        """The smallest weight of welfare at which some optimum is an equilibrium; None if there is none."""
        levels = []
        for joint in self.table:
            if self.welfare(joint) < self.optimum:
                continue
            needed = [F(0)]
            for i in range(self.n):
                for a in self.actions[i]:
                    other = self.turned(joint, i, a)
                    gain, loss = self.table[other][i] - self.table[joint][i], self.optimum - self.welfare(other)
                    if gain > 0:
                        needed.append(gain / loss if loss > 0 else None)
            if None not in needed:
                levels.append(max(needed))
        return min(levels, default=None)


def examine(bench, oracle, poles=None):
    """Every number that the ruler of a mechanism gives, against the oracle's.

    Args:
        bench: the game.
        oracle: the same game, told otherwise.
        poles: what is called cooperation and defection; None: nothing is.
    """
    ruler, some = bench.ruler, list(oracle.table)[:: max(1, len(oracle.table) // 12)]
    assert all(ruler.scores(joint) == oracle.table[joint] for joint in some)
    _the_best(ruler, oracle)
    _the_stable(bench, ruler, oracle)
    for joint in some[::3]:
        gains = oracle.regrets(joint)
        assert [ruler.regret(joint, i) for i in range(oracle.n)] == gains
        assert (ruler.nash_conv(joint), ruler.epsilon(joint)) == (sum(gains), max(gains))
        assert ruler.exploitability(joint) == sum(gains) / oracle.n
        assert set(ruler.best_replies(joint, oracle.n - 1)) == oracle.replies(joint, oracle.n - 1)
    assert (ruler.selfishness_level.value, ruler.selfishness_level.exact) == (oracle.selfishness_level, True)
    assert ruler.poles == poles
    if poles is not None:
        _the_dilemma(ruler, oracle, poles)


def _the_best(ruler, oracle):
    best = ruler.optimum
    assert (best.value, best.exact) == (oracle.optimum, True)
    paid = oracle.table[best.profile]
    assert (sum(paid), min(paid), -sum(abs(a - b) for a in paid for b in paid)) == oracle.benchmark
    assert [bound.value for bound in ruler.ceiling] == oracle.ceilings
    assert all(bound.exact and oracle.table[bound.profile][i] == bound.value for i, bound in enumerate(ruler.ceiling))


def _the_stable(bench, ruler, oracle):
    found, stable = ruler.equilibria, oracle.equilibria
    listed = set(found)
    assert found.exact and listed <= stable and len(listed) == len(found)
    for order in (_as_it_is, _by_trip, _sorted):  # how far the ruler counts orders of seats for one
        if {order(bench, joint) for joint in listed} == {order(bench, joint) for joint in stable}:
            break
    else:
        raise AssertionError(f"{listed} are not all of {stable}")
    assert order is not _sorted or found.up_to_order
    worst, most = min(map(oracle.welfare, stable), default=None), max(map(oracle.welfare, stable), default=None)
    bounds = ruler.worst_equilibrium, ruler.best_equilibrium
    assert [bound and bound.value for bound in bounds] == [worst, most]
    prices = [None if reached is None else oracle.price(reached) for reached in (worst, most)]
    assert [ruler.price_of_anarchy.value, ruler.price_of_stability.value] == prices


def _as_it_is(bench, joint):
    return tuple(joint)


def _sorted(bench, joint):
    return tuple(sorted(map(str, joint)))


def _by_trip(bench, joint):
    """Up to the order of agents with the same trip."""
    trip = getattr(bench.mechanism, "trip", lambda agent: agent)
    return tuple(sorted((repr(trip(i)), str(action)) for i, action in enumerate(joint)))


def _the_dilemma(ruler, oracle, poles):
    cooperator, defector = oracle.diagram(*poles)
    seen = ruler.schelling
    assert (list(seen.cooperator), list(seen.defector)) == (cooperator, defector)
    greed, fear = defector[-1] - cooperator[-1], defector[0] - cooperator[0]
    assert (seen.greed, seen.fear) == (greed, fear)
    dilemma = cooperator[-1] > defector[0] and cooperator[-1] > cooperator[0] and (greed > 0 or fear > 0)
    if oracle.n == 2:
        dilemma = dilemma and 2 * cooperator[1] > defector[1] + cooperator[0]
    assert seen.is_dilemma == dilemma
    assert ruler.self_interest_level.value == oracle.self_interest_level(*poles)
    if ruler.board.symmetric and 1 < oracle.n <= 4:
        assert general_self_interest_level(ruler).value == oracle.self_interest_level(*poles, least=F(0))
