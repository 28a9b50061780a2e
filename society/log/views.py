"""Views: the questions people ask of a log, answered in plain SQL.

`intent_outcome` is the one to start with: one row for each run, round and agent. Amounts are numbers; the columns ending in
`_text` hold the same exactly, and words where actions are no amounts.
"""

from __future__ import annotations

from typing import NamedTuple


class View(NamedTuple):
    """A view: what it shows, the order its rows are best read in, its columns with their meanings, and its text.

    `types` tells the columns that are not text.
    """

    name: str
    meaning: str
    order: tuple[str, ...]
    columns: dict[str, str]
    sql: str
    types: dict[str, type]


def _types(*, whole: str = "", real: str = "", truth: str = "") -> dict[str, type]:
    """The types of columns named in lines of words."""
    listed: tuple[tuple[str, type], ...] = ((whole, int), (real, float), (truth, bool))
    return {name: kind for names, kind in listed for name in names.split()}


INTENT_OUTCOME = View(
    "intent_outcome",
    "what each agent meant, expected, announced, did and got, round by round",
    ("run", "round", "seat"),
    {
        "run": "id of the run",
        "scenario": "name of the scenario",
        "seed": "seed of the run",
        "run_status": "running, completed, invalid, paused, interrupted or failed",
        "round": "round, counted from 1",
        "agent": "the agent's name",
        "seat": "its seat, counted from 0",
        "model": "its model, or its policy where no model is asked",
        "meant": "the amount it privately said it would choose; null if not stated",
        "expected_of_others": "what it expected all others to choose in total; null if not stated",
        "forecast": "the score it expected, in units of its goal; null if not stated",
        "desired": "the score it wished for, in units of its goal; null if not stated",
        "announced": "what it said to everybody in this round, in order, one message a line; null if nothing",
        "announced_amount": "the amount it last announced to everybody beside its words; null if none (words are not read)",
        "submitted": "the amount it answered, before any limit; null if unreadable or no amount",
        "legal": "the amount after parsing and hard limits",
        "executed": "the amount after governance; null until the round is settled",
        "requested": "what it asked of a short stock; null where nothing is requested",
        "granted": "what it was given of a short stock; null where nothing is requested",
        "payoff": "what it got in the end, after taxes, fines and transfers",
        "material": "what the mechanism handed it, before them",
        "total": "what all took or gave together",
        "stock_before": "the shared stock as the round found it; null where there is none",
        "stock_after": "the stock the next round finds",
        "welfare": "sum of all payoffs",
        "collapsed": "the commons died in this round",
        "coalition": "the declared coalition it was in; null if none; several are comma separated",
        "intent_status": "how its declaration was read; null if none was asked for",
        "action_status": "how its action was read; defaulted: the scenario chose, not the agent",
        "defaulted_as": "abstain or repeat where its action was defaulted; else null",
        "predicted": "what it expected of each other agent, as JSON",
        "meant_text": "what it meant to do, exactly",
        "announced_text": "the action it last announced to everybody, exactly",
        "submitted_text": "what it answered, as JSON",
        "executed_text": "what was executed, exactly",
    },
    """
SELECT
  r.id AS run, r.scenario AS scenario, r.seed AS seed, r.status AS run_status,
  a.round AS round, g.name AS agent, a.agent AS seat, g.model AS model,
  i.intended AS meant, i.expected_of_others AS expected_of_others, i.forecast AS forecast, i.desired AS desired,
  {announced} AS announced, {announced_amount} AS announced_amount,
  a.submitted AS submitted, a.legal AS legal, a.executed AS executed, a.requested AS requested, a.granted AS granted,
  p.payoff AS payoff, p.material AS material,
  o.total AS total, o.stock_before AS stock_before, o.stock_after AS stock_after, o.welfare AS welfare,
  o.collapsed AS collapsed,
  {coalition} AS coalition,
  i.status AS intent_status, a.status AS action_status, a.defaulted_as AS defaulted_as,
  i.predicted AS predicted, i.intended_text AS meant_text, {announced_text} AS announced_text,
  a.submitted_text AS submitted_text,
  a.executed_text AS executed_text
FROM action AS a
JOIN run AS r ON r.id = a.run_id
JOIN agent AS g ON g.run_id = a.run_id AND g.seat = a.agent
LEFT JOIN intent AS i ON i.run_id = a.run_id AND i.round = a.round AND i.agent = a.agent AND i.stage = 'declare'
LEFT JOIN payoff AS p ON p.run_id = a.run_id AND p.round = a.round AND p.agent = a.agent
LEFT JOIN outcome AS o ON o.run_id = a.run_id AND o.round = a.round
""",
    _types(
        whole="seed round seat",
        real="meant expected_of_others forecast desired announced_amount submitted legal executed requested granted"
        " payoff material total stock_before stock_after welfare",
        truth="collapsed",
    ),
)

