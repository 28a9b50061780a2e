"""Addresses of the viewer, and what stands at each. Every one only reads."""

from __future__ import annotations

from importlib.resources import files
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from society.core.errors import BadInput, LogCorrupt, SocietyError
from society.log import Log, RunInfo
from society.views.web import run_page
from society.views.web.compare import compare_values, pair_of
from society.views.web.findings import alignment_values, coalitions_values
from society.views.web.guard import Guard
from society.views.web.live import news
from society.views.web.pages import page
from society.views.web.rounds import card_of
from society.views.web.runs_table import HEADLINES, SORTS, STATUSES, read_asked, runs_page
from society.views.web.seen import seen
from society.views.web.shelf import Shelf
from society.views.web.sweep_page import sweep_values, sweeps_values
from society.views.web.told import calls_of

_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_PARTS = {"head": "head.html", "charts": "charts.html", "governance": "governance.html", "cost": "cost.html"}
_HEADS = (
    ("run", "run", False), ("scenario", "scenario", False), ("models", "models", False), ("seed", "seed", True),
    ("status", "status", False), ("rounds", "rounds", True),
)  # fmt: skip


def app_of(log: Log, *, token: str, pass_: str, port: int) -> Guard:
    """The whole application over one log, behind its guard."""
    pages = Pages(Shelf(log))
    run = "/run/{run}"
    made = Starlette(
        routes=[
            Route("/", pages.runs),
            Route(run, pages.run),
            Route(run + "/round/{round}", pages.round),
            Route(run + "/calls/{round}/{agent}/{stage}", pages.calls),
            Route(run + "/seen/{round}/{agent}", pages.seen),
            Route(run + "/part/{name}", pages.part),
            Route(run + "/alignment", pages.alignment),
            Route(run + "/coalitions", pages.coalitions),
            Route(run + "/live", pages.live),
            Route("/sweeps", pages.sweeps),
            Route("/sweep/{name:path}", pages.sweep),
            Route("/compare", pages.compare),
            Route("/compare/{round}", pages.compare_round),
            Route("/static/{name}", pages.static),
        ],
        exception_handlers={
            HTTPException: _not_found,
            SocietyError: _explained,
            ValidationError: _other_version,
            Exception: _broken,
        },
    )
    return Guard(made, token=token, pass_=pass_, port=port)


