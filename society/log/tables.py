"""The tables of the log.

    run, session, agent, event           what was set up, who played it, and the chain of everything that happened: the source of truth
    prompt, answer_schema, model_call    the journal: each question to a model, its tries and its raw answer
    message ... rule_event               what the events say, in columns: derived from the events and checked against them
    stage_value ... metric, price        what was computed from a run later, and what it was charged at, under digests of their own

Names end in `_text` where they hold an exact value (``12``, ``2/5``, ``"cooperate"``) beside a number for queries. Null is "not
stated" or "does not apply", never zero.
"""

from __future__ import annotations

from sqlalchemy import Table
from sqlmodel import SQLModel

from society.log.journal_tables import AnswerSchema, ModelCall, Price, Prompt
from society.log.later_tables import Derived, GapTerm, Metric, StageValue, SurpriseShare
from society.log.play_tables import (
    Action,
    Coalition,
    CoalitionMember,
    Decision,
    Intent,
    Message,
    MessageRecipient,
    Outcome,
    Payoff,
    Prediction,
    Proposal,
    RuleEvent,
    Sanction,
    Transfer,
    Vote,
)
from society.log.run_tables import Agent, Dictionary, Event, LogInfo, Run, Session

TABLES: tuple[type[SQLModel], ...] = (
    LogInfo, Dictionary, Run, Session, Agent, Event,
    Prompt, AnswerSchema, ModelCall,
    Message, MessageRecipient, Intent, Prediction, Action, Decision, Outcome, Payoff, Transfer,
    Proposal, Coalition, CoalitionMember, Vote, Sanction, RuleEvent,
    StageValue, GapTerm, SurpriseShare, Metric, Price, Derived,
)  # fmt: skip
"""In an order in which rows can be inserted: what is referred to comes first."""

PROJECTED: tuple[type[SQLModel], ...] = (
    Message, MessageRecipient, Intent, Prediction, Action, Decision, Outcome, Payoff, Transfer,
    Proposal, Coalition, CoalitionMember, Vote, Sanction, RuleEvent,
)  # fmt: skip
"""Tables that are a pure function of the events."""

COMPUTED: tuple[type[SQLModel], ...] = (StageValue, GapTerm, SurpriseShare, Metric, Price)
"""Tables that are filled beside the events: what analyses computed, and what models were charged at."""


def name_of(table: type[SQLModel]) -> str:
    return str(table.__tablename__)


def table_of(table: type[SQLModel]) -> Table:
    """Its keys, indexes and columns as SQLAlchemy declares them; sqlmodel hides them from type checkers."""
    return table.metadata.tables[name_of(table)]


def columns_of(table: type[SQLModel]) -> tuple[str, ...]:
    return tuple(table.model_fields)


__all__ = [
    "COMPUTED",
    "PROJECTED",
    "TABLES",
    "Agent",
    "ModelCall",
    "Run",
    "Session",
    "columns_of",
    "name_of",
    "table_of",
]
