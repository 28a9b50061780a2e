"""A language model that answers as a pure function of the request on the wire, so that runs of it can be compared."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

from society.core.calls import ChatMessage, ModelRequest, Position
from society.models.mock import MockModel

MODEL = MockModel("random")
_IN_WORDS = "JSON Schema of the answer: "


def identity(body: Mapping[str, Any]) -> int:
    """Which question of a run this is: the seed for sampling is a hash of the run's seed and the question's position."""
    return int(body["seed"])


def schema_of(body: Mapping[str, Any]) -> Any:
    """The JSON Schema of the answer, wherever the request has it."""
    asked = body.get("response_format") or {}
    if "json_schema" in asked:
        return asked["json_schema"]["schema"]
    words = body["messages"][-1]["content"]
    return json.loads(words[words.rindex(_IN_WORDS) + len(_IN_WORDS) :])


def good_answer(body: Mapping[str, Any]) -> str:
    """Anything the schema allows, by noise keyed with the question; whoever talks names the question it was asked."""
    here = Position(0, "act", 0, 0)
    told = (ChatMessage("user", str(identity(body))),)
    text, _ = MODEL.answer(ModelRequest(here, "wire", told, schema_of(body)))
    answer = json.loads(text)
    luck = random.Random(identity(body))
    if "messages" in answer and luck.random() < 0.8:
        names = schema_of(body)["properties"]["messages"]["items"]["properties"]["to"]["items"]["enum"]
        answer["messages"] = [{"to": [luck.choice(names)], "text": f"word {identity(body)}"}]
    elif "message" in answer:
        answer["message"] = f"word {identity(body)}"
    return json.dumps(answer)


def envelope(content: Any, finish: str | None = "stop", **more: Any) -> dict[str, Any]:
    """A good body of ``/chat/completions``, or one that differs where the caller says so."""
    message = {"role": "assistant", "content": content, **more.pop("message", {})}
    usage = more.pop("usage", {"prompt_tokens": 300, "completion_tokens": 20})
    choices = more.pop("choices", [{"index": 0, "message": message, "finish_reason": finish}])
    return {"id": "x", "object": "chat.completion", "model": "tiny", "choices": choices, "usage": usage, **more}
