"""Packages that are optional, and the words that install them."""

from __future__ import annotations

from importlib.util import find_spec

from society.core.errors import MissingExtra


def need(package: str, what: str) -> None:
    """Refuse now what would fail later for want of a package.

    Raises:
        MissingExtra: it is not installed.
    """
    from society.doctor import EXTRAS

    if find_spec(package) is None:
        raise MissingExtra(f"{what} need {package}: pip install 'society-sandbox[{EXTRAS[package][0]}]'")
