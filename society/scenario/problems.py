"""What is wrong with a scenario file: the thing, the place and the mend."""

from __future__ import annotations

from dataclasses import dataclass, field

from society.core.complaints import MAX_WIDTH, visible


@dataclass(slots=True)
class Source:
    """One text that a scenario is read from: a file, or an option of the command line.

    `hidden` are places whose values are never shown: what stands under an unknown key may be a secret.
    """

    name: str
    lines: tuple[str, ...] = ()
    hidden: list[Place] = field(default_factory=list)

    def hide(self, place: Place) -> None:
        self.hidden.append(place)

    def line(self, number: int) -> str:
        """One line as it may be shown, every hidden character as a dot."""
        if not 1 <= number <= len(self.lines):
            return ""
        text = self.lines[number - 1]
        for place in self.hidden:
            if place.line <= number <= place.end_line:
                start = place.column - 1 if number == place.line else 0
                end = place.end_column - 1 if number == place.end_line else len(text)
                text = text[:start] + "…" * len(text[start:end]) + text[end:]
        return text


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of a source; lines and columns are counted from 1, the end is the first character after it.

    An option of the command line has no lines: its `line` is 0.
    """

    source: Source
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}" if self.line else self.source.name


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        place: where.
        field: the dotted path of the field, such as ``agents.1.count``; empty for the whole file.
        message: what is wrong and what would be right.
    """

    place: Place
    field: str
    message: str

    @property
    def title(self) -> str:
        """``fishery.yaml:13:5: agents.1.cuont: unknown field 'cuont' (did you mean 'count'?)``."""
        return ": ".join(filter(None, (str(self.place), visible(self.field), self.message)))

    def __str__(self) -> str:
        """The title, the line of the file, and a caret under the place."""
        line = self.place.source.line(self.place.line)
        if not line.strip():
            return self.title
        start = max(0, self.place.column - MAX_WIDTH // 2)
        shown = visible(line[start : start + MAX_WIDTH])
        before = visible(line[start : self.place.column - 1])
        return f"{self.title}\n   | {shown}\n   | {' ' * len(before)}^"

    def as_json(self) -> dict[str, str | int]:
        """For machines: file, line, column, field, message."""
        return {
            "file": self.place.source.name,
            "line": self.place.line,
            "column": self.place.column,
            "field": self.field,
            "message": self.message,
        }
