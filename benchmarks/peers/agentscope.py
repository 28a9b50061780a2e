"""AgentScope: one chat model for all, asked with the messages of each call."""

from __future__ import annotations

import asyncio

from benchmarks.processes import Stopwatch
from benchmarks.workload import MODEL, Body, play, read


def run(calls: str, url: str) -> dict[str, float]:
    from agentscope.credential import OpenAICredential
    from agentscope.message import SystemMsg, UserMsg
    from agentscope.model import OpenAIChatModel

    workload, stages = read(calls)
    watch = Stopwatch()

    async def main() -> None:
        credential = OpenAICredential(api_key="none", base_url=url)
        model = OpenAIChatModel(credential, MODEL, stream=False, max_retries=0)
        slots = asyncio.Semaphore(workload.in_flight)

        async def send(body: Body) -> None:
            system, user = body["messages"]
            async with slots:
                await model([SystemMsg("system", system["content"]), UserMsg("game", user["content"])])

        with watch.running():
            await play(workload, stages, send)

    asyncio.run(main())
    return watch.told()
