"""Tables of the journal: what models were asked, what they answered, byte for byte, and at what price."""

from __future__ import annotations

from society.log.schema import Row, big, blob, column, key, number, of_agent, of_run, run_key, words


class Prompt(Row, table=True):
    """One message of a prompt, after the messages before it. Prompts that begin alike share their beginning."""

    __tablename__ = "prompt"
    __table_args__ = of_run("messages of prompts, each stored once after the messages before it", clustered=False)

    hash: str = key("SHA-256 of the JSON list [hash before, role, content]; names the whole prompt up to this message")
    before: str | None = column("the prompt this message continues; null for the first message", refers="prompt.hash")
    place: int = column("messages before this one")
    role: str = column("system, user or assistant")
    content: str = words("the message; NUL and lone surrogates as U+0010 and four hexadecimal digits")


class AnswerSchema(Row, table=True):
    """A JSON Schema that answers were asked to keep."""

    __tablename__ = "answer_schema"
    __table_args__ = of_run("JSON Schemas that answers were asked to keep, each stored once", clustered=False)

    hash: str = key("SHA-256 of the schema's text")
    text: str = words("the schema as canonical JSON")


class ModelCall(Row, table=True):
    """One try of one question to a model."""

    __tablename__ = "model_call"
    __table_args__ = of_agent("the journal: one row for each try of each question to a model", clustered=False)

    run_id: str = run_key()
    round: int = key("round of the question")
    stage: str = key("what was asked for: talk, declare, act, human (asked on behalf of the agent), second, vote ...")
    turn: int = key("turn within the stage")
    agent: int = key("seat of the agent that was asked")
    attempt: int = key("0 for the first question, then one more for each re-ask after an unreadable answer")
    issue: int = key("0 for the first try of this question, then one more for each retry of the same question")
    status: str = column("issued (sent, nothing came back yet), answered or failed")
    request_hash: str = column("SHA-256 of the whole question: position, model, prompt, schema, sampling")
    model: str = column("the model as the user named it")
    served_model: str | None = column("the model the provider says it used; null if it does not say")
    prompt: str | None = column("the whole prompt: its last message, which leads to those before", refers="prompt.hash")
    answer_schema: str | None = column(
        "schema the answer was asked to keep; null for free text", refers="answer_schema.hash"
    )
    sampling: str = column("temperature, top_p, max_tokens, seed, reasoning effort, as canonical JSON")
    finish: str | None = column(
        "why the answer ended: stop, length, refusal, filtered, empty, error, away; null if none came"
    )
    text: str | None = words("the words of the answer")
    raw: bytes | None = blob("the body of the answer as received")
    detail: str | None = words("a refusal's words, an error's message")
    tokens_in: int | None = big("tokens of the prompt; null if unknown")
    tokens_out: int | None = big("tokens of the answer; null if unknown")
    tokens_cached: int | None = big("tokens of the prompt the provider had cached; null if unknown")
    usd: float | None = number("cost in US dollars; null if unknown")
    estimated: bool | None = column(
        "the tokens or the cost are our estimate, since the provider's made no sense; of a failed try: it may be charged for all the same"
    )
    reserved_usd: float | None = number("upper bound of the cost, set aside before sending; null if unknown")
    cached: bool | None = column("answered from the response cache, without a call")
    seconds: float | None = number("time on the wire")
    issued: str = column("when it was sent (UTC, ISO 8601)")
    ended: str | None = column("when the answer or the failure came (UTC, ISO 8601)")
    error: str | None = words("why this try failed")
    digest: str = column("SHA-256 over the other columns of this row, see the seal of the run")


class Price(Row, table=True):
    """What a model of a run cost while it was asked, as the operator's price table said."""

    __tablename__ = "price"
    __table_args__ = of_run("prices the models of a run were charged at, in US dollars per million tokens")

    run_id: str = run_key()
    model: str = key("the model as the user named it")
    since: str = key("from when on the run was charged so (UTC, ISO 8601); a resumed run may meet another price")
    input: float = number("per million tokens of prompts")
    output: float = number("per million tokens of answers")
    cached: float | None = number("per million tokens of prompts the provider had cached; null: as input")
    as_of: str | None = column("day on which the price was looked up (ISO 8601); null if the price table does not say")
