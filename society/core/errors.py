"""What can go wrong, as a tree.

    SocietyError                 every error a user can cause; the command line prints it without a traceback
      BadInput                   exit 2: a bad scenario, option, name or run id
        ScenarioError              a scenario file that cannot be played; carries file, line, column and field
        UnknownKind                a mechanism, goal, policy ... that does not exist; says what does
        MissingExtra               an optional package is not installed; says how to install it
        LogUnusable                the log cannot be opened, read or written
      Paused                     exit 4: stopped by a budget, a quota or a full disk; the run can be resumed
        NotBegun                   the same, before anything of the run was written
      ProviderRefused            exit 5: the provider will never answer this (key, model name)
      LogCorrupt                 exit 6: the log contradicts itself
        Diverged                   a request differs from the journalled one at the same position
      RunFailed                  exit 1: a run could not be finished

What an *agent* does wrong is a value, never an exception that leaves its policy: see
`society.core.policy.Answer`. The two below are raised while one answer is being read, and caught there.

    Unreadable                   an answer that means nothing in this question
      OutOfRange                 an answer that is plain but not allowed; carries the nearest allowed value
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Protocol


class SocietyError(Exception):
    """An error with a sentence for the user: the thing, the place and the mend."""

    exit_code = 1


class BadInput(SocietyError, ValueError):
    exit_code = 2


class Located(Protocol):
    """One problem of a scenario file; as text it names file, line, column, field and the mend."""

    def as_json(self) -> dict[str, str | int]:
        """For machines: file, line, column, field, message."""
        ...


class ScenarioError(BadInput):
    """A scenario that cannot be played, with everything that is wrong with it.

    Attributes:
        problems: each with its file, line, column and field; empty where no file is involved.
    """

    def __init__(self, message: str, problems: Sequence[Located] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)

    @classmethod
    def of(cls, problems: Sequence[Located]) -> ScenarioError:
        """All problems as one error, in the order given."""
        return cls("\n".join(str(problem) for problem in problems), problems)


class UnknownKind(BadInput):
    """A name that is not one of the known ones."""


class MissingExtra(BadInput):
    """An optional dependency is missing; the message holds the command that installs it."""


class LogUnusable(BadInput):
    """The log cannot be opened, read or written."""


class Paused(SocietyError):
    """Stopped on purpose before the next paid call; nothing is lost, the run can be resumed."""

    exit_code = 4


class NotBegun(Paused):
    """Stopped before anything of the run was written: there is nothing to resume; it can be begun once more."""

    @classmethod
    def because(cls, problem: Paused) -> NotBegun:
        """The same reason, with another mend."""
        reason = str(problem).partition(";")[0]
        return cls(f"{reason}; this run was not begun: run it once more when that is mended")


class ProviderRefused(SocietyError):
    """The provider answered in a way that no further try will change."""

    exit_code = 5


class LogCorrupt(SocietyError):
    exit_code = 6


class Diverged(LogCorrupt):
    """A resumed run asked another question than the journal holds at that position."""


class RunFailed(SocietyError):
    exit_code = 1


class Unreadable(ValueError):
    """An agent's answer that cannot be read as an answer to the question."""


class OutOfRange(Unreadable):
    """An agent's answer that is readable but not allowed here.

    Attributes:
        nearest: the allowed action closest to it, if that is a meaningful thing to say.
        asked: the action as the agent gave it.
    """

    def __init__(self, message: str, *, asked: object, nearest: object) -> None:
        super().__init__(message)
        self.asked = asked
        self.nearest = nearest


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` when some known word is close, in whatever case, else an empty string.

    Of several close ones it is the one that begins with the word, else the closest.
    """
    folded = {one.casefold(): one for one in known}
    near = get_close_matches(word.casefold(), folded)
    begun = [one for one in near if one.startswith(word.casefold())]
    return f"; did you mean {folded[(begun or near)[0]]!r}?" if near else ""
