"""mesa-llm: a ModuleLLM a seat and episode, asked through litellm as its agents do."""

from __future__ import annotations

import asyncio
import os

from benchmarks.processes import Stopwatch
from benchmarks.workload import MODEL, Body, read


def run(calls: str, url: str) -> dict[str, float]:
    os.environ["OPENAI_API_BASE"] = url
    from mesa_llm.module_llm import ModuleLLM

    workload, stages = read(calls)
    watch = Stopwatch()

    async def main() -> None:
        slots = asyncio.Semaphore(workload.in_flight)

        async def episode() -> None:
            seats = [
                ModuleLLM(f"openai/{MODEL}", api_base=url, system_prompt=body["messages"][0]["content"])
                for body in stages[0]
            ]

            async def send(seat: int, body: Body) -> None:
                async with slots:
                    await seats[seat].agenerate(body["messages"][-1]["content"])

            for stage in stages:
                await asyncio.gather(*(send(seat, body) for seat, body in enumerate(stage)))

        with watch.running():
            await asyncio.gather(*(episode() for _ in range(workload.episodes)))

    asyncio.run(main())
    return watch.told()
