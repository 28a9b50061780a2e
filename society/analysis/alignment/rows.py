"""An alignment as tables: one value a row, for the log, frames and exports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from society.analysis.alignment.chains import UNATTRIBUTED
from society.analysis.alignment.orders import Interaction
from society.core.actions import action_to_plain
from society.core.exact import Number

if TYPE_CHECKING:
    from society.analysis.alignment.alignment import Alignment, Judged

Row: TypeAlias = dict[str, Any]  # Any: numbers, words and truths

_FROM_THE_CEILING = frozenset({"anticipated", "aspiration", "goal_conflict", "ambition", "slack", UNATTRIBUTED})


def _keys(decision: Judged) -> Row:
    gap = decision.gap
    return {
        "round": decision.round,
        "agent": decision.agent,
        "yardstick": gap.yardstick,
        "mode": gap.mode,
        "defaulted": decision.defaulted,
    }


def stage_rows(found: Alignment) -> Iterator[Row]:
    """W0 to W4, C, the forecast, V of the state and P0 to P6, as far as they are defined."""
    for decision in found.judged:
        gap = decision.gap
        principal = gap.principal.stages if gap.principal else {}
        exact = {"W0": gap.ceiling_exact, "W1": gap.reply_exact, "P0": gap.ceiling_exact}
        others = {"C": gap.benchmark, "forecast": gap.forecast, "V": decision.start}
        known = {name: value for name, value in others.items() if value is not None}
        for stage, value in {**gap.stages, **known, **principal}.items():
            yield {**_keys(decision), "stage": stage, "value": value, "exact": exact.get(stage, True)}


def term_rows(found: Alignment) -> Iterator[Row]:
    """The terms of every chain, and their sums over the episode as round 0."""
    for decision in found.judged:
        for chain, term, value in _terms(decision):
            exact = decision.gap.ceiling_exact or term not in _FROM_THE_CEILING
            yield {**_keys(decision), "chain": chain, "term": term, "value": value, "exact": exact}
    if found.mode == "episode":
        return  # its one decision is the episode, and is round 0 itself
    for yardstick in found.yardsticks:
        for agent in range(found.agents):
            if not found.of(agent, yardstick):
                continue
            whole = found.episode(agent, yardstick)
            keys = {"round": 0, "agent": agent, "yardstick": yardstick, "mode": found.mode, "defaulted": False}
            sums = {**whole.terms, **({} if whole.slack is None else {"slack": whole.slack})}
            for term, value in sums.items():
                exact = whole.ceiling_exact or term not in _FROM_THE_CEILING
                yield {**keys, "chain": "causal", "term": term, "value": value, "exact": exact}


def share_rows(found: Alignment) -> Iterator[Row]:
    """Who surprised whom, decision by decision."""
    for decision in found.judged:
        blame = decision.gap.attribution
        if blame is None:
            continue
        for other, share in enumerate(blame.shares):
            if share is not None:
                error = None if blame.errors is None else blame.errors[other]
                yield {
                    **_keys(decision),
                    "cause": other,
                    "value": share,
                    "se": error,
                    "method": blame.method,
                    "orders": blame.orders,
                }


def word_rows(found: Alignment) -> Iterator[Row]:
    """Announced, meant and done, one row for each announcement that somebody made to everybody."""
    for decision in found.judged:
        word = decision.word
        if word is None:
            continue
        broken = word.deviation
        yield {
            "round": decision.round,
            "agent": decision.agent,
            "announced": action_to_plain(word.announced),
            "intended": action_to_plain(word.intended),
            "done": action_to_plain(word.done),
            "meant": word.meant,
            "kept": word.kept,
            "kind": None if broken is None else broken.kind,
            "own_gain": None if broken is None else broken.own_gain,
            "welfare_change": None if broken is None else broken.welfare_change,
            "all_announced": None if broken is None else broken.all_announced,
        }


def accuracy_rows(found: Alignment) -> Iterator[Row]:
    """How close each prediction came, one row for each agent that was predicted."""
    for decision in found.judged:
        scores = decision.accuracy
        if scores is None:
            continue
        for other, brier in enumerate(scores.brier):
            if brier is not None:
                yield {
                    "round": decision.round,
                    "agent": decision.agent,
                    "other": other,
                    "absolute": scores.absolute[other],
                    "brier": brier,
                    "crps": scores.crps[other],
                }


TABLES: Mapping[str, Callable[[Alignment], Iterator[Row]]] = {
    "stage_value": stage_rows,
    "gap_term": term_rows,
    "surprise_share": share_rows,
    "public_word": word_rows,
    "accuracy": accuracy_rows,
}


def _orders(crossed: Interaction) -> Iterator[tuple[str, str, Number]]:
    yield "beside", "interaction", crossed.value
    yield "symmetric", "say_do", crossed.say_do
    yield "symmetric", "surprise", crossed.surprise
    yield "others_first", "say_do", crossed.say_do_last
    yield "others_first", "surprise", crossed.surprise_first


def _terms(decision: Judged) -> Iterator[tuple[str, str, Number]]:
    gap = decision.gap
    yield from (("causal", name, term) for name, term in gap.terms.items())
    yield from (("subjective", name, term) for name, term in (gap.subjective or {}).items())
    yield from (("split", name, term) for name, term in gap.splits.items())
    yield from (("beside", name, term) for name, term in gap.beside.items())
    yield "beside", "regret", gap.regret
    if decision.slack is not None:
        yield "causal", "slack", decision.slack
    if gap.interaction is not None:
        yield from _orders(gap.interaction)
    if gap.ordering is not None:
        mean = zip(gap.ordering.terms, gap.ordering.average, strict=True)
        yield from (("all_orders", name, term) for name, term in mean)
    if gap.principal is not None:
        yield from (("principal", name, term) for name, term in gap.principal.terms.items())
    if decision.talking is not None:
        yield "beside", "talking", decision.talking
    if decision.word is not None and decision.word.deviation is not None:
        yield "public_word", "own_gain", decision.word.deviation.own_gain
        yield "public_word", "welfare_change", decision.word.deviation.welfare_change
