"""Games given by a table: the prisoner's dilemma, chicken, the stag hunt, and any other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import product
from string import ascii_lowercase
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from society.core.actions import Action
from society.core.arrays import NDArray, np
from society.core.columns import over_common_denominator
from society.core.exact import Exact, Number, parse_exact, plain, show, tidy
from society.core.mechanism import Batch, Fact, Facts
from society.core.seeds import Noise
from society.mechanisms.option_game import OptionGame
from society.mechanisms.stateless import Nothing

MOST_CELLS = 20_000


def _read_table(raw: Any) -> Any:  # Any: lists in lists, as deep as there are agents
    if isinstance(raw, Sequence) and not isinstance(raw, str):
        return tuple(map(_read_table, raw))
    return parse_exact(raw)


def _plain_table(table: Any) -> Any:  # Any: as above
    return [_plain_table(part) for part in table] if isinstance(table, tuple) else plain(table)


Table: TypeAlias = Annotated[
    Any,  # tuples in tuples of exact numbers, as deep as there are agents, which a type cannot say
    BeforeValidator(_read_table),
    PlainSerializer(_plain_table),
    WithJsonSchema({"type": "array", "items": {"type": "array", "items": {}}}),
]


def sizes_of(table: Any) -> tuple[int, ...]:  # Any: as above
    """How many parts there are at each depth of a table.

    Raises:
        ValueError: parts of one depth have different lengths, or a cell is missing.
    """
    if not isinstance(table, tuple):
        return ()
    inside = {sizes_of(part) for part in table}
    if len(inside) != 1:
        raise ValueError("the rows of a table have different lengths" if inside else "a table has an empty row")
    return (len(table), *inside.pop())


Preset = Literal["prisoners_dilemma", "mild_prisoners_dilemma", "donation", "chicken", "stag_hunt", "risky_stag_hunt"]

TRPS: dict[Preset, tuple[int, int, int, int]] = {
    "prisoners_dilemma": (5, 3, 1, 0),
    "mild_prisoners_dilemma": (4, 3, 2, 1),
    "donation": (3, 2, 0, -1),
    "chicken": (4, 3, 1, 2),
    "stag_hunt": (3, 4, 2, 1),
    "risky_stag_hunt": (3, 4, 3, 0),
}
"""Temptation, reward, punishment and sucker's payoff [Axelrod1984]_, [MacyFlache2002]_."""


