"""A language model decides: render, ask, read, and ask once more with the error quoted.

An unreadable answer is never turned into an action: the value is then None, the status says why, and the scenario says what
that counts as.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar, cast

from society.agents.briefing import Brief
from society.agents.extracting import find, refuses, visible
from society.agents.forms import Form, form_of
from society.agents.hints import Hints, Standard
from society.agents.prompting import Prompts
from society.agents.questions import Questions, transcript_of
from society.agents.stated import Reading
from society.agents.transcript import Transcript, inert
from society.agents.window import Window, tokens_in
from society.core.calls import ChatMessage, ModelClient, ModelRequest, ModelResponse, Sampling, at_once
from society.core.errors import OutOfRange, Unreadable
from society.core.moves import Offer
from society.core.policy import Answer, ParseStatus, Question, Speak
from society.core.seeds import Noise

T = TypeVar("T")

QUESTION_TOKENS = 250
"""Room left for the question when the history is cut."""
MOST_ERROR = 300
_SEED_BITS = 31


class LlmPolicy:
    """An agent whose answers come from a language model.

    Args:
        client: where questions go.
        model: the model as the user named it.
        brief: what the seat knows from the start.
        prompts: the templates.
        sampling: temperature and the like; its seed is set for each call from `seed`.
        attempts: how often a question is asked in all.
        context_tokens: longest prompt, as this package estimates tokens.
        seed: the seed of the run; each call's sampling seed follows from it and the position. None sends none.
        standard: what the rules call fair, worked out once for all seats; by default this seat's own.
        transcript: renders the agent's record; that of another run of the same brief will do, and has looked at the words already.
    """

    def __init__(
        self,
        client: ModelClient,
        model: str,
        brief: Brief,
        prompts: Prompts,
        *,
        sampling: Sampling,
        attempts: int = 2,
        context_tokens: int = 6000,
        seed: int | None = None,
        standard: Standard | None = None,
        transcript: Transcript | None = None,
    ) -> None:
        self.client, self.model, self.brief, self.prompts = client, model, brief, prompts
        self.at_once = at_once(client)
        self.sampling, self.attempts, self.context_tokens, self.seed = sampling, attempts, context_tokens, seed
        self._standard = standard or Standard(brief.game)
        transcript = transcript or transcript_of(brief, prompts)
        self._questions = Questions(brief, prompts, transcript)
        room = context_tokens - tokens_in(brief.system) - QUESTION_TOKENS
        self._window = Window(transcript, max(room, QUESTION_TOKENS))

    async def answer(self, question: Question[T]) -> Answer[T]:
        """Answer one typed question.

        Raises:
            SocietyError: what stops the whole run: a refused key, a spent budget.
        """
        status: ParseStatus = "defaulted"
        errors: list[str] = []
        text = ""
        form, hints = form_of(question), Hints(question.seen, self._standard, self.brief.goal, _offers(question))
        for attempt in range(self.attempts):
            last = attempt == self.attempts - 1
            request = self._request(question, form, hints, attempt, errors[-1] if errors else "")
            response = await self.client.complete(request)
            text = response.text or response.detail
            failure = _no_answer(response)
            if failure is not None:
                status, reason = failure
                errors.append(reason)
                if response.finish == "away":
                    return Answer(None, status, text=text, error="; ".join(errors), attempts=attempt + 1)
                if response.finish == "error" and "context" in response.detail.casefold():
                    self._window.halve()
                continue
            try:
                reading = form.reading(response.text, question, last)
            except OutOfRange as problem:
                status = "defaulted"
                errors.append(_clip(str(problem)))
                if last and isinstance(problem.nearest, Reading):
                    stands = cast("Reading[T]", problem.nearest)
                    return self._done(stands, "out_of_range", text, errors, attempt)
            except Unreadable as problem:
                status = "refused" if _is_refusal(response.text) else "defaulted"
                errors.append(_clip(str(problem)))
            else:
                return self._done(reading, "retried" if attempt else "ok", text, errors, attempt)
        return Answer(None, status, text=text, error="; ".join(errors), attempts=self.attempts)

    def _done(self, reading: Reading[T], status: ParseStatus, text: str, errors: list[str], attempt: int) -> Answer[T]:
        if status == "ok" and reading.mended:
            status = "repaired"
        faults = [*errors, _clip(reading.outside)] if reading.outside and status != "out_of_range" else errors
        return Answer(reading.value, status, reading.submitted, text, "; ".join(faults), attempt + 1)

    def _request(self, question: Question[Any], form: Form, hints: Hints, attempt: int, error: str) -> ModelRequest:
        asked = self._questions.text(question, form)
        if error:
            asked += "\n\n" + self.prompts.render("repair.j2", {**self.brief.words, "error": error})
        history = self._window.text(question.seen.history)
        fixed = tokens_in(self.brief.system) + tokens_in(asked)
        while fixed + tokens_in(history) > self.context_tokens and self._window.halve():
            history = self._window.text(question.seen.history)
        at = replace(question.at, attempt=attempt) if attempt else question.at
        sampling = self.sampling
        if self.seed is not None:
            lot = Noise(self.seed, at.round).bits("sampling", (at.stage, at.turn, at.agent, attempt))
            sampling = sampling.seeded(lot >> (64 - _SEED_BITS))
        return ModelRequest(
            at=at,
            model=self.model,
            messages=(
                ChatMessage("system", self.brief.system),
                ChatMessage("user", f"{history}\n\n{asked}", self._window.stem)
                if history
                else ChatMessage("user", asked),
            ),
            schema=form.schema,
            schema_name=type(question).__name__.lower(),
            sampling=sampling,
            hints=hints,
        )


def _offers(question: Question[Any]) -> tuple[Offer, ...]:
    return question.offers if isinstance(question, Speak) else ()


def _no_answer(response: ModelResponse) -> tuple[ParseStatus, str] | None:
    """Why there is nothing to read, or None when there is."""
    if response.finish == "length":
        return "truncated", "the answer was cut off before its end; be shorter"
    if response.finish in ("refusal", "filtered"):
        return "refused", f"no answer was given ({response.finish})"
    if response.finish == "away":
        return "empty", _clip(response.detail)
    if response.finish == "error":
        return "defaulted", _clip(f"no answer came: {response.detail}")
    if response.finish == "empty" or not visible(response.text):
        return "empty", "the answer was empty"
    return None


def _is_refusal(text: str) -> bool:
    try:
        found = find(text)
    except Unreadable:
        return False
    return not found.candidates and refuses(found.prose)


def _clip(text: str) -> str:
    return inert(text)[:MOST_ERROR]
