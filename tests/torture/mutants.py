"""T16, the tests of the tests: bugs put in on purpose, each of which the suites must find.

Each bug is put into a process of its own, and the short form of one suite is played there. A bug is caught if the suite then finds what
it is named with: an answer lost, an action nobody meant, a chain that does not hold. First the suites are played without any bug, so
that what finds a bug is known to find nothing where there is none.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import warnings
from types import ModuleType

from tests.torture.mutations import MUTATIONS, Mutation
from tests.torture.tally import ZEROES, Tally

SECONDS = 600.0
"""A process that takes longer hangs, which is a way of being caught too, but not the one that was named."""


def mutants(tally: Tally, count: int) -> None:
    """So many bugs, from here and there, each in a process of its own."""
    chosen = MUTATIONS if tally.only is not None else MUTATIONS[:: max(1, len(MUTATIONS) // count)][:count]
    for suite, size in sorted({(mutation.suite, mutation.size) for mutation in chosen}):
        if tally.only is None:
            tally.add("suites played without a bug")
            found = outcome(suite, size, None)
            tally.check(0, "other failures", found == {}, f"{suite} finds something where there is no bug: {found}")
    for case in tally.cases(len(chosen)):
        mutation = chosen[case]
        tally.add("bugs put in")
        found = outcome(mutation.suite, mutation.size, mutation)
        caught = any(found.get(kind) for kind in mutation.kinds)
        tally.add("bugs caught", int(caught))
        tally.progress(f"{mutation.what}: {mutation.suite} finds {found or 'nothing'}")
        words = f"{mutation.what!r} is not caught by {mutation.suite}: it finds {found or 'nothing'}"
        tally.check(case, "other failures", caught, words)


def outcome(suite: str, size: int, mutation: Mutation | None) -> dict[str, int]:
    """What a suite finds, by kind of failure, in a process with a bug; a process that dies or hangs finds "died"."""
    reads, writes = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reads)
        _play(suite, size, mutation, writes)
    os.close(writes)
    end = time.monotonic() + SECONDS
    done = 0
    while not done and time.monotonic() < end:
        done, _ = os.waitpid(child, os.WNOHANG)
        time.sleep(0 if done else 0.02)
    if not done:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    with os.fdopen(reads) as told:
        words = told.read()
    return dict(json.loads(words)) if words else {"died": 1}


def without_a_place(mutation: Mutation) -> str:
    """Put a bug in; the names it has brought along: what it was to take the place of has another name by now."""
    there = {name: _names(module) for name, module in sys.modules.items() if name.startswith("society.")}
    mutation.put_in()
    return ", ".join(sorted(name for module, names in there.items() for name in _names(sys.modules[module]) - names))


def _names(module: ModuleType) -> set[str]:
    """All that is defined in a module, and in its classes."""
    found: set[str] = set()
    for name, value in vars(module).items():
        found.add(f"{module.__name__}.{name}")
        if isinstance(value, type) and value.__module__ == module.__name__:
            found.update(f"{module.__name__}.{name}.{inner}" for inner in vars(value))
    return found


def _play(suite: str, size: int, mutation: Mutation | None, writes: int) -> None:
    from tests.torture.__main__ import SUITES

    try:
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 1)
        os.dup2(devnull, 2)
        warnings.simplefilter("ignore")
        tally = Tally(suite, seed=1, quick=True, enough=1)
        if mutation is not None and (gone := without_a_place(mutation)):
            os.write(writes, json.dumps({f"nothing: {gone} is no more": 0}).encode())
            return
        try:
            SUITES[suite][0](tally, size)
        except Exception:
            tally.add("uncaught tracebacks")
        found = {kind: tally.counts[kind] for kind in ZEROES if tally.counts.get(kind)}
        os.write(writes, json.dumps(found).encode())
    finally:
        os._exit(0)
