"""Tables that analyses fill after a run. Each set of rows of one run stands under a digest, so that changes show."""

from __future__ import annotations

from society.log.schema import Row, column, key, number, of_agent, of_run, run_key, words


class StageValue(Row, table=True):
    """A value on the way from what an agent meant to what came of it."""

    __tablename__ = "stage_value"
    __table_args__ = of_agent("values on the way from what an agent meant to what came of it")

    run_id: str = run_key()
    round: int = key("round, counted from 1")
    agent: int = key("seat")
    stage: str = key("which value, by its symbol")
    value: float | None = number("in the units of the agent's goal; null where it does not apply")
    value_text: str | None = words("the exact value")
    status: str = column("exact, bound, estimate, or why there is none")


class GapTerm(Row, table=True):
    """One term of an exact decomposition of the gap between meant and realised."""

    __tablename__ = "gap_term"
    __table_args__ = of_agent("terms of the decomposition of the gap between what was meant and what came of it")

    run_id: str = run_key()
    round: int = key("round, counted from 1; 0 is the whole episode")
    agent: int = key("seat")
    decomposition: str = key("which decomposition")
    term: str = key("which term of it")
    value: float | None = number("in the units of the agent's goal; null where it does not apply")
    value_text: str | None = words("the exact value")


class SurpriseShare(Row, table=True):
    """How much of one agent's surprise another agent's action caused."""

    __tablename__ = "surprise_share"
    __table_args__ = of_agent("whose action caused how much of whose surprise", "agent", "cause")

    run_id: str = run_key()
    round: int = key("round, counted from 1; 0 is the whole episode")
    agent: int = key("seat of the agent that was surprised")
    cause: int = key("seat of the agent whose action differed from what was expected")
    method: str = key("how the shares were computed")
    value: float | None = number("in the units of the surprised agent's goal; null where it does not apply")
    value_text: str | None = words("the exact value")


class Metric(Row, table=True):
    """A number about a whole run."""

    __tablename__ = "metric"
    __table_args__ = of_run("numbers about whole runs, each with its unit and, if a ratio, its parts")

    run_id: str = run_key()
    name: str = key("which metric")
    without_defaulted: bool = key("computed without decisions that were defaulted")
    value: float | None = number("the number; null where it does not apply")
    numerator: float | None = number("of a ratio; null where it is none")
    denominator: float | None = number("of a ratio; null where it is none")
    unit: str = column("unit and range")


class Derived(Row, table=True):
    """The digest of the rows that one analysis stored for one run."""

    __tablename__ = "derived"
    __table_args__ = of_run("digests of what analyses stored, so that a changed row shows")

    run_id: str = run_key()
    table_name: str = key("which table was filled")
    rows: int = column("how many rows")
    digest: str = column("SHA-256 over the rows, their number, the version and the time")
    version: str = column("version of the package that computed them")
    computed: str = column("when (UTC, ISO 8601)")