RUN_SUMMARY = View(
    "run_summary",
    "one row a run: what it was, how it ended, what it used",
    ("run",),
    {
        "run": "id of the run",
        "scenario": "name of the scenario",
        "seed": "seed",
        "models": "models and policies that played",
        "status": "running, completed, invalid, paused, interrupted or failed",
        "rounds_played": "rounds that were settled",
        "rounds_planned": "rounds the scenario asks for",
        "collapsed_in": "the round in which the commons died; null if it did not",
        "final_stock": "stock after the last settled round; null where there is none",
        "welfare": "sum of all payoffs of all agents and rounds",
        "actions": "actions taken",
        "defaulted": "how many of them the scenario chose in place of an unreadable answer",
        "calls": "questions to models that were answered",
        "usd": "cost in US dollars as far as known; null if none is known",
        "sessions": "processes that wrote it, one after the other",
        "seconds": "how long they went on together, pauses left out, as far as known; null if of none is known",
        "started": "when it was started (UTC)",
        "ended": "when it stopped (UTC); null while it is running",
    },
    """
SELECT
  r.id AS run, r.scenario AS scenario, r.seed AS seed, r.models AS models, r.status AS status,
  r.rounds_played AS rounds_played, r.rounds_planned AS rounds_planned,
  (SELECT MIN(o.round) FROM outcome AS o WHERE o.run_id = r.id AND o.collapsed) AS collapsed_in,
  (SELECT o.stock_after FROM outcome AS o WHERE o.run_id = r.id ORDER BY o.round DESC LIMIT 1) AS final_stock,
  (SELECT SUM(o.welfare) FROM outcome AS o WHERE o.run_id = r.id) AS welfare,
  (SELECT COUNT(*) FROM action AS a WHERE a.run_id = r.id) AS actions,
  (SELECT COUNT(*) FROM action AS a WHERE a.run_id = r.id AND a.status = 'defaulted') AS defaulted,
  r.calls AS calls, r.usd AS usd,
  (SELECT COUNT(*) FROM session AS s WHERE s.run_id = r.id) AS sessions,
  (SELECT SUM(s.seconds) FROM session AS s WHERE s.run_id = r.id) AS seconds,
  r.started AS started, r.ended AS ended
FROM run AS r
""",
    _types(
        whole="seed rounds_played rounds_planned collapsed_in actions defaulted calls sessions",
        real="final_stock welfare usd seconds",
    ),
)

CONVERSATION = View(
    "conversation",
    "what was said, in order, with names",
    ("run", "round", "turn", "seat", "place"),
    {
        "run": "id of the run",
        "round": "round, counted from 1",
        "turn": "turn of talk within the round",
        "seat": "seat of who said it",
        "place": "which message of this turn, counted from 0",
        "speaker": "name of who said it",
        "heard_by": "everybody, or the names of the recipients, comma separated",
        "text": "the words",
        "clipped": "some message of this turn was cut",
        "status": "how the agent's answer was read",
    },
    """
SELECT
  m.run_id AS run, m.round AS round, m.turn AS turn, m.agent AS seat, m.place AS place, g.name AS speaker,
  CASE WHEN m.public THEN 'everybody' ELSE {recipients} END AS heard_by,
  m.text AS text, m.clipped AS clipped, m.status AS status
FROM message AS m
JOIN agent AS g ON g.run_id = m.run_id AND g.seat = m.agent
""",
    _types(whole="round turn seat place", truth="clipped"),
)

