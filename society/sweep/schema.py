"""The JSON Schema of a sweep file, for editors."""

from __future__ import annotations

from typing import Any

from society.metrics import METRICS
from society.sweep.file import SweepFile


def sweep_schema() -> dict[str, Any]:  # Any: JSON Schema nests without end
    """The schema of sweep files (JSON Schema 2020-12), short forms included."""
    shape = SweepFile.model_json_schema()
    fields: dict[str, Any] = shape["properties"]
    for field in fields.values():
        field.pop("title", None)
    many = {key: fields["seeds"].pop(key) for key in ("type", "items", "minItems", "maxItems")}
    fields["seeds"]["anyOf"] = [
        many,
        {"type": "integer", "minimum": 0},
        {"type": "string", "pattern": r"^[0-9][0-9, -]*$"},
    ]
    listed = {key: fields["scenarios"].pop(key) for key in ("type", "items", "minItems", "maxItems")}
    fields["scenarios"]["anyOf"] = [listed, {"type": "string"}]
    fields["scenario"] = {"type": "string", "description": "short for a single entry of `scenarios`"}
    fields["metrics"]["items"] = {"enum": sorted(METRICS)}
    arm = {"type": "object", "description": "fields and the values they take in this arm; {} changes nothing"}
    fields["axes"]["additionalProperties"] = {
        "anyOf": [{"type": "array", "minItems": 1}, {"type": "object", "minProperties": 1, "additionalProperties": arm}]
    }
    shape["required"] = ["name", "seeds"]
    shape["anyOf"] = [{"required": ["scenarios"]}, {"required": ["scenario"]}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **shape, "title": "society sweep"}
