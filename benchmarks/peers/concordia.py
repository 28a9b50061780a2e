"""Concordia: its GPT language model, which blocks; one thread for each call in flight."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

from benchmarks.processes import Stopwatch
from benchmarks.workload import MODEL, Body, play, read


def run(calls: str, url: str) -> dict[str, float]:
    os.environ["OPENAI_BASE_URL"] = url
    from concordia.language_model.gpt_model import GptLanguageModel

    workload, stages = read(calls)
    watch = Stopwatch()
    model = GptLanguageModel(MODEL, api_key="none")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(workload.in_flight) as threads:

            async def send(body: Body) -> None:
                words = "\n".join(message["content"] for message in body["messages"])
                await loop.run_in_executor(threads, model.sample_text, words)

            with watch.running():
                await play(workload, stages, send)

    asyncio.run(main())
    return watch.told()
