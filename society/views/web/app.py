"""Addresses of the viewer, and what stands at each. Every one only reads."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from society.core.errors import BadInput, LogCorrupt, SocietyError
from society.log import Log, RunInfo
from society.views.web import run_page
from society.views.web.guard import Guard
from society.views.web.pages import page
from society.views.web.rounds import card_of
from society.views.web.runs_table import HEADLINES, SORTS, STATUSES, read_asked, runs_page
from society.views.web.shelf import Shelf

_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_HEADS = (
    ("run", "run"), ("scenario", "scenario"), ("models", "models"), ("seed", "seed"), ("status", "status"), ("rounds", "rounds"),
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
            Route("/static/{name}", pages.static),
        ],
        exception_handlers={
            HTTPException: _not_found,
            SocietyError: _explained,
            ValidationError: _other_version,
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
            *((name.replace("_", " "), name) for name in found.columns),
            ("calls", "calls"),
            ("USD", "usd"),
        )
        choices = (
            ("scenario", "scenario", asked.scenario, found.scenarios),
            ("model", "model", asked.model, found.models),
            ("status", "status", asked.status, STATUSES),
            ("sweep", "sweep", asked.sweep, found.sweeps),
        )
        sorts = ("run", "scenario", "models", "seed", "status", "rounds", *HEADLINES, "calls", "usd")
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
                return _html(page("round.html", card=card_of(episode, played), at=at))
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
        calls = run_page.calls_of(self.shelf, info, number, seat, stage)
        return _html(page("calls.html", heading=heading, calls=calls, back=f"{at.base}#round-{number}-agent-{seat}"))

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


def _other_version(request: Request, problem: Any) -> Response:  # Any: as above
    return _error(422, "This run cannot be read", "its scenario was written by a version this one cannot read")
