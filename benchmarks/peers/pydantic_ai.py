"""pydantic-ai: an Agent a seat and episode with the seat's system prompt, all with one model."""

from __future__ import annotations

import asyncio

from benchmarks.processes import Stopwatch
from benchmarks.workload import MODEL, Body, read


def run(calls: str, url: str) -> dict[str, float]:
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    workload, stages = read(calls)
    watch = Stopwatch()

    async def main() -> None:
        model = OpenAIChatModel(MODEL, provider=OpenAIProvider(base_url=url, api_key="none"))
        slots = asyncio.Semaphore(workload.in_flight)

        async def episode() -> None:
            agents = [Agent(model, system_prompt=body["messages"][0]["content"], retries=0) for body in stages[0]]

            async def send(seat: int, body: Body) -> None:
                async with slots:
                    await agents[seat].run(body["messages"][-1]["content"])

            for stage in stages:
                await asyncio.gather(*(send(seat, body) for seat, body in enumerate(stage)))

        with watch.running():
            await asyncio.gather(*(episode() for _ in range(workload.episodes)))

    asyncio.run(main())
    return watch.told()
