"""What a model is called.

local                    the embedded model that `society models install smollm2` brings
local:PATH.gguf          any model file in the GGUF format
mock:NAME                a deterministic offline model (see `society.models.mock`)
mock:script:PATH         answers from a file
openai:NAME              a hosted model; OPENAI_API_KEY, and OPENAI_BASE_URL for another address
NAME@http://host:8000/v1 any server that speaks the protocol; SOCIETY_API_KEY if it wants a key
person, person:SECONDS   whoever sits at the terminal, who may have to answer in time
replay                   the answers a log holds already, and no others
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from society.core.errors import BadInput, UnknownKind, did_you_mean
from society.models.mock import PERSONALITIES

MOCKS = (*(f"mock:{name}" for name in PERSONALITIES), "mock:script:PATH")
FORMS = (
    "local",
    "local:PATH.gguf",
    *MOCKS,
    "openai:NAME",
    "NAME@http://host:port/v1",
    "person",
    "person:SECONDS",
    "replay",
)


@dataclass(frozen=True, slots=True)
class ModelName:
    """A model's name, taken apart.

    Attributes:
        text: the whole name as given.
        kind: which client answers; ``url`` is a server named by its address.
        name: what the provider calls it, the mock's personality, the path of a file, or how many seconds a person has.
        base_url: of ``url`` models only.
    """

    text: str
    kind: Literal["local", "mock", "script", "openai", "url", "person", "replay"]
    name: str = ""
    base_url: str | None = None

    @property
    def free(self) -> bool:
        """Whether a call costs no money, by construction."""
        return self.kind in {"local", "mock", "script", "person", "replay"}


def parse_name(text: str) -> ModelName:
    """Read a model's name.

    Raises:
        UnknownKind: it has none of the forms above; the nearest is named.
        BadInput: the address is not a usable one.
    """
    name, at, url = text.partition("@")
    if at:
        return ModelName(text, "url", name, checked_address(url, name, text))
    kind, colon, rest = text.partition(":")
    if text in {"local", "replay"}:
        return ModelName(text, "local" if text == "local" else "replay")
    if kind == "person":
        if colon and not (rest.isascii() and rest.isdecimal() and int(rest)):
            raise BadInput(f"{text[:80]!r}: how many seconds a person has is a whole number, as in person:120")
        return ModelName(text, "person", rest)
    if kind == "local" and rest:
        return ModelName(text, "local", rest)
    if kind == "openai" and rest:
        return ModelName(text, "openai", rest)
    if kind == "mock" and rest in PERSONALITIES:
        return ModelName(text, "mock", rest)
    if kind == "mock" and rest.partition(":")[0] == "script":
        path = rest.partition(":")[2]
        if not path:
            raise BadInput("mock:script needs a file of answers: mock:script:PATH")
        return ModelName(text, "script", path)
    hint = did_you_mean(text, [*FORMS, *(f"mock:{p}" for p in PERSONALITIES)])
    if kind == "openai" and colon:
        hint = "; name the model, as in openai:NAME"
    raise UnknownKind(f"no model is called {text[:80]!r}{hint} (known forms: {', '.join(FORMS)})")


def checked_address(url: str, name: str, text: str) -> str:
    """The address of a model server, without a slash at its end.

    Raises:
        BadInput: it is none, or holds what may be a key.
    """
    parts = urlsplit(url)
    if not name:
        raise BadInput(f"{text[:80]!r} names no model; write NAME@{url[:60]}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadInput(f"{url[:80]!r} is not the address of a model server; write NAME@http://host:port/v1")
    if parts.username or parts.password:
        raise BadInput("a key does not belong into an address; set SOCIETY_API_KEY instead")
    if parts.query or parts.fragment:
        raise BadInput("the address of a model server has no '?' and no '#'; a key goes into SOCIETY_API_KEY")
    return url.rstrip("/")
