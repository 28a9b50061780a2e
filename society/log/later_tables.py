"""Tables that analyses fill after a run. Each set of rows of one run stands under a digest, so that changes show."""

from __future__ import annotations

from society.log.schema import Row, column, key, number, of_agent, of_run, run_key, words


class StageValue(Row, table=True):
    """A value on the way from the best possible to what happened, under one yardstick."""

    __tablename__ = "stage_value"
    __table_args__ = of_agent("values on the way from what an agent meant to what came of it")

    run_id: str = run_key()
    round: int = key("round, counted from 1")
    agent: int = key("seat")
    yardstick: str = key("what outcomes are scored by: goal (the agent's own), welfare or principal")
    stage: str = key("which value: W0 to W4, P0 to P6, C (cooperative benchmark), forecast, V (reference value)")
    mode: str = column("myopic: this round alone; continuation: with a reference value of the next state")
    value: float | None = number("in the units of the yardstick; null where it does not apply")
    value_text: str | None = words("the exact value")
    exact: bool = column("false where it is only the best one found")
    defaulted: bool = column("the action was not the agent's own")


class GapTerm(Row, table=True):
    """One term of an exact decomposition of the gap between the best possible and what happened."""

    __tablename__ = "gap_term"
    __table_args__ = of_agent("terms of the decomposition of the gap between the best possible and what happened")

    run_id: str = run_key()
    round: int = key("round, counted from 1; 0 is the whole episode")
    agent: int = key("seat")
    yardstick: str = key("what outcomes are scored by: goal (the agent's own), welfare or principal")
    chain: str = key(
        "causal and subjective: chains that sum to the gap; symmetric: mean of both orders of say_do and surprise; others_first: the other order; all_orders: mean over all orders of all steps; split: parts of a term; "
        "principal: the principal's chain; public_word: what breaking it changed; beside: not part of the sum"
    )
    term: str = key("which term of it; names joined by + are merged for want of a declaration")
    mode: str = column("myopic: this round alone; continuation: with a reference value of the next state")
    value: float | None = number("in the units of the yardstick; null where it does not apply")
    value_text: str | None = words("the exact value")
    exact: bool = column("false where the ceiling was searched, so that this is a lower bound")
    defaulted: bool = column("the action was not the agent's own")


class SurpriseShare(Row, table=True):
    """How much of one agent's surprise another agent's action carries, under Shapley accounting."""

    __tablename__ = "surprise_share"
    __table_args__ = of_agent("whose action carries how much of whose surprise", "agent", "cause")

    run_id: str = run_key()
    round: int = key("round, counted from 1")
    agent: int = key("seat of the agent that was surprised")
    yardstick: str = key("what outcomes are scored by: goal (the agent's own), welfare or principal")
    cause: int = key("seat of the agent whose action differed from what was expected")
    mode: str = column("myopic: this round alone; continuation: with a reference value of the next state")
    method: str = column("exact: every set of agents was tried; sampled: random orders were")
    orders: int = column("how many orders were drawn; 0 where every set was tried")
    value: float | None = number("in the units of the yardstick; null where it does not apply")
    value_text: str | None = words("the exact value; the shares of one surprise add up to it")
    se: float | None = number("standard error of a sampled share; null where it is exact")
    defaulted: bool = column("the surprised agent's action was not its own")


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