class Pages:
    """What stands at each address."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        folder = files("society.views.web") / "static"
        self._static = {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()}

    def runs(self, request: Request) -> Response:
        """The runs of the log."""
        try:
            asked = read_asked(_single(request))
        except BadInput as problem:
            return _error(400, "That cannot be asked", str(problem))
        found = runs_page(self.shelf.log, asked)
        heads = (
            *_HEADS,
            *((name.replace("_", " "), name, True) for name in found.columns),
            ("calls", "calls", True),
            ("USD", "usd", True),
        )
        choices = (
            ("scenario", "scenario", asked.scenario, found.scenarios),
            ("model", "model", asked.model, found.models),
            ("status", "status", asked.status, STATUSES),
            ("sweep", "sweep", asked.sweep, found.sweeps),
        )
        sorts: tuple[str, ...] = ("run", "scenario", "models", "seed", "status", "rounds", *HEADLINES, "calls", "usd")
        sorts += tuple(name for name in SORTS if name not in sorts)
        return _html(
            page("runs.html", page=found, heads=heads, choices=choices, sorts=sorts, place=self.shelf.log.place.shown)
        )

    def run(self, request: Request) -> Response:
        """One run."""
        info = self._info(request)
        return _html(page("run.html", **run_page.run_values(self.shelf, info)))

    def round(self, request: Request) -> Response:
        """One round, to be put into the page of its run."""
        info = self._info(request)
        episode = self.shelf.episode(info)
        number = _whole(request, "round")
        for played in episode.rounds:
            if played.number == number:
                at = run_page.place_of(self.shelf, info)
                return self._part(info, f"round-{number}", page("round.html", card=card_of(episode, played), at=at))
        raise BadInput(f"round {number} was not played")

    def calls(self, request: Request) -> Response:
        """The prompts and raw answers of one agent in one stage of one round."""
        info = self._info(request)
        episode = self.shelf.episode(info)
        number, seat, stage = _whole(request, "round"), _whole(request, "agent"), request.path_params["stage"]
        if seat >= len(episode.names) or stage not in run_page.STAGES:
            raise BadInput("nobody was asked there")
        heading = f"{episode.names[seat]}, {episode.scenario.theme.round} {number}: {stage.replace('_', ' ')}"
        at = run_page.place_of(self.shelf, info)
        calls = calls_of(self.shelf, info, number, seat, stage)
        return _html(page("calls.html", heading=heading, calls=calls, back=f"{at.base}#round-{number}-agent-{seat}"))

    def seen(self, request: Request) -> Response:
        """What an agent knew when it was to act."""
        info = self._info(request)
        episode, number, seat = self.shelf.episode(info), _whole(request, "round"), _whole(request, "agent")
        if seat >= len(episode.names) or number not in [played.number for played in episode.rounds]:
            raise BadInput("nobody was there")
        at = run_page.place_of(self.shelf, info)
        asked = calls_of(self.shelf, info, number, seat, "act")
        heading = f"As {episode.names[seat]} saw it: {at.round_word} {number}, before acting"
        return _html(
            page(
                "seen.html", heading=heading, at=at, back=f"{at.base}#round-{number}-agent-{seat}",
                messages=asked[0].messages if asked else (), told=asked[0].facts if asked else "",
                rounds=seen(episode, number, seat),
            )
        )  # fmt: skip

    def part(self, request: Request) -> Response:
        """A part of the page of a run that is going, as it stands now."""
        info, name = self._info(request), request.path_params["name"]
        if name not in _PARTS:
            raise BadInput("no such part")
        at = run_page.place_of(self.shelf, info)
        values = run_page.part_values(self.shelf, info, name)
        return self._part(info, name, page(_PARTS[name], at=at, **values))

    def alignment(self, request: Request) -> Response:
        """What each agent lost, to what, and because of whom."""
        info = self._info(request)
        try:
            values = alignment_values(self.shelf, info, now=_single(request).get("now") == "1")
        except LogCorrupt as problem:
            return self._part(info, "alignment", page("problem.html", words=f"It cannot be worked out: {problem}"))
        return self._part(info, "alignment", page("alignment.html", at=run_page.place_of(self.shelf, info), **values))

    def coalitions(self, request: Request) -> Response:
        """Who stood together."""
        info = self._info(request)
        values = coalitions_values(self.shelf, info, now=_single(request).get("now") == "1")
        return self._part(info, "coalitions", page("coalitions.html", at=run_page.place_of(self.shelf, info), **values))

    def live(self, request: Request) -> Response:
        """News of a run that is going."""
        info, after = self._info(request), _single(request).get("after", "0")
        after = request.headers.get("last-event-id", after)
        if not (after.isascii() and after.isdecimal() and len(after) <= 9):
            raise BadInput(f"{after[:40]!r} is no number of events")
        return StreamingResponse(news(self.shelf, info.id, int(after)), media_type="text/event-stream")

    def _part(self, info: RunInfo, name: str, inside: str) -> Response:
        back = f"/run/{quote(info.id, safe='')}#{name}"
        return _html(page("part.html", heading=f"{info.name}: {name}", back=back, inside=inside))

    def sweeps(self, request: Request) -> Response:
        """The sweeps of the log."""
        return _html(page("sweeps.html", **sweeps_values(self.shelf.log)))

    def sweep(self, request: Request) -> Response:
        """One sweep under one metric."""
        asked = _single(request)
        chosen = sweep_values(
            self.shelf.log, request.path_params["name"], asked.get("metric", ""), asked.get("baseline", "")
        )
        return _html(page("sweep.html", **chosen))

    def compare(self, request: Request) -> Response:
        """Two runs side by side."""
        chosen = request.query_params.getlist("run")
        if len(chosen) != 2 or set(request.query_params) != {"run"}:
            return _error(400, "Tick two runs", f"{len(chosen)} were ticked; a comparison is of two")
        return _html(page("compare.html", **compare_values(self.shelf, [self.shelf.info(run) for run in chosen])))

    def compare_round(self, request: Request) -> Response:
        """One round of two runs, to be put into the page of both."""
        asked, number = _single(request), _whole(request, "round")
        infos = [self.shelf.info(asked.get(side, "")) for side in "ab"]
        first, second = (self.shelf.episode(info) for info in infos)
        pair, word = pair_of(first, second, number), first.scenario.theme.round
        names = (first.names, second.names)
        return self._part(
            infos[0], f"round-{number}", page("pair.html", pair=pair, names=names, infos=infos, round_word=word)
        )

    def static(self, request: Request) -> Response:
        """Style and script."""
        name = request.path_params["name"]
        if name not in self._static:
            raise BadInput("no such file")
        kind = _KINDS.get(name[name.rfind(".") :], "text/plain")
        return Response(self._static[name], media_type=kind)

    def _info(self, request: Request) -> RunInfo:
        return self.shelf.info(request.path_params["run"])


def _single(request: Request) -> dict[str, str]:
    """The parameters of an address, each given at most once.

    Raises:
        BadInput: one is given twice, or is no text.
    """
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in found:
            raise BadInput(f"{name[:40]!r} is given twice")
        if "\ufffd" in value or "\x00" in value:
            raise BadInput(f"{name[:40]!r} is no text")
        found[name] = value
    return found


def _whole(request: Request, name: str) -> int:
    value = request.path_params[name]
    if not (value.isascii() and value.isdecimal() and len(value) <= 6):
        raise BadInput(f"{value[:40]!r} is no {name}")
    return int(value)


def _html(text: str, status: int = 200) -> Response:
    return HTMLResponse(text.encode("utf-8", "backslashreplace"), status)


def _error(status: int, title: str, words: str) -> Response:
    return _html(page("error.html", title=title, words=words), status)


def _not_found(request: Request, problem: Any) -> Response:  # Any: as starlette types its handlers
    status = problem.status_code
    return _error(status, "There is nothing here" if status == 404 else "That cannot be asked", str(problem.detail))


def _explained(request: Request, problem: Any) -> Response:  # Any: as above
    if isinstance(problem, BadInput):
        return _error(404, "There is nothing here", str(problem))
    if isinstance(problem, LogCorrupt):
        return _error(422, "This run cannot be read", str(problem))
    return _error(503, "The log cannot be read now", str(problem))


def _broken(request: Request, problem: Any) -> Response:  # Any: as above
    return _error(500, "This page has a fault", f"{type(problem).__name__}; the terminal of `society view` tells more")


def _other_version(request: Request, problem: Any) -> Response:  # Any: as above
    return _error(422, "This run cannot be read", "its scenario was written by a version this one cannot read")