CALL_SUMS = """COUNT(*) AS tries, SUM(CASE WHEN c.status = 'answered' THEN 1 ELSE 0 END) AS answered,
  SUM(c.tokens_in) AS tokens_in, SUM(c.tokens_out) AS tokens_out, SUM(c.usd) AS usd,
  SUM(CASE WHEN c.status = 'answered' AND c.usd IS NULL THEN 1 ELSE 0 END) AS unpriced,
  SUM(c.tokens_cached) AS tokens_cached, SUM(CASE WHEN c.cached THEN 1 ELSE 0 END) AS recalled,
  SUM(CASE WHEN c.status = 'issued' OR (c.status = 'failed' AND c.estimated) THEN 1 ELSE 0 END) AS cut_off,
  SUM(CASE WHEN c.status = 'issued' OR (c.status = 'failed' AND c.estimated) THEN c.reserved_usd END) AS cut_off_usd"""
"""What is told of any group of rows `c` of `model_call`."""

CALL_COST = View(
    "call_cost",
    "calls, tokens and cost by run, agent, stage and model",
    ("run", "agent", "stage", "model"),
    {
        "run": "id of the run",
        "agent": "name of the agent that was asked",
        "stage": "what was asked for",
        "model": "the model",
        "tries": "tries, answered or not",
        "answered": "tries that were answered",
        "tokens_in": "tokens of prompts as far as known",
        "tokens_out": "tokens of answers as far as known",
        "usd": "cost in US dollars as far as known; null if none is known",
        "unpriced": "answered tries whose cost is not known",
        "tokens_cached": "tokens of prompts the provider had cached, as far as known",
        "recalled": "answers that needed no call: from the response cache, or shared with the run this one is a fork of",
        "cut_off": "tries that were sent and brought no answer; they may have been billed",
        "cut_off_usd": "most that these can have cost in US dollars; null if not known",
    },
    f"""
SELECT
  c.run_id AS run, g.name AS agent, c.stage AS stage, c.model AS model,
  {CALL_SUMS}
FROM model_call AS c
JOIN agent AS g ON g.run_id = c.run_id AND g.seat = c.agent
GROUP BY c.run_id, g.name, c.stage, c.model
""",
    _types(whole="tries answered tokens_in tokens_out unpriced tokens_cached recalled cut_off", real="usd cut_off_usd"),
)

VIEWS: tuple[View, ...] = (INTENT_OUTCOME, RUN_SUMMARY, CONVERSATION, CALL_COST)


def create_view(view: View, dialect: str) -> str:
    """The statement that creates a view in SQLite or PostgreSQL."""
    postgres = dialect == "postgresql"
    gather = "string_agg" if postgres else "group_concat"
    newline = "chr(10)" if postgres else "char(10)"

    def gathered(what: str, between: str, source: str) -> str:
        return f"(SELECT {gather}(listed.{what}, {between}) FROM ({source}) AS listed)"

    announced = gathered(
        "text",
        newline,
        "SELECT m.text AS text FROM message AS m WHERE m.run_id = a.run_id AND m.round = a.round"
        " AND m.agent = a.agent AND m.public ORDER BY m.turn, m.place",
    )
    coalition = gathered(
        "coalition",
        "', '",
        "SELECT c.coalition AS coalition FROM coalition_member AS c WHERE c.run_id = a.run_id AND c.round = a.round"
        " AND c.agent = a.agent ORDER BY c.coalition",
    )
    recipients = gathered(
        "name",
        "', '",
        "SELECT h.name AS name FROM message_recipient AS t JOIN agent AS h ON h.run_id = t.run_id AND h.seat = t.recipient"
        " WHERE t.run_id = m.run_id AND t.round = m.round AND t.turn = m.turn AND t.agent = m.agent"
        " AND t.place = m.place ORDER BY t.recipient",
    )
    last = "FROM message AS m WHERE m.run_id = a.run_id AND m.round = a.round AND m.agent = a.agent AND m.public"
    last += " AND m.announced_text IS NOT NULL ORDER BY m.turn DESC, m.place DESC LIMIT 1"
    body = view.sql.format(
        announced=announced,
        announced_amount=f"(SELECT m.announced {last})",
        announced_text=f"(SELECT m.announced_text {last})",
        coalition=coalition,
        recipients=recipients,
    )
    return f"CREATE VIEW {view.name} AS {body.strip()}"
