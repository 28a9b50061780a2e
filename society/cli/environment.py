"""Options from elsewhere: the flag wins over the environment, the environment over `.env`, `.env` over `society.toml`.

Every option reads a variable `SOCIETY_*` itself. What the files say is put into the environment while one command runs,
where nothing stands there yet. Keys of providers are read by `society.models.settings`, not here.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from society.core.errors import BadInput

PREFIX = "SOCIETY_"


@contextmanager
def in_force() -> Iterator[None]:
    """Options of `.env` and `society.toml` as variables; the environment is as before afterwards."""
    added: list[str] = []
    for name, text in {**_from_toml(Path("society.toml")), **_from_dotenv(Path(".env"))}.items():
        if name not in os.environ:
            os.environ[name] = text
            added.append(name)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def _from_dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        values = dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as problem:
        raise BadInput(f".env cannot be read: {problem}") from None
    return {name: text for name, text in values.items() if name.startswith(PREFIX) and text is not None}


def _from_toml(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as problem:
        raise BadInput(f"society.toml cannot be read: {problem}") from None
    return {
        PREFIX + name.upper(): str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in values.items()
        if isinstance(value, (str, int, float))
    }
