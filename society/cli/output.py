"""Results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from contextlib import suppress
from typing import Any


def result(text: str) -> None:
    """Text that was asked for."""
    print(text, flush=True)


def result_paged(text: str) -> None:
    """A long text that was asked for: on a terminal it is turned page by page, where it is longer than the screen.

    `PAGER` names the program, as for git and man; `less` if it is not set, none if it is empty.
    """
    pager = shlex.split(os.environ.get("PAGER", "less"))
    short = text.count("\n") + 1 < shutil.get_terminal_size().lines
    if short or not pager or not sys.stdout.isatty() or shutil.which(pager[0]) is None:
        result(text)
        return
    environment = {"LESS": "FRX", "LV": "-c"} | os.environ
    seen_enough = suppress(BrokenPipeError, KeyboardInterrupt)
    with subprocess.Popen(pager, stdin=subprocess.PIPE, env=environment) as shown, seen_enough:
        shown.communicate((text + "\n").encode("utf-8", "backslashreplace"))


def result_json(value: Any) -> None:  # Any: whatever JSON can hold
    """Data that was asked for, as JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str, allow_nan=False))


def note(text: str, *, quiet: bool = False) -> None:
    """A word to the person at the terminal."""
    if not quiet:
        print(text, file=sys.stderr)
