"""The alignment decomposition for machines; numbers exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from society.analysis.alignment.diagnosis import counted
from society.core.exact import Json, Number, plain

if TYPE_CHECKING:
    from society.analysis.alignment.alignment import Alignment, EpisodeGap


def alignment_json(alignment: Alignment) -> dict[str, Json]:
    """Everything `society align` knows: sums, rounds, matrices, public words, predictions, the group, and the words."""
    seen, group = alignment.diagnosis() if alignment.judged else None, alignment.group
    return {
        "run": alignment.run_id,
        "scenario": alignment.title,
        "seed": alignment.seed,
        "mode": alignment.mode,
        "discount": plain(alignment.discount),
        "stateful": alignment.stateful,
        "unfinished": alignment.unfinished,
        "rounds": alignment.rounds_played,
        "rounds_planned": alignment.rounds_planned,
        "rounds_shared": alignment.shared,
        "agents": list(alignment.names),
        "goals": [goal.kind for goal in alignment.goals],
        "unit": alignment.unit,
        "units": list(alignment.units),
        "ceilings_exact": all(judged.gap.ceiling_exact for judged in alignment.judged),
        "episode": [
            _episode(alignment, alignment.episode(seat, yardstick))
            for yardstick in alignment.yardsticks
            for seat in range(alignment.agents)
            if alignment.of(seat, yardstick)
        ],
        "stages": [_row(row) for row in alignment.rows("stage_value")],
        "terms": [_row(row) for row in alignment.rows("gap_term")],
        "shares": [_row(row) for row in alignment.rows("surprise_share")],
        "surprised_by": [[_exact(cell) for cell in row] for row in alignment.matrix()],
        "public_words": [_row(row) for row in alignment.rows("public_word")],
        "promises": [_promises(alignment, seat) for seat in range(alignment.agents) if alignment.words(seat)],
        "accuracy": [_row(row) for row in alignment.rows("accuracy")],
        "group": None
        if group is None
        else {"conflict": plain(group.conflict), "loss": plain(group.loss), "exact": group.exact},
        "diagnosis": None
        if seen is None
        else {
            "situation": seen.situation,
            "surprise": _exact(seen.surprise),
            "regret": _exact(seen.regret),
            "loss": _exact(seen.loss),
            "small": plain(seen.small),
        },
        "words": alignment.text(),
    }


def _episode(alignment: Alignment, gap: EpisodeGap) -> dict[str, Json]:
    crossed, normalised = gap.crossed, gap.normalised
    return {
        "agent": alignment.names[gap.agent],
        "yardstick": gap.yardstick,
        "goal": alignment.goals[gap.agent].kind if gap.yardstick == "goal" else None,
        "unit": alignment.units[gap.agent] if gap.yardstick == "goal" else alignment.unit,
        "mode": alignment.mode,
        "best": _exact(gap.best),
        "total": _exact(gap.total),
        "terms": {name: _exact(term) for name, term in gap.terms.items()},
        "inter_agent": _exact(gap.inter_agent),
        "happened": _exact(gap.happened),
        "normalised": None if normalised is None else {name: _exact(term) for name, term in normalised.items()},
        "scale": _exact(gap.scale),
        "interaction": None
        if crossed is None
        else {
            "value": plain(crossed.value),
            "large": crossed.large,
            "symmetric": {"say_do": plain(crossed.say_do), "surprise": plain(crossed.surprise)},
            "others_first": {"say_do": plain(crossed.say_do_last), "surprise": plain(crossed.surprise_first)},
        },
        "regret": _exact(gap.regret),
        "start": _exact(gap.start),
        "earned": _exact(gap.earned),
        "left_open": _exact(gap.left_open),
        "slack": _exact(gap.slack),
        "reference": str(gap.reference),
        "ceiling_exact": gap.ceiling_exact,
        "rounds": gap.rounds,
        "defaulted": gap.defaulted,
    }


def _promises(alignment: Alignment, seat: int) -> dict[str, Json]:
    count = counted(alignment.words(seat))
    return {
        "agent": alignment.names[seat],
        "announced": count.announced,
        "meant": count.meant,
        "kept": count.kept,
        "broken": dict(count.kinds),
        "own_gain": plain(count.own_gain),
        "welfare_change": plain(count.welfare_change),
    }


def _row(row: dict[str, Json | Number]) -> dict[str, Json]:
    return {name: _exact(cell) for name, cell in row.items()}


def _exact(cell: Json | Number) -> Json:
    return cell if cell is None or isinstance(cell, (bool, str, list, tuple)) else plain(cell)  # type: ignore[arg-type]  # numbers only
