"""A run in the hand: what was played, what came of it, and how to look at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from society.core.events import Event
from society.core.exact import Number, plain
from society.core.markup import html_table
from society.episode import Episode
from society.metrics import METRICS, Measured, measure_all
from society.metrics.measure import Reference
from society.rulers import lasts

if TYPE_CHECKING:
    from society.analysis import Alignment
    from society.analysis.alignment.alignment import TableName
    from society.log import Log
    from society.scenario.model import Scenario
    from society.views.charts.drawing import Chart


class Outcome:
    """Every collective metric of an episode, as attributes: ``outcome.gini``. None means "does not apply".

    Attributes:
        measured: the same with numerators and denominators.
        without_defaulted: the same again, leaving out decisions that stand for unreadable answers.
    """

    def __init__(self, episode: Episode, reference: Reference | None = None) -> None:
        record = episode.record()
        some_defaulted = any(any(played.defaulted) for played in record.rounds)
        self.measured: Mapping[str, Measured] = measure_all(record, reference)
        self.without_defaulted: Mapping[str, Measured] = (
            measure_all(record.without_defaulted(), reference) if some_defaulted else self.measured
        )

    def __getattr__(self, name: str) -> Number | None:
        if name.startswith("_") or name not in METRICS:
            raise AttributeError(f"no metric is called {name!r}; known: {', '.join(METRICS)}")
        return self.measured[name].value

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *METRICS]

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={m.value}" for name, m in self.measured.items() if m.value is not None)
        return f"Outcome({shown})"

    def _repr_html_(self) -> str:
        columns = ("metric", "value", "numerator", "denominator", "without_defaulted", "unit")
        return html_table(columns, [[row[name] for name in columns] for row in self.rows()])

    def rows(self) -> list[dict[str, Number | str | None]]:
        """One row a metric: name, value, numerator, denominator, value without defaulted decisions, unit."""
        return [
            {
                "metric": name,
                "value": measured.value,
                "numerator": measured.numerator,
                "denominator": measured.denominator,
                "without_defaulted": self.without_defaulted[name].value,
                "unit": METRICS[name].unit,
            }
            for name, measured in self.measured.items()
        ]


@dataclass(frozen=True)
class Run:
    """A run of a log. What is computed from it is computed when it is asked for, and kept."""

    id: str
    log: Log

    @cached_property
    def episode(self) -> Episode:
        """What was played."""
        return self.log.episode(self.id)

    def know(self, events: Sequence[Event], scenario: Scenario | None = None) -> None:
        """Take what was played from whoever played it, in place of reading it back.

        Args:
            events: all of them.
            scenario: what the manifest, or the last fork, holds; by default it is read from there.
        """
        episode = Episode.from_events(events, run_id=self.id)
        if scenario is not None:
            episode.__dict__["scenario"] = scenario
        self.__dict__["episode"] = episode

    @property
    def status(self) -> str:
        """completed, invalid, paused, interrupted, failed or running."""
        return self.log.find(self.id).status

    @cached_property
    def outcome(self) -> Outcome:
        """The collective metrics."""
        return Outcome(self.episode, reference_of(self.episode))

    @cached_property
    def alignment(self) -> Alignment:
        """What of each agent's gap between goal and impact was lost to what, and to whom."""
        from society.analysis import align

        return align(self.episode)

    def charts(self) -> list[Chart]:
        """Everything the viewer draws of it: timeline, deeds, waterfalls, who surprised whom, coalitions, power.

        Each shows itself in a notebook and is saved with ``chart.save("figure.pdf")``.
        """
        from society.analysis import coalitions
        from society.views.charts.matrix import deeds
        from society.views.charts.timeline import timeline
        from society.views.web.alliances import alliance_charts
        from society.views.web.losses import loss_charts, losses_from

        drawn = [timeline(self.episode), deeds(self.episode)]
        if self.episode.settled:
            drawn += loss_charts(losses_from(self.alignment), self.episode)
            drawn += alliance_charts(coalitions(self.episode), self.episode)
        return [chart for chart in drawn if chart is not None]

    def keep_alignment(self) -> None:
        """Write the alignment decomposition into the log, in place of the one that stands there."""
        for table in ("stage_value", "gap_term", "surprise_share"):
            self.log.store(self.id, table, self.alignment_rows(table))

    def alignment_rows(self, table: TableName) -> list[dict[str, Any]]:  # Any: SQL values
        """A table of the alignment decomposition as the log keeps it."""
        rows = self.alignment.rows(table)
        return [{**row, "value": _real(row["value"]), "value_text": str(plain(row["value"]))} for row in rows]

    def metric_rows(self) -> list[dict[str, Any]]:  # Any: SQL values
        """The metrics as the log keeps them: with and without defaulted decisions."""
        return [
            {
                "name": name,
                "without_defaulted": plain,
                "value": _real(measured.value),
                "numerator": _real(measured.numerator),
                "denominator": _real(measured.denominator),
                "unit": METRICS[name].unit,
            }
            for plain, table in ((False, self.outcome.measured), (True, self.outcome.without_defaulted))
            for name, measured in table.items()
        ]

    def transcript(self, style: str = "text") -> str:
        """The story: said, meant, did, got; as text, markdown, html or json."""
        from society.views.transcript import transcript

        return transcript(self.episode, style=style)

    def __repr__(self) -> str:
        return f"Run({self.id!r}, {self.status})"

    def _repr_html_(self) -> str:
        from society.views.notebook import run_html

        return run_html(self.episode, self.outcome.measured)


def reference_of(episode: Episode) -> Reference:
    """What was possible in the whole episode, for metrics that compare with it; None where it is not known exactly."""
    from society.analysis.sustaining import outlook_of
    from society.mechanisms import reference

    mechanism = episode.scenario.mechanism
    if any(phase.scenario.mechanism != mechanism for phase in episode.phases):
        return Reference()  # no one optimum stands for rules that changed on the way
    possible = reference.reference_of(mechanism, episode.scenario.rounds)
    return replace(possible, lasting=lasts(outlook_of(episode)))


def _real(value: Number | None) -> float | None:
    return None if value is None else float(value)
