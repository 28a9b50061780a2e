"""The command line. One small file a command; what they do stands in the rooms below.

Results go to stdout, everything else to stderr. Whatever a user can cause ends in a message without a traceback and in the
exit code of its error: 0 done, 1 a run failed or is invalid, 2 bad usage or a bad file, 3 a `--fail-on` condition holds,
4 paused and resumable, 5 the provider refused, 6 the log does not verify, 130 and 143 interrupted.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

INTERRUPTED = 130
BROKEN_PIPE = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    from society.cli.environment import in_force

    _open_streams()
    given = [_as_utf8(word) for word in (sys.argv[1:] if arguments is None else arguments)]
    end = given.index("--") if "--" in given else len(given)
    debug = "--debug" in given[:end] or os.environ.get("SOCIETY_DEBUG", "") not in ("", "0")
    given = [word for place, word in enumerate(given) if word != "--debug" or place >= end]
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that lacks a letter shows its number instead of failing
            stream.reconfigure(errors="backslashreplace")
    try:
        with in_force():
            return _run(given)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return BROKEN_PIPE
    except Exception as error:
        if debug:
            raise
        return _explain(error)


def _open_streams() -> None:
    """Streams that were closed by whoever started this lead nowhere; no file that is opened later may take their place."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            with suppress(OSError):
                os.fstat(number)
                continue
            nowhere = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(nowhere, "w" if number else "r", encoding="utf-8"))


def _as_utf8(word: str) -> str:
    """An argument as it was typed, also where the locale knows ASCII only."""
    try:
        return os.fsencode(word).decode("utf-8")
    except UnicodeError:
        return word


def _run(arguments: Sequence[str]) -> int:
    from society.cli.app import app

    code = app(list(arguments), prog_name="society", standalone_mode=False)
    sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _explain(error: Exception) -> int:
    """Tell an error in words; returns its exit code."""
    from typer.exceptions import Abort, TyperException

    from society.core.errors import SocietyError

    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        print("error: too many open files: fewer runs at a time (--parallel), or `ulimit -n` higher", file=sys.stderr)
        return 2
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO) and error.filename is None:
        print(f"error: what was asked for cannot be written: {os.strerror(error.errno)}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left of it has no place to go
        return 1
    if isinstance(error, TyperException):
        getattr(error, "show", lambda: print("error:", error, file=sys.stderr))()
        return error.exit_code
    if isinstance(error, Abort):
        return INTERRUPTED
    if isinstance(error, SocietyError):
        from society.views.terminal import safe_lines

        print("error:", "\n".join(safe_lines(str(error))), file=sys.stderr)
        return error.exit_code
    if isinstance(error, ModuleNotFoundError) and error.name:
        from society.doctor import EXTRAS

        package = error.name.partition(".")[0]
        if package in EXTRAS:
            extra, purpose = EXTRAS[package]
            print(f"error: {purpose}: install with pip install 'society-sandbox[{extra}]'", file=sys.stderr)
            return 2
    print(f"error: {type(error).__name__}: {' '.join(str(error).split())[:400]}", file=sys.stderr)
    print("This is a fault in society itself; `--debug` shows where. Nothing that was logged is lost.", file=sys.stderr)
    return 1