class MatrixGame(OptionGame):
    """Everybody picks an option at once, and a table says what each gets. Given in one of four ways:

    preset     a named game of two options; the default is the prisoner's dilemma 5, 3, 1, 0
    trps       (T, R, P, S): what D gets against C, C against C, D against D, C against D
    table      any agents, any options: table[i][j]... = [payoff of agent 0, of agent 1, ...] when agent 0 picks its i-th
               option, agent 1 its j-th, and so on; `options` are then one list for all, or one list for each agent
    by_others  n agents alike, two options: for each option the payoffs when 0, 1, ... n-1 others pick the first one

    With preset or trps and more than two agents, everybody plays one option against each other agent and gets the mean.
    """

    kind: Literal["matrix_game"] = "matrix_game"
    source = ("Axelrod1984", "MacyFlache2002")

    agents: int = Field(
        2, ge=2, le=1000, description="number of agents (n); in a scenario file it follows from 'agents'"
    )
    options: tuple[str, ...] | tuple[tuple[str, ...], ...] = Field(
        ("C", "D"),
        min_length=2,
        max_length=100,
        description="the words agents choose from; with a table also a list for each agent, by default a, b, c, ...",
    )
    preset: Preset | None = Field(None, description="a named game; null with nothing else given: prisoners_dilemma")
    trps: tuple[Exact, Exact, Exact, Exact] | None = Field(None, description="points: T, R, P, S of a two-option game")
    table: Table | None = Field(
        None,
        description="points: table[option of agent 0][option of agent 1]... = [payoff of agent 0, of agent 1, ...]",
    )
    by_others: tuple[tuple[Exact, ...], tuple[Exact, ...]] | None = Field(
        None, description="points: for each option, the payoff when 0 .. n-1 others pick the first option"
    )

    @model_validator(mode="before")
    @classmethod
    def _as_the_table_is(cls, raw: Any) -> Any:  # Any: fields as they were written
        """What a table tells by its shape need not be said: how many agents, and options that have no words."""
        if not isinstance(raw, dict) or raw.get("table") is None:
            return raw
        try:
            *options, agents = sizes_of(_read_table(raw["table"]))
        except ValueError:
            return raw  # reported where the table is read
        told = {"agents": agents, **raw}
        if "options" not in raw and len(options) == agents and max(options) <= len(ascii_lowercase):
            words = [("C", "D") if size == 2 else tuple(ascii_lowercase[:size]) for size in options]
            told["options"] = words[0] if len(set(words)) == 1 else tuple(words)
        return told

    @model_validator(mode="after")
    def _one_table(self) -> Self:
        given = [name for name in ("preset", "trps", "table", "by_others") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"give one of preset, trps, table and by_others, not {' and '.join(given)}")
        own = [self.words_of(agent) for agent in range(self.agents if self.one_list else len(self.options))]
        if any(len(set(words)) < len(words) for words in own):
            raise ValueError("two options have the same word")
        if self.table is not None:
            self._check_table(own)
        elif not self.one_list or len(self.options) != 2:
            raise ValueError(
                f"{len(self.options)} options need a table; preset, trps and by_others are games of two options"
            )
        if self.by_others is not None and any(len(row) != self.agents for row in self.by_others):
            raise ValueError(f"by_others has {self.agents} payoffs per option, for 0 to {self.agents - 1} others")
        return self

    def _check_table(self, own: Sequence[tuple[str, ...]]) -> None:
        if len(own) != self.agents:
            raise ValueError(
                f"{len(own)} lists of options for {self.agents} agents: give one per agent, or one for all"
            )
        wanted = (*map(len, own), self.agents)
        found = sizes_of(self.table)
        if found != wanted:
            rows = " x ".join(map(str, wanted[:-1]))
            raise ValueError(
                f"a table of {self.agents} agents with these options has {rows} cells, each with {self.agents} payoffs; "
                f"this one is {' x '.join(map(str, found))}"
            )
        if np.prod(wanted[:-1], dtype=object) > MOST_CELLS:
            raise ValueError(f"a table of more than {MOST_CELLS} cells")

    @property
    def one_list(self) -> bool:
        """Whether all agents choose from the same words."""
        return isinstance(self.options[0], str)

    def words_of(self, agent: int) -> tuple[str, ...]:
        words = self.options if self.one_list else self.options[agent]
        assert isinstance(words, tuple), "one list for all, or one for each"
        return tuple(map(str, words))

    @cached_property
    def symmetric(self) -> bool:
        if self.table is None:
            return True
        if not self.one_list:
            return False
        turned = (*range(1, self.agents), 0)
        swapped = (1, 0, *range(2, self.agents))  # the two generate every order of the seats
        return all(
            self.pays(tuple(picks[seat] for seat in order)) == tuple(self.pays(picks)[seat] for seat in order)
            for picks in self._every_pick()
            for order in (turned, swapped)
        )

    def _every_pick(self) -> Iterator[tuple[int, ...]]:
        return product(*(range(len(self.words_of(agent))) for agent in range(self.agents)))

    @cached_property
    def _schelling(self) -> tuple[tuple[Number, ...], tuple[Number, ...]]:
        """Payoffs by option and by the number of others who pick the first one."""
        if self.by_others is not None:
            return self.by_others
        t, r, p, s = self.trps or TRPS[self.preset or "prisoners_dilemma"]
        others = self.agents - 1
        return (
            tuple(tidy(Fraction(k * r + (others - k) * s, 1) / others) for k in range(others + 1)),
            tuple(tidy(Fraction(k * t + (others - k) * p, 1) / others) for k in range(others + 1)),
        )

    def pays(self, picks: tuple[int, ...]) -> tuple[Number, ...]:
        if self.table is not None:
            cell = self.table
            for pick in picks:
                cell = cell[pick]
            return tuple(cell)
        first = picks.count(0)
        return tuple(self._schelling[pick][first - (pick == 0)] for pick in picks)

    def observe(self, state: Nothing, agent: int) -> Facts:
        facts: dict[str, Fact] = {"options": ", ".join(self.words_of(agent)), "row": agent == 0}
        if self.table is None:
            facts["first_option"], facts["second_option"] = self._schelling
        elif self.agents > 2:
            facts["cells"] = self._told
        return facts

    @cached_property
    def _told(self) -> str:
        """Every cell of the table as text: what all say, in seat order, and what each gets."""
        said = (", ".join(self.words_of(seat)[pick] for seat, pick in enumerate(picks)) for picks in self._every_pick())
        paid = (", ".join(map(show, self.pays(picks))) for picks in self._every_pick())
        return "; ".join(f"{words}: {payoffs}" for words, payoffs in zip(said, paid, strict=True))

    @cached_property
    def _cells(self) -> tuple[NDArray[Any], NDArray[Any]]:  # Any: int64 or object, see over_common_denominator
        if self.table is None:
            return over_common_denominator(self._schelling)
        return over_common_denominator([self.pays(picks) for picks in self._every_pick()])

    def batch(self, state: Nothing, joints: NDArray[np.int64], noise: Noise) -> Batch:
        numerators, denominators = self._cells
        if self.table is not None:
            sizes = tuple(len(self.words_of(agent)) for agent in range(self.agents))
            return Batch(numerators[np.ravel_multi_index(tuple(joints.T), sizes)], denominators)
        first = joints == 0
        others = first.sum(axis=1, dtype=np.int64)[:, None] - first
        return Batch(numerators[joints, others], denominators)

    def poles(self, state: Nothing) -> tuple[Action, Action] | None:
        """The first option is called cooperation, where there are two and the seats are alike."""
        first, *rest = self.words_of(0)
        return (first, rest[0]) if len(rest) == 1 and self.symmetric else None
