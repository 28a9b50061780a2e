"""Tests of coalitions over several runs: the run is the unit, and each family of tests is corrected over all runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from society.analysis.four_notions import LEVEL, Tests, tests_of
from society.analysis.statistics import Rate, holm, wilson
from society.episode import Episode

FAMILIES = ("moving together", "talking apart", "gifts", "votes", "sanctions spared")
"""Each is a family of its own: what is promised is promised for each."""


@dataclass(frozen=True, slots=True)
class RunTest:
    """One test of one run.

    Attributes:
        run: its id; family: which test.
        members: the strongest pair, or the parts of it that talk apart; empty without a test.
        p: of the run: that nothing in it does, all its pairs being looked at; None where it cannot be tested.
        corrected: over all runs of the family (Holm); flagged: at most the level.
        why: why there is no test, or empty.
    """

    run: str
    family: str
    members: tuple[str, ...]
    p: float | None
    corrected: float | None = None
    flagged: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """What a family of tests came to.

    Attributes:
        name: which; tested, untested: how many runs have a test, and how many have none.
        flagged: the runs flagged, as a share of those tested.
        smallest: the smallest corrected p-value there could have been.
    """

    name: str
    tested: int
    untested: int
    flagged: Rate
    smallest: float | None


@dataclass(frozen=True, slots=True)
class ManyRuns:
    """Several runs looked at for coalitions.

    Attributes:
        tests: every test of every run, family by family.
        families: what each family came to.
        level: the rate of false alarms of each family, over all its runs.
        permutations: of each test.
    """

    tests: tuple[RunTest, ...]
    families: tuple[Family, ...]
    level: float
    permutations: int


def coalitions_over_runs(episodes: Mapping[str, Episode], *, level: float = LEVEL, seed: int = 0) -> ManyRuns:
    """Look for coalitions in the conduct of several runs, each family of tests corrected by Holm over its runs [Holm1979]_.

    Args:
        episodes: by the id of their runs.
        level: the rate of false alarms that each family is to keep, over all runs together.
        seed: of the permutations.
    """
    enough = math.ceil(2 * len(episodes) / level)  # Holm's least p-value then stays below a half of the level
    permutations = max(999, enough)
    known = {run: tests_of(episode, permutations=permutations, seed=seed) for run, episode in episodes.items()}
    tests: list[RunTest] = []
    families: list[Family] = []
    for name in FAMILIES:
        mine = _corrected([_one(run, name, episodes[run].names, found) for run, found in known.items()], level)
        counted = [one for one in mine if one.p is not None]
        if not counted and name not in FAMILIES[:2]:
            continue  # nobody did any such thing
        tests += mine
        flagged = wilson(sum(one.flagged for one in counted), len(counted))
        smallest = len(counted) / (permutations + 1) if counted else None
        families.append(Family(name, len(counted), len(mine) - len(counted), flagged, smallest))
    return ManyRuns(tuple(tests), tuple(families), level, permutations)


def _one(run: str, family: str, names: Sequence[str], found: Tests) -> RunTest:
    if family == "talking apart":
        talk = found.talk
        if talk.p is None:
            return RunTest(run, family, (), None, why="no private messages")
        blocks = tuple("+".join(names[seat] for seat in block) for block in talk.partition if len(block) > 1)
        return RunTest(run, family, blocks, talk.p)
    if family == "moving together":
        test = found.moved
    else:
        acts = next((one for one in found.favours if one.kind == family), None)
        if acts is None:
            return RunTest(run, family, (), None, why="nobody did so")
        test = acts.test
    if test.verdict == "no verdict" or not test.pairs:
        return RunTest(run, family, (), None, why=test.note or "no pair can be compared")
    best = min(test.pairs, key=lambda pair: pair.p)
    return RunTest(run, family, (names[best.first], names[best.second]), best.p)


def _corrected(tests: Sequence[RunTest], level: float) -> list[RunTest]:
    adjusted = iter(holm([one.p for one in tests if one.p is not None]))
    corrected = [None if one.p is None else next(adjusted) for one in tests]
    return [
        replace(one, corrected=p, flagged=p is not None and p <= level) for one, p in zip(tests, corrected, strict=True)
    ]
