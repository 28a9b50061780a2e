"""How one server wants to be asked for one model: learnt from what it refuses, and remembered while the process lives."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import urlsplit

from society.core.calls import ModelRequest, schema_text
from society.models.schema import full, portable

Rung = Literal["json_schema", "json_object", "text"]
_RUNGS: tuple[Rung, ...] = ("json_schema", "json_object", "text")
_LENGTHS = ("max_completion_tokens", "max_tokens")


@dataclass(frozen=True, slots=True)
class Dialect:
    """The form of a request.

    Attributes:
        rung: how a schema is asked for: enforced by the server, "some JSON", or in words alone.
        subset: only the schema keywords hosted providers take.
        length: the name of the limit on the answer's length, or None if the server knows none.
        dropped: parameters the server does not take.
    """

    rung: Rung = "json_schema"
    subset: bool = True
    length: str | None = "max_completion_tokens"
    dropped: frozenset[str] = frozenset()

    @classmethod
    def of(cls, base_url: str) -> Dialect:
        """The likely form at an address: servers on one's own machine or network take whole schemas and `max_tokens`."""
        if is_own_network(base_url):
            return cls(subset=False, length="max_tokens")
        hosted = (urlsplit(base_url).hostname or "").endswith("openai.com")
        return cls(length="max_completion_tokens" if hosted else "max_tokens")

    def without(self, parameter: str) -> Dialect | None:
        """The next form to try when the server does not take a parameter; None when there is none."""
        if parameter in {"response_format", "json_schema", "json_object"}:
            place = _RUNGS.index(self.rung) + 1
            return replace(self, rung=_RUNGS[place]) if place < len(_RUNGS) else None
        if parameter in _LENGTHS:
            if parameter != self.length:
                return None
            other = _LENGTHS[1 - _LENGTHS.index(parameter)]
            tried = self.dropped | {parameter}
            return replace(self, length=None if other in tried else other, dropped=tried)
        if parameter in self.dropped:
            return None
        return replace(self, dropped=self.dropped | {parameter})

    def body(self, name: str, request: ModelRequest) -> dict[str, Any]:  # Any: JSON for the wire
        """The request as it is sent."""
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        body: dict[str, Any] = {"model": name, "messages": messages}
        sampling = request.sampling
        optional = {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": sampling.seed,
            "reasoning_effort": sampling.reasoning_effort,
        }
        body |= {key: value for key, value in optional.items() if value is not None and key not in self.dropped}
        if self.length is not None:
            body[self.length] = sampling.max_tokens
        schema = request.schema
        if not isinstance(schema, dict):
            return body
        if self.rung == "json_schema":
            wanted = {"name": request.schema_name, "schema": _on_the_wire(schema, self.subset), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": wanted}
            return body
        if self.rung == "json_object":
            body["response_format"] = {"type": "json_object"}
        ask = f"Answer with one JSON object and nothing else. JSON Schema of the answer: {json.dumps(full(schema))}"
        messages[-1] = {**messages[-1], "content": f"{messages[-1]['content']}\n\n{ask}"}
        return body


def _on_the_wire(schema: dict[str, Any], subset: bool) -> dict[str, Any]:  # Any: JSON Schema
    """The schema as it is sent; many questions share one, and it is never changed."""
    key = (schema_text(schema)[1], subset)
    shape = _SENT.get(key)
    if shape is None:
        if len(_SENT) >= _MOST_SENT:
            _SENT.clear()
        shape = _SENT[key] = portable(schema) if subset else full(schema)
    return shape


_MOST_SENT = 1024
_SENT: dict[tuple[str, bool], dict[str, Any]] = {}  # Any: as above


def is_own_network(base_url: str) -> bool:
    """Whether the address is this machine or a private network."""
    host = urlsplit(base_url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".lan"))
    return address.is_private or address.is_loopback
