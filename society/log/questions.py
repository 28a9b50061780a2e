"""Ready questions to a log, in SQL that SQLite and PostgreSQL both understand.

They stand on the page `docs/questions.md` and among the stored queries of datasette. Those about one run have the parameter
``:run``; the others look at every run of the log.
"""

from __future__ import annotations

from typing import NamedTuple


class Question(NamedTuple):
    """A question: a short name, what it asks, how to read the answer, and its SQL."""

    name: str
    asks: str
    reading: str
    sql: str

    @property
    def of_one_run(self) -> bool:
        """Whether it wants ``:run``, the id of a run."""
        return ":run" in self.sql


QUESTIONS: tuple[Question, ...] = (
    Question(
        "meant_and_done",
        "What did each agent mean to do, and what did it do?",
        "Null in `meant` is an intent that was not stated or is no amount; the exact texts stand beside.",
        """
SELECT round, agent, announced, meant, expected_of_others, forecast, submitted, executed, payoff
FROM intent_outcome WHERE run = :run ORDER BY round, seat""",
    ),
    Question(
        "broken_intents",
        "Who most often did otherwise than it had privately said?",
        "Decisions that the scenario chose in place of an unreadable answer are not the agent's, and are left out.",
        """
SELECT scenario, model, COUNT(*) AS stated, SUM(CASE WHEN meant_text <> executed_text THEN 1 ELSE 0 END) AS otherwise
FROM intent_outcome
WHERE meant_text IS NOT NULL AND executed_text IS NOT NULL AND action_status <> 'defaulted'
GROUP BY scenario, model ORDER BY scenario, model""",
    ),
    Question(
        "misjudged_others",
        "By how much did agents misjudge what all others would do together?",
        "Positive: the others asked for (or gave) more than was expected of them. Only where all actions are amounts.",
        """
WITH round_of AS (
  SELECT scenario, model, expected_of_others, executed,
    SUM(executed) OVER (PARTITION BY run, round) - executed AS others, COUNT(*) OVER (PARTITION BY run, round) AS agents,
    COUNT(executed) OVER (PARTITION BY run, round) AS known
  FROM intent_outcome
)
SELECT scenario, model, COUNT(*) AS judgements, AVG(others - expected_of_others) AS mean_error,
  AVG(ABS(others - expected_of_others)) AS mean_size
FROM round_of WHERE expected_of_others IS NOT NULL AND known = agents
GROUP BY scenario, model ORDER BY scenario, model""",
    ),
    Question(
        "forecasts",
        "Did agents foresee their own score?",
        "Only where the goal is the agent's own earnings are forecast and payoff in the same unit.",
        """
SELECT i.run, i.round, i.agent, i.forecast, i.payoff, i.payoff - i.forecast AS surprise
FROM intent_outcome AS i JOIN agent AS a ON a.run_id = i.run AND a.seat = i.seat
WHERE i.forecast IS NOT NULL AND i.payoff IS NOT NULL AND a.goal LIKE '%"own_payoff"%'
ORDER BY i.run, i.round, i.seat""",
    ),
    Question(
        "sessions",
        "Which processes played a run, on which budget, and how did each end?",
        "One row a process: a run that was resumed has several. Of one that was killed neither end nor time is known, and both are null.",
        """
SELECT ordinal, started, seconds, status, reason, budget_usd, budget_tokens, budget_minutes
FROM session WHERE run_id = :run ORDER BY ordinal""",
    ),
    Question(
        "survival",
        "How many runs kept their commons alive?",
        "A run is one trial; only finished, valid runs count.",
        """
SELECT scenario, models, COUNT(*) AS runs, SUM(CASE WHEN collapsed_in IS NULL THEN 1 ELSE 0 END) AS survived,
  MIN(collapsed_in) AS earliest_collapse
FROM run_summary WHERE status = 'completed' GROUP BY scenario, models ORDER BY scenario, models""",
    ),
    Question(
        "welfare",
        "What did all agents get together?",
        "Compare arms within a scenario only: units differ between mechanisms.",
        """
SELECT scenario, models, COUNT(*) AS runs, AVG(welfare) AS mean, MIN(welfare) AS least, MAX(welfare) AS most
FROM run_summary WHERE status = 'completed' GROUP BY scenario, models ORDER BY scenario, models""",
    ),
    Question(
        "stock",
        "How did the stock go, and what was asked of it?",
        "`granted` is below `requested` where the stock was short and was rationed.",
        """
SELECT round, MAX(stock_before) AS stock_before, SUM(requested) AS requested, SUM(granted) AS granted,
  MAX(stock_after) AS stock_after
FROM intent_outcome WHERE run = :run GROUP BY round ORDER BY round""",
    ),
    Question(
        "lost_to_what",
        "What was each agent's gap between goal and impact lost to, over the whole run?",
        "Terms of one chain add up to the gap. Filled when a run is analysed: `society align` and `society export` see to it.",
        """
SELECT a.name AS agent, t.yardstick, t.chain, t.term, t.value, t.value_text, t.exact
FROM gap_term AS t JOIN agent AS a ON a.run_id = t.run_id AND a.seat = t.agent
WHERE t.run_id = :run AND t.round = 0 ORDER BY t.yardstick, t.chain, t.agent, t.term""",
    ),
    Question(
        "who_surprised_whom",
        "Whose actions carried whose surprise?",
        "An accounting of differences from what was predicted, not of guilt.",
        """
SELECT a.name AS surprised, c.name AS cause, SUM(s.value) AS share, COUNT(*) AS rounds
FROM surprise_share AS s
JOIN agent AS a ON a.run_id = s.run_id AND a.seat = s.agent
JOIN agent AS c ON c.run_id = s.run_id AND c.seat = s.cause
WHERE s.run_id = :run AND s.yardstick = 'goal'
GROUP BY a.seat, a.name, c.seat, c.name ORDER BY a.seat, c.seat""",
    ),
    Question(
        "whispers",
        "What was said in private, and to whom?",
        "Words are verbatim. Nobody else heard them.",
        """
SELECT round, turn, speaker, heard_by, text FROM conversation
WHERE run = :run AND heard_by <> 'everybody' ORDER BY round, turn, seat, place""",
    ),
    Question(
        "paid_whom",
        "Who paid whom, under which rule?",
        "A missing payer or payee is the outside: money burnt or brought in.",
        """
SELECT t.round, p.name AS payer, q.name AS payee, t.amount, t.rule, t.reason
FROM transfer AS t
LEFT JOIN agent AS p ON p.run_id = t.run_id AND p.seat = t.payer
LEFT JOIN agent AS q ON q.run_id = t.run_id AND q.seat = t.payee
WHERE t.run_id = :run ORDER BY t.round, t.place""",
    ),
    Question(
        "rules",
        "What happened to the rules?",
        "Violations, detections, amendments, overthrows, seizures; `agents` are seats.",
        """
SELECT round, event, rule, agents, amount, detail FROM rule_event
WHERE run_id = :run ORDER BY round, place""",
    ),
    Question(
        "coalitions",
        "Did members of declared coalitions get more than outsiders?",
        "A difference of means within the same rounds; `society coalitions` says what a coalition caused.",
        """
SELECT p.round, c.coalition, c.size,
  AVG(CASE WHEN m.agent IS NOT NULL THEN p.payoff END) AS members_get,
  AVG(CASE WHEN m.agent IS NULL THEN p.payoff END) AS outsiders_get
FROM coalition AS c
JOIN payoff AS p ON p.run_id = c.run_id AND p.round = c.round
LEFT JOIN coalition_member AS m
  ON m.run_id = c.run_id AND m.round = c.round AND m.coalition = c.coalition AND m.agent = p.agent
WHERE c.run_id = :run GROUP BY p.round, c.coalition, c.size ORDER BY p.round, c.coalition""",
    ),
    Question(
        "unreadable",
        "How well did each model keep the form of answers?",
        "`defaulted` answers were never read: what they count as, the scenario says.",
        """
SELECT g.model, a.status, COUNT(*) AS actions FROM action AS a
JOIN agent AS g ON g.run_id = a.run_id AND g.seat = a.agent
GROUP BY g.model, a.status ORDER BY g.model, a.status""",
    ),
    Question(
        "cost",
        "What did each run cost?",
        "Null is not known; `unpriced` answers are not in the sum.",
        """
SELECT run, model, SUM(answered) AS answered, SUM(tokens_in) AS tokens_in, SUM(tokens_out) AS tokens_out,
  SUM(usd) AS usd, SUM(unpriced) AS unpriced
FROM call_cost GROUP BY run, model ORDER BY run, model""",
    ),
    Question(
        "answers",
        "What exactly was answered, and after how many tries?",
        "One row a try; `raw` holds the bytes as they came.",
        """
SELECT c.round, c.stage, c.turn, a.name AS agent, c.attempt, c.issue, c.status, c.finish, c.text, c.error
FROM model_call AS c JOIN agent AS a ON a.run_id = c.run_id AND a.seat = c.agent
WHERE c.run_id = :run ORDER BY c.round, c.issued, c.agent""",
    ),
    Question(
        "prompt",
        "What did an agent read before its first action?",
        "Prompts are stored message by message, each after the one before it, so that equal beginnings are stored once.",
        """
WITH RECURSIVE told(hash, before, place, role, content) AS (
  SELECT p.hash, p.before, p.place, p.role, p.content FROM prompt AS p WHERE p.hash = (
    SELECT c.prompt FROM model_call AS c
    WHERE c.run_id = :run AND c.stage = 'act' ORDER BY c.round, c.agent, c.attempt, c.issue LIMIT 1)
  UNION ALL
  SELECT p.hash, p.before, p.place, p.role, p.content FROM prompt AS p JOIN told AS t ON p.hash = t.before
) SELECT place, role, content FROM told ORDER BY place""",
    ),
    Question(
        "unfinished",
        "Which runs can be gone on with?",
        "`society resume RUN` goes on with one, and pays for no committed answer again.",
        """
SELECT id, scenario, models, seed, status, reason, rounds_played, rounds_planned FROM run
WHERE status IN ('running', 'paused', 'interrupted', 'failed') ORDER BY id""",
    ),
)
"""In the order of a first look."""


def as_page() -> str:
    """All questions as a page in markdown."""
    parts = [
        "# Questions to a log\n",
        "A log is one SQL database; every table and column has a comment, and `intent_outcome` is the view to start with. Each of",
        "these runs as it stands in SQLite and PostgreSQL; `:run` is the id of a run, as `society runs` shows it.\n",
        "```sh",
        'sqlite3 logs/society.db "SELECT scenario, models, status, welfare FROM run_summary"',
        "society db datasette -o datasette.json && datasette -m datasette.json logs/society.db   # all of them, in the browser",
        "```\n",
        'From Python: `society.open_log(URL).sql(question, {"run": id})`.\n',
    ]
    for question in QUESTIONS:
        parts += [f"## {question.asks}\n", f"{question.reading}\n", f"```sql{question.sql};\n```\n"]
    return "\n".join(parts).rstrip() + "\n"
