"""What the page of a run holds, from its episode and the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from society.core.exact import show
from society.episode import Episode
from society.log import RunInfo
from society.metrics import METRICS, Measured
from society.views.charts.drawing import Chart
from society.views.charts.matrix import deeds
from society.views.charts.timeline import timeline
from society.views.story import tell
from society.views.sustaining import depletion_sentence
from society.views.tables import words
from society.views.web.governance import all_ruled
from society.views.web.moments import moments_of
from society.views.web.rounds import Card, card_of, head_of
from society.views.web.runs_table import HEADLINES
from society.views.web.shelf import Shelf

MOST_AT_ONCE = 400
"""Rows of agents in a page; in larger runs rounds are fetched as the reader comes to them."""
STAGES = ("talk", "before_talk", "declare", "act", "decide")


class Place:
    """A run as templates address it.

    Attributes:
        run_id: which run; title: the scenario's name; names: the agents by seat.
        round_word: what a round is called; unit: what an action is an amount of, empty where it is none.
        asked: where models were asked: (round, seat, stage).
        whole: the page is one file, without a server behind it.
        stored: prompts and answers can be had; not in a file that would be too large with them.
    """

    def __init__(self, episode: Episode, asked: frozenset[tuple[int, int, str]], *, whole: bool = False) -> None:
        self.run_id, self.title, self.names = episode.run_id, episode.scenario.name, episode.names
        self.round_word = episode.scenario.theme.round
        self.asked, self.whole = asked, whole
        self.numeric = all(not isinstance(a, (str, tuple)) for settled in episode.settled for a in settled.executed)
        self.unit = episode.scenario.theme.resource if self.numeric else ""
        self.actions_public = episode.scenario.disclosure.actions
        self.payoffs_public = episode.scenario.disclosure.payoffs
        self.live = ""
        self.stored = True

    @property
    def rounds_word(self) -> str:
        """The plural of what a round is called."""
        return f"{self.round_word}s"

    @property
    def base(self) -> str:
        """The address of the run; empty in one file."""
        return "" if self.whole else f"/run/{quote(self.run_id, safe='')}"

    @property
    def alignment(self) -> str:
        """Where the alignment part is fetched from; empty where it stands in the page."""
        return "" if self.whole else f"{self.base}/alignment"

    @property
    def coalitions(self) -> str:
        """Where the coalitions part is fetched from; empty where it stands in the page."""
        return "" if self.whole else f"{self.base}/coalitions"

    def round(self, number: int) -> str:
        """Where a single round is fetched from."""
        return f"{self.base}/round/{number}"

    def has_calls(self, number: int, seat: int, stage: str) -> bool:
        """Whether a model was asked there."""
        return self.stored and (number, seat, stage) in self.asked

    def calls(self, number: int, seat: int, stage: str) -> str:
        """Where the prompts and raw answers stand."""
        if self.whole:
            return f"#calls-{number}-{seat}-{stage}"
        return f"{self.base}/calls/{number}/{seat}/{stage}"

    def seen(self, number: int, seat: int) -> str:
        """Where it stands what an agent knew when it acted; empty in one file."""
        return "" if self.whole else f"{self.base}/seen/{number}/{seat}"


@dataclass(frozen=True, slots=True)
class Fact:
    """One headline number with its unit; `parts` says what was divided by what."""

    name: str
    value: Any  # Any: a number or None
    unit: str
    parts: str


def stage_of(stage: str) -> str:
    """The stage of a page a stage of the journal belongs to."""
    return stage if stage in STAGES else "decide"


def place_of(shelf: Shelf, info: RunInfo, *, whole: bool = False) -> Place:
    """The run as templates address it."""
    return Place(shelf.episode(info), shelf.once("asked", info, lambda: _asked(shelf, info)), whole=whole)


def _asked(shelf: Shelf, info: RunInfo) -> frozenset[tuple[int, int, str]]:
    found = shelf.log.sql("SELECT DISTINCT round, agent, stage FROM model_call WHERE run_id = :run", {"run": info.id})
    return frozenset((int(r), int(a), stage_of(str(s))) for r, a, s in found.values)


def head_values(shelf: Shelf, info: RunInfo) -> dict[str, Any]:  # Any: what templates show
    """What stands at the top: how it ended and the headline numbers."""
    episode = shelf.episode(info)
    story = shelf.once("story", info, lambda: tell(episode))
    measured = shelf.log.sql(
        "SELECT name, value, numerator, denominator FROM metric WHERE run_id = :run AND without_defaulted = :no",
        {"run": info.id, "no": False},
    )
    known = {row["name"]: row for row in measured}
    facts = [
        Fact(name.replace("_", " "), row["value"], METRICS[name].unit, _parts(row["numerator"], row["denominator"]))
        for name in HEADLINES
        if name in known and name in METRICS and (row := known[name])["value"] is not None
    ]
    numbers = {name: Measured(row["value"], row["numerator"], row["denominator"]) for name, row in known.items()}
    return {
        "info": info,
        "ending": story.ending,
        "about": episode.scenario.about.strip(),
        "warning": shelf.once("warning", info, lambda: depletion_sentence(episode, numbers)),
        "headlines": facts,
        "moments": moments_of(episode),
    }


def charts_of(shelf: Shelf, info: RunInfo) -> list[Chart]:
    """What is drawn at the top."""
    episode = shelf.episode(info)
    return [chart for chart in (timeline(episode), deeds(episode)) if chart is not None]


def cards_of(episode: Episode, *, whole: bool = False) -> list[Card]:
    """The rounds; of a large run only their heads, unless the page is to be whole."""
    large = len(episode.rounds) * len(episode.names) > MOST_AT_ONCE and not whole
    return [head_of(episode, played) if large else card_of(episode, played) for played in episode.rounds]


def governance_values(episode: Episode) -> dict[str, Any]:  # Any: what templates show
    """What happened under rules over the whole run."""
    return {"instruments": [one.kind for one in episode.scenario.instruments], "governed": all_ruled(episode)}


def cost_rows(shelf: Shelf, info: RunInfo) -> list[list[str]]:
    """Calls, tokens and cost by agent and stage."""
    found = shelf.log.sql(
        "SELECT agent, stage, model, tries, answered, tokens_in, tokens_out, usd FROM call_cost WHERE run = :run"
        " ORDER BY agent, stage, model",
        {"run": info.id},
    )
    return [[words(cell, 4) for cell in row] for row in found.values]


@dataclass(frozen=True, slots=True)
class Member:
    """One agent as the scenario describes it."""

    model: str
    role: str
    goal: str
    principal_goal: str
    persona: str


def cast_of(shelf: Shelf, info: RunInfo) -> list[Member]:
    """Who played."""
    found = shelf.log.sql(
        "SELECT model, role, goal, principal_goal, persona FROM agent WHERE run_id = :run ORDER BY seat",
        {"run": info.id},
    )
    return [Member(*(str(cell or "") for cell in row)) for row in found.values]


def run_values(shelf: Shelf, info: RunInfo, *, whole: bool = False) -> dict[str, Any]:  # Any: what templates show
    """All that the page of a run shows."""
    episode = shelf.episode(info)
    at = place_of(shelf, info, whole=whole)
    if info.status == "running" and not whole:
        at.live = f"{at.base}/live"
    return {
        **head_values(shelf, info),
        **governance_values(episode),
        "at": at,
        "charts": charts_of(shelf, info),
        "cards": cards_of(episode, whole=whole),
        "numbers": [played.number for played in episode.rounds],
        "cast": cast_of(shelf, info),
        "costs": cost_rows(shelf, info),
        "alignment_part": "",
        "coalitions_part": "",
    }


def part_values(shelf: Shelf, info: RunInfo, name: str) -> dict[str, Any]:  # Any: what templates show
    """What one part of the page shows: head, charts, governance or cost."""
    if name == "head":
        return head_values(shelf, info)
    if name == "charts":
        return {"charts": charts_of(shelf, info)}
    if name == "governance":
        return governance_values(shelf.episode(info))
    return {"info": info, "costs": cost_rows(shelf, info)}


def _parts(numerator: float | None, denominator: float | None) -> str:
    return "" if numerator is None or denominator is None else f"{show(numerator, 3)} / {show(denominator, 3)}"
