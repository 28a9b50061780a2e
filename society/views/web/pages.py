"""Pages from templates. Whatever a template prints is escaped, and made visible, whether it says so or not."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from society.core.exact import show
from society.views.web.compare import rows_of
from society.views.web.marked import marked, parted, plain
from society.views.web.rounds import ODD_STATUS

_NUMBER = re.compile(r"[-−+]?[0-9][0-9.,]*(e[-+]?[0-9]+)?( ?%)?")


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
    made.filters |= {
        "marked": marked,
        "parted": parted,
        "number": _number,
        "drawn": _drawn,
        "numeric": _numeric,
        "spoken": _spoken,
        "both": rows_of,
    }
    made.globals |= {"odd_status": ODD_STATUS}
    return made


def page(name: str, /, **values: Any) -> str:  # Any: whatever the template shows
    """A page, or a part of one."""
    return templates().get_template(name).render(**values)


def _number(value: Any, places: int = 3) -> str:  # Any: a number or None
    return show(value, places)


def _numeric(rows: list[list[str]], column: int) -> bool:
    """Whether a column holds numbers, or nothing, and no words."""
    cells = [row[column] for row in rows]
    return any(map(_NUMBER.fullmatch, cells)) and all(
        _NUMBER.fullmatch(cell) or cell in ("", "-", "–") for cell in cells
    )


def _spoken(goal: str) -> str:
    """A typed goal, kept as JSON, in words."""
    shape = json.loads(goal)
    kind = str(shape.pop("kind", "")).replace("_", " ")
    rest = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in shape.items() if value is not None)
    return f"{kind} ({rest})" if rest else kind


def _drawn(svg: str) -> Markup:
    """A drawing of `society.views.charts`, which escapes what it holds."""
    return Markup(svg)
