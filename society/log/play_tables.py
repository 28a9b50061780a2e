"""Tables that say in columns what the events say: a pure function of them, checked row by row by `verify`."""

from __future__ import annotations

from society.log.schema import Row, column, key, number, of_agent, of_run, run_key, words


class Message(Row, table=True):
    """Something one agent said."""

    __tablename__ = "message"
    __table_args__ = of_agent("what agents said, publicly or to named recipients")

    run_id: str = run_key()
    round: int = key("round, counted from 1")
    turn: int = key("turn of talk within the round")
    agent: int = key("seat of the speaker")
    place: int = key("which message of this turn, counted from 0")
    public: bool = column("everybody heard it")
    text: str = words("its words as delivered; NUL and lone surrogates as U+0010 and four hexadecimal digits")
    announced: float | None = number("the amount it announces its speaker will choose; null if none or no amount")
    announced_text: str | None = column("the action it announces, exactly")
    clipped: bool = column("some message of this turn was longer than allowed and was cut")
    status: str = column("how the agent's answer was read: its parse status")


class MessageRecipient(Row, table=True):
    """Who a private message went to."""

    __tablename__ = "message_recipient"
    __table_args__ = of_agent("who private messages went to", "agent", "recipient")

    run_id: str = run_key()
    round: int = key("round, counted from 1")
    turn: int = key("turn of talk within the round")
    agent: int = key("seat of the speaker")
    place: int = key("which message of this turn, counted from 0")
    recipient: int = key("seat of somebody it went to")


class Intent(Row, table=True):
    """What an agent stated in private before acting."""

    __tablename__ = "intent"
    __table_args__ = of_agent("what agents stated in private before acting")

    run_id: str = run_key()
    round: int = key("round, counted from 1")
    agent: int = key("seat")
    stage: str = key("declare, or before_talk for the one asked before the first message")
    intended: float | None = number("the amount it means to choose; null if not stated or no amount")
    intended_text: str | None = column("the action it means to choose, exactly")
    expected_of_others: float | None = number(
        "what it expects all others to choose in total; null if not stated or no amounts"
    )
    expected_of_others_text: str | None = column("the same, exactly")
    predicted: str | None = words("its prediction for each other agent by name, or its beliefs, as JSON")
    forecast: float | None = number("the score it expects, in units of its goal; null if not stated")
    forecast_text: str | None = column("the same, exactly")
    desired: float | None = number("the score it would like, in units of its goal; null if not stated")
    desired_text: str | None = column("the same, exactly")
    objective: str | None = words("what it is after, in its own words")
    valid: bool | None = column(
        "false if some stated value was not allowed and the nearest one stands; null if nothing was read"
    )
    status: str = column("how the answer was read: its parse status")
    text: str | None = words("the answer it was read from")
    error: str = words("what was wrong with the answer; empty if nothing")


class Prediction(Row, table=True):
    """What one agent expects one other to do."""

    __tablename__ = "prediction"
    __table_args__ = of_agent("what agents expect each other to do", "agent", "other")

    run_id: str = run_key()
    round: int = key("round, counted from 1")
    agent: int = key("seat of the agent that predicts")
    stage: str = key("declare, or before_talk")
    other: int = key("seat of the agent that is predicted")
    amount: float | None = number("the amount expected of the other; the mean if it stated several with probabilities")
    action_text: str | None = column("the action expected of the other, exactly; null for a mean of several")


class Action(Row, table=True):
    """What an agent chose, what of it was legal, and what was carried out."""

    __tablename__ = "action"
    __table_args__ = of_agent("what agents submitted, what was legal, executed, requested and granted")

    run_id: str = run_key()
    round: int = key("round, counted from 1")
    agent: int = key("seat")
    submitted: float | None = number("the amount as answered, before any limit; null if unreadable or no amount")
    submitted_text: str | None = words("the answer's action as answered, as JSON")
    legal: float | None = number("the amount after parsing and hard limits")
    legal_text: str = column("the action after parsing and hard limits, exactly")
    executed: float | None = number("the amount after governance; null until the round is settled")
    executed_text: str | None = column("the action after governance, exactly; null until the round is settled")
    requested: float | None = number("what was asked of a short stock; null where nothing is requested")
    requested_text: str | None = column("the same, exactly")
    granted: float | None = number("what was given of a short stock; null where nothing is requested")
    granted_text: str | None = column("the same, exactly")
    status: str = column("how the answer was read: its parse status")
    defaulted_as: str | None = column(
        "abstain or repeat, where the answer was unreadable and the scenario chose; else null"
    )
    error: str = words("what was wrong with the answer; empty if nothing")


class Decision(Row, table=True):
    """One field of a further decision that an instrument asked for."""

    __tablename__ = "decision"
    __table_args__ = of_agent("further decisions that instruments asked for, field by field")

    run_id: str = run_key()
    round: int = key("round, counted from 1")
    agent: int = key("seat of the agent that decided")
    purpose: str = key("what was asked, such as sanction or vote")
    seq: int = key("place of the event in the run; tells several decisions of one purpose apart")
    part: str = key("field of the answer: an agent's name, or vote; empty if nothing was read")
    amount: float | None = number("the amount chosen; null if no amount")
    choice_text: str | None = column("the choice, exactly")
    status: str = column("how the answer was read: its parse status")
    error: str = words("what was wrong with the answer; empty if nothing")


