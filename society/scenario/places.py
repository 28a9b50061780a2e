"""Where scenario files are found: by path, or by name among those that came with the package."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from society.core.complaints import visible
from society.core.errors import ScenarioError, did_you_mean
from society.scenario.tree import MAX_BYTES

SUFFIXES = (".yaml", ".yml")


def folders() -> Iterator[Path]:
    """Where named scenarios are looked for: the working folder first, then what came with the package."""
    package = Path(__file__).resolve().parent.parent
    for folder in (Path("scenarios"), package.parent / "scenarios", package / "_data" / "scenarios"):
        if folder.is_dir():
            yield folder


def shipped() -> dict[str, Path]:
    """Every scenario that can be named, by name, in alphabetical order; earlier folders win."""
    found: dict[str, Path] = {}
    for folder in folders():
        for path in sorted(folder.iterdir()):
            if path.suffix in SUFFIXES and path.is_file():
                found.setdefault(path.stem, path)
    return dict(sorted(found.items()))


def find_scenario(name: str | Path) -> Path:
    """The file that a path or a bare name such as ``fishery`` means.

    Raises:
        ScenarioError: there is none; the message names the nearest.
    """
    text = str(name)
    if "\0" in text or len(text) > 4096:
        raise ScenarioError(f"{visible(text, 80)} is no file name")
    path = Path(name)
    if path.is_dir():
        raise ScenarioError(f"{visible(text)} is a folder, not a scenario file")
    with suppress(OSError):  # a name longer than the file system allows
        if path.exists():
            return path
    known = shipped()
    stem = text.removesuffix(".yaml").removesuffix(".yml").removeprefix("scenarios/")
    if stem in known:
        return known[stem]
    beside_it = path.parent.glob("*.y*ml") if path.parent.is_dir() else ()
    near = did_you_mean(stem, known) or did_you_mean(path.name, (other.name for other in beside_it))
    listed = f" (known: {', '.join(known)})" if known and not near else ""
    raise ScenarioError(f"there is no scenario {visible(text, 80)!r}{near}{listed}")


def beside(path: Path, other: str) -> Path:
    """The file that `extends: other.yaml` in the file at `path` means: one in the same folder, nowhere else.

    Raises:
        ValueError: it is no plain file name, or leads out of the folder.
    """
    if not other.endswith(SUFFIXES) or any(char in other for char in "/\\\0:"):
        raise ValueError("expected the name of a .yaml file in the same folder")
    folder = path.parent.resolve()
    try:
        found = (folder / other).resolve()
    except (OSError, RuntimeError):
        raise ValueError("this file is a link that leads to itself") from None
    if not found.is_relative_to(folder):
        raise ValueError("this file leads out of the folder of the scenario")
    if not found.is_file():
        near = did_you_mean(other, (p.name for p in folder.iterdir() if p.suffix in SUFFIXES))
        raise ValueError(f"there is no such file beside {visible(path.name)}{near}")
    return found


def read_bytes(path: Path) -> bytes:
    """The bytes of a regular file, one more than allowed at most; pipes and devices are refused without being read.

    Raises:
        ScenarioError: it cannot be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise ScenarioError(f"{visible(str(path))} is not a regular file")
            return file.read(MAX_BYTES + 1)
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise ScenarioError(f"{visible(str(path))} cannot be read: {reason.lower()}") from None
