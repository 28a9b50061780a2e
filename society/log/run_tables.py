"""Tables of the run itself: what was set up, who sat where, and the chain of events."""

from __future__ import annotations

from society.log.schema import Row, big, column, key, number, of_run, run_key, words


class LogInfo(Row, table=True):
    """Facts about the log as a whole."""

    __tablename__ = "log_info"
    __table_args__ = of_run("facts about this log as a whole")

    name: str = key("schema_version: the layout of the log")
    value: str = column("its value")


class Dictionary(Row, table=True):
    """What every table, view and column holds; the same as the comments in the schema, as rows."""

    __tablename__ = "dictionary"
    __table_args__ = of_run("what every table, view and column of this log holds")

    table_name: str = key("table or view")
    column_name: str = key("column; empty for the table itself")
    meaning: str = words("what it holds, with unit")


class Run(Row, table=True):
    """One play of a scenario."""

    __tablename__ = "run"
    __table_args__ = of_run("one play of a scenario", clustered=False)

    id: str = key("sortable and readable: start time (UTC), scenario, two words, four hexadecimal digits")
    name: str = column("the readable part of the id, such as brave-heron-7f3a", index=True)
    scenario: str = column("name of the scenario", index=True)
    seed: int = big("seed of all chance in this run")
    models: str = column("the models and policies that played, each once, in seat order, comma separated")
    status: str = column("running, completed, invalid, paused, interrupted or failed", index=True)
    reason: str = words("why it has this status; empty while all is well")
    rounds_planned: int = column("rounds the scenario asks for")
    rounds_played: int = column("rounds that were settled")
    started: str = column("when it was started (UTC, ISO 8601)")
    ended: str | None = column("when it last stopped (UTC, ISO 8601); null while it is running")
    calls: int = column("questions to models that were answered")
    tokens_in: int | None = big("tokens of all prompts as far as known; null if none is known")
    tokens_out: int | None = big("tokens of all answers as far as known; null if none is known")
    usd: float | None = number("cost in US dollars as far as known; null if none is known")
    calls_unpriced: int = column("calls whose cost is not known")
    events: int = column("events in the chain, the manifest included")
    head: str = column("hash of the last event: the run in 64 hexadecimal digits")
    seal: str | None = column(
        "SHA-256 over the head, this row, the agents, the sessions and the journal as they were when it last stopped; null while it is running"
    )
    version: str = column("version of the package that played it")
    schema_version: int = column("layout of the log it was written in")
    command: str = words("the command line that started it, without secrets")
    host: str = column("machine that plays or played it")
    pid: int = column("process that plays or played it")
    fork_of: str | None = column("the run whose first rounds this one shares, if it is a fork", refers="run.id")
    fork_round: int | None = column("how many rounds are shared with it")
    sweep: str | None = column("the sweep it belongs to, if any", index=True)
    cell: str | None = words("the cell of the sweep, as canonical JSON")


class Agent(Row, table=True):
    """Who sat in which seat of a run."""

    __tablename__ = "agent"
    __table_args__ = of_run("who sat in which seat of a run")

    run_id: str = run_key()
    seat: int = key("seat, counted from 0; agents are known by it in all other tables")
    name: str = column("shown to everybody")
    model: str = column("the model asked for its answers, or its policy where no model is asked")
    policy: str = column("llm, scripted, human or learned")
    role: str = words("what it is to the others")
    persona: str = words("who it is; only it was told")
    goal: str = words("what it wants, as canonical JSON")
    principal_goal: str | None = words("what its principal wants, as canonical JSON; null where that is its goal")


class Session(Row, table=True):
    """A process that wrote a run, from when it began the run or took it up to when it let go of it."""

    __tablename__ = "session"
    __table_args__ = of_run("processes that wrote a run, one after the other, each with the budget it played under")

    run_id: str = run_key()
    ordinal: int = key("0 for the process that began the run, then one more for each that took it up")
    started: str = column("when it began (UTC, ISO 8601)")
    ended: str | None = column(
        "when it stopped (UTC, ISO 8601); null while it goes on, and of a process that was killed"
    )
    seconds: float | None = number("how long it went on, by a clock that never jumps; null as `ended`")
    status: str | None = column("how it ended: completed, invalid, paused, interrupted or failed; null as `ended`")
    reason: str | None = words("why it ended so, in words; null as `ended`")
    budget_usd: float | None = number("US dollars the run might use in all; null where nothing bounded them")
    budget_tokens: int | None = big("tokens the run might use in all; null where nothing bounded them")
    budget_minutes: float | None = number("minutes the run might take in all; null where nothing bounded them")
    version: str = column("version of the package")
    host: str = column("machine it played on")
    pid: int = column("process on that machine")


class Event(Row, table=True):
    """Something that happened, in canonical form and hashed into a chain. All else can be derived from these."""

    __tablename__ = "event"
    __table_args__ = of_run("everything that happened, hashed into a chain: the source of truth", clustered=False)

    run_id: str = run_key()
    seq: int = key("place in the run, counted from 0 (the manifest), without gaps")
    round: int | None = column("round it belongs to; null for the manifest and the end")
    kind: str = column("run_started, spoke, declared, acted, decided, settled, forked or run_ended")
    body: str = words("the event as canonical JSON; fractions are written as 2/5")
    hash: str = column(
        "SHA-256 of the previous hash and this body; for seq 0, of 'society-log/1', a line end and the body"
    )
