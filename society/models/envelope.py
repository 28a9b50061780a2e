"""What a server sent, read by one pure function.

The words of a model are not judged here, only the envelope they came in. An envelope that cannot be an answer (no JSON, no
choices, an error inside) raises `RetryLater`; everything else is an answer with its way of ending:

    stop       a whole answer
    length     cut off, by the limit on its length or for a reason this program does not know: "1" may have been "10"
    refusal    the model declined, in a field of its own
    filtered   the provider's filter stopped it
    empty      no visible character
    error      the content is neither text nor a list of text parts

Content given as a list of parts is the concatenation of its text parts. Of several choices the one with the lowest index
counts. Tool calls and the role the server claims are ignored. Token counts that are missing or cannot be true are None and
marked `estimated`.
"""

from __future__ import annotations

import json
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any, NoReturn

from society.core.calls import Finish, ModelRequest, ModelResponse, Usage
from society.models.faults import RetryLater

MOST_TOKENS = 100_000_000
"""No call uses more; a larger count is an error of the server."""

_WHOLE = frozenset(
    {"stop", "eos", "eos_token", "end_turn", "stop_sequence", "complete", "completed", "done", "tool_calls", "tool_use",
     "function_call"}
)  # fmt: skip
"""How servers say that an answer is whole; whatever else they say, its end may be missing."""
_FILTERED = frozenset(
    {"content_filter", "safety", "blocklist", "prohibited_content", "sensitive", "recitation", "language", "spii",
     "image_safety", "error_toxic"}
)  # fmt: skip
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Printable by class, invisible by glyph."""


def read_completion(body: bytes) -> ModelResponse:
    """The answer in a body of ``/chat/completions``.

    Raises:
        RetryLater: the body is no answer; it carries the body.
    """
    shape = _strict(body)
    if not isinstance(shape, dict):
        raise RetryLater(f"the answer is no JSON object but a {type(shape).__name__}", raw=body)
    if shape.get("error"):
        raise RetryLater(f"the answer is an error: {str(shape['error'])[:200]!r}", raw=body)
    choice = _first_choice(shape.get("choices"), body)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise RetryLater("the answer has a choice without a message", raw=body)
    reason = _reason(choice.get("finish_reason"))
    if reason == "error":
        raise RetryLater("the answer ended with an error", raw=body)
    text, refusal, problem = _content(message)
    finish: Finish = "stop"
    if refusal or reason == "refusal":
        finish = "refusal"
    elif reason in _FILTERED:
        finish = "filtered"
    elif reason not in _WHOLE:
        finish = "length"
    elif problem:
        finish = "error"
    elif not visible(text):
        finish = "empty"
    served = shape.get("model")
    return ModelResponse(
        text=text if finish in {"stop", "length"} else "",
        finish=finish,
        raw=body,
        usage=_usage(shape.get("usage"), text),
        served_model=_encodable(served[:200]) if isinstance(served, str) else None,
        detail=refusal or (text if finish == "refusal" else problem),
    )


def enveloped(
    request: ModelRequest, text: str, finish: Finish = "stop", *, tokens: tuple[int, int] | None = None
) -> ModelResponse:
    """The answer of somebody without a server in the bytes a server would have sent, and as those bytes read.

    `tokens` are those of the prompt and of the answer; by default one for every four characters.
    """
    if tokens is None:
        tokens = sum([len(message.content) for message in request.messages]) // 4 + 1, len(text) // 4 + 1
    tokens_in, tokens_out = tokens
    usage = Usage(tokens_in, tokens_out, None, 0.0)
    before, after = _around(request.model, finish)
    used = f'"usage":{{"prompt_tokens":{tokens_in},"completion_tokens":{tokens_out}}}}}'
    raw = f"{before}{encode_basestring_ascii(text)}{after}{used}".encode()
    if finish == "stop" and not visible(text):
        finish = "empty"
    words = text if finish in {"stop", "length"} else ""
    return ModelResponse(words, finish, raw, usage, request.model, "" if finish != "refusal" else text)


@lru_cache(maxsize=64)
def _around(model: str, finish: Finish) -> tuple[str, str]:
    """What stands in a body before and after the words, up to the usage."""
    content, reason = '"content":', {"filtered": "content_filter", "length": "length"}.get(finish, "stop")
    if finish == "refusal":
        content = '"content":null,"refusal":'
    head = f'{{"object":"chat.completion","model":{json.dumps(model)},"choices":[{{"index":0,"message":'
    return f'{head}{{"role":"assistant",{content}', f'}},"finish_reason":"{reason}"}}],'


def _reason(told: Any) -> str:  # Any: whatever the server sent
    """Why the answer ended; a server that does not say has come to the end."""
    if told is None or told == "":
        return "stop"
    return told.strip().lower() if isinstance(told, str) else "unknown"


def visible(text: str) -> bool:
    """Whether a reader would see anything."""
    return any(char.isprintable() and not char.isspace() and char not in _BLANK for char in text)


def _strict(body: bytes) -> Any:  # Any: whatever the server sent
    """JSON as the standard has it: UTF-8, no NaN, no duplicate key, bounded depth and digits."""
    try:
        return _STRICT.decode(body.decode("utf-8"))
    except RecursionError:
        raise RetryLater("the answer is nested too deeply", raw=body) from None
    except ValueError as problem:
        raise RetryLater(f"the answer is not JSON: {str(problem)[:120]}", raw=body) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_number)


def _first_choice(choices: Any, body: bytes) -> dict[str, Any]:
    found = [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
    if not found:
        raise RetryLater("the answer holds no choice", raw=body)
    indexed = [c for c in found if isinstance(c.get("index"), int) and not isinstance(c["index"], bool)]
    return min(indexed, key=lambda choice: int(choice["index"])) if indexed else found[0]


def _content(message: dict[str, Any]) -> tuple[str, str, str]:
    """The text, the words of a refusal, and what is wrong with the content."""
    content, refusal = message.get("content"), message.get("refusal")
    refused = _encodable(refusal) if isinstance(refusal, str) else ""
    if content is None:
        return "", refused, ""
    if isinstance(content, str):
        return _encodable(content), refused, ""
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        texts = [part.get("text") for part in content if part.get("type") in {"text", "output_text"}]
        refused = refused or "".join(str(part.get("refusal", "")) for part in content if part.get("type") == "refusal")
        if all(isinstance(text, str) for text in texts) and (texts or refused or not content):
            return _encodable("".join(texts)), _encodable(refused), ""
    return "", refused, f"the content of the answer is a {type(content).__name__}, not text"


def _encodable(text: str) -> str:
    """The text with half surrogate pairs replaced, which no database and no file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _usage(usage: Any, text: str) -> Usage:
    fields = usage if isinstance(usage, dict) else {}
    tokens_in = _count(fields.get("prompt_tokens"), least=1)
    tokens_out = _count(fields.get("completion_tokens"), least=1 if text else 0)
    details = fields.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else None
    if cached is not None and (tokens_in is None or cached > tokens_in):
        cached = None
    return Usage(tokens_in, tokens_out, cached, None, tokens_in is None or tokens_out is None)


def _count(value: Any, least: int = 0) -> int | None:
    """A number of tokens that can be true."""
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= MOST_TOKENS:
        return value
    return None
