"""Pages from templates. Whatever a template prints is escaped, and made visible, whether it says so or not."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from society.core.exact import show
from society.views.web.marked import marked, parted, plain
from society.views.web.rounds import ODD_STATUS


@cache
def templates() -> Environment:
    """The templates: strict about names, and escaping everything."""
    made = Environment(
        loader=PackageLoader("society.views.web"),
        autoescape=True,
        finalize=plain,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {"marked": marked, "parted": parted, "number": _number, "drawn": _drawn}
    made.globals |= {"odd_status": ODD_STATUS}
    return made


def page(name: str, **values: Any) -> str:  # Any: whatever the template shows
    """A page, or a part of one."""
    return templates().get_template(name).render(**values)


def _number(value: Any, places: int = 3) -> str:  # Any: a number or None
    return show(value, places)


def _drawn(svg: str) -> Markup:
    """A drawing of `society.views.charts`, which escapes what it holds."""
    return Markup(svg)
