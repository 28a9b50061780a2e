"""What the columns of the log hold: databases differ in how they give truth values back, and an empty column has no type."""

from __future__ import annotations

from functools import cache
from typing import get_args

from society.log.tables import TABLES, name_of
from society.log.views import VIEWS


@cache
def column_types() -> dict[str, dict[str, type]]:
    """Of every table and view: the type of each column (str, int, float, bool or bytes); any of them may also be null."""
    tables = {name_of(t): {c: _plain(f.annotation) for c, f in t.model_fields.items()} for t in TABLES}
    return tables | {view.name: {c: view.types.get(c, str) for c in view.columns} for view in VIEWS}


def _plain(annotation: object) -> type:
    """The type without its null."""
    found = [part for part in get_args(annotation) or (annotation,) if part is not type(None)]
    assert len(found) == 1 and isinstance(found[0], type), f"a column of the log has one type, not {annotation}"
    return found[0]