class Outcome(Row, table=True):
    """What a round came to, for everybody."""

    __tablename__ = "outcome"
    __table_args__ = of_run("what each round came to for everybody", clustered=False)

    run_id: str = run_key()
    round: int = key("round, counted from 1")
    total: float | None = number("what all took or gave together; null where actions are no quantities")
    total_text: str | None = column("the same, exactly")
    stock_before: float | None = number("the shared stock as the round found it; null where there is none")
    stock_before_text: str | None = column("the same, exactly")
    stock_after: float | None = number("the stock the next round finds, after harvest, growth and shocks")
    stock_after_text: str | None = column("the same, exactly")
    welfare: float | None = number("sum of all payoffs after governance")
    welfare_text: str = column("the same, exactly")
    collapsed: bool = column("the commons died in this round")
    game_over: bool = column("no further round could be played")
    facts: str = words("further public results, as canonical JSON")
    state_before: str = words("the whole state the round found, as canonical JSON")
    state_after: str = words("the whole state the next round finds, as canonical JSON")


class Payoff(Row, table=True):
    """What an agent got out of a round."""

    __tablename__ = "payoff"
    __table_args__ = of_agent("what agents got out of each round")

    run_id: str = run_key()
    round: int = key("round, counted from 1")
    agent: int = key("seat")
    material: float | None = number("what the mechanism handed out")
    material_text: str = column("the same, exactly")
    payoff: float | None = number("after taxes, fines and transfers")
    payoff_text: str = column("the same, exactly")


class Transfer(Row, table=True):
    """Units that changed hands under a rule."""

    __tablename__ = "transfer"
    __table_args__ = of_agent("units that changed hands under a rule", "payer", "payee")

    run_id: str = run_key()
    round: int = key("round, counted from 1")
    place: int = key("order within the round, counted from 0")
    payer: int | None = column("seat of who paid; null for the outside")
    payee: int | None = column("seat of who got it; null for the outside: burnt")
    amount: float | None = number("how much")
    amount_text: str = column("the same, exactly")
    rule: str = column("the rule it happened under")
    reason: str = words("why it was paid, as the rule words it")


class Proposal(Row, table=True):
    """A proposal or motion, or what became of one."""

    __tablename__ = "proposal"
    __table_args__ = of_agent("proposals and motions, and what became of them")

    run_id: str = run_key()
    round: int = key("round, counted from 1")
    place: int = key("order among the rule events of the round, counted from 0")
    event: str = column("propose, motion, accept, refuse, withdraw or sign")
    agent: int | None = column("seat of who did it; null where nobody is named")
    others: str = column("seats of the others named, as a JSON list")
    rule: str = column("the rule or contract it is about")
    detail: str = words("in words")
    amount: float | None = number("the amount it is about; null if none")
    amount_text: str | None = column("the same, exactly")


class Coalition(Row, table=True):
    """A declared coalition in force during a round."""

    __tablename__ = "coalition"
    __table_args__ = of_run("declared coalitions in force during each round")

    run_id: str = run_key()
    round: int = key("round, counted from 1")
    coalition: str = key("its name within the run")
    size: int = column("how many members")


class CoalitionMember(Row, table=True):
    """Who was in a declared coalition during a round."""

    __tablename__ = "coalition_member"
    __table_args__ = of_agent("who was in which declared coalition during each round")

    run_id: str = run_key()
    round: int = key("round, counted from 1")
    coalition: str = key("its name within the run")
    agent: int = key("seat of a member")


class Vote(Row, table=True):
    """One ballot."""

    __tablename__ = "vote"
    __table_args__ = of_agent("ballots")

    run_id: str = run_key()
    round: int = key("round, counted from 1")
    seq: int = key("place of the event in the run")
    agent: int = key("seat of the voter")
    item: str = key("what was voted on, where a ballot has several fields; else vote")
    choice: str | None = column("the vote cast, exactly; null if nothing was read")
    amount: float | None = number("the vote as an amount; null if it is none")
    status: str = column("how the answer was read: its parse status")


class Sanction(Row, table=True):
    """A sanction: points an agent assigned to another, or what a rule imposed."""

    __tablename__ = "sanction"
    __table_args__ = of_agent("sanctions: assigned by agents, or imposed by a rule", "by_agent", "target")

    run_id: str = run_key()
    round: int = key("round, counted from 1")
    source: str = key("decision: an agent assigned it; rule: a rule imposed it")
    seq: int = key("place in the run of the event it stands in")
    place: int = key("order within that event, counted from 0")
    by_agent: int | None = column("seat of who assigned it; null for a rule")
    target: int | None = column("seat of who was sanctioned; null where nobody is named")
    amount: float | None = number("points assigned, or amount imposed; null if none is stated")
    amount_text: str | None = column("the same, exactly")
    rule: str = column("the rule or stage it belongs to")
    detail: str = words("in words")


class RuleEvent(Row, table=True):
    """Something that happened to or under a rule."""

    __tablename__ = "rule_event"
    __table_args__ = of_run("what happened to or under rules: violations, detections, amendments, seizures ...")

    run_id: str = run_key()
    round: int = key("round, counted from 1")
    place: int = key("order within the round, counted from 0")
    event: str = column("violation, detect, sanction, evade, defy, amend, overthrow, seizure, lapse, motion, vote ...")
    rule: str = column("the rule")
    agents: str = column("seats of the agents named, as a JSON list")
    detail: str = words("in words")
    amount: float | None = number("the amount it is about; null if none")
    amount_text: str | None = column("the same, exactly")
