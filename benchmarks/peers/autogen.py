"""AutoGen: an AssistantAgent a seat and episode, all with one client; nothing is logged."""

from __future__ import annotations

import asyncio

from benchmarks.processes import Stopwatch
from benchmarks.workload import MODEL, read


def run(calls: str, url: str) -> dict[str, float]:
    from autogen_agentchat.agents import AssistantAgent
    from autogen_agentchat.messages import TextMessage
    from autogen_core import CancellationToken
    from autogen_core.model_context import BufferedChatCompletionContext
    from autogen_ext.models.openai import OpenAIChatCompletionClient

    workload, stages = read(calls)
    watch = Stopwatch()

    async def main() -> None:
        client = OpenAIChatCompletionClient(
            model=MODEL,
            base_url=url,
            api_key="none",
            max_retries=0,
            model_info={
                **{"vision": False, "function_calling": False, "json_output": True, "structured_output": True},
                "family": "unknown",
            },
        )
        slots = asyncio.Semaphore(workload.in_flight)

        async def episode() -> None:
            agents = [
                AssistantAgent(
                    f"agent_{seat}",
                    client,
                    system_message=body["messages"][0]["content"],
                    model_context=BufferedChatCompletionContext(1),  # every prompt holds its history already
                )
                for seat, body in enumerate(stages[0])
            ]

            async def send(seat: int, words: str) -> None:
                async with slots:
                    await agents[seat].on_messages([TextMessage(content=words, source="game")], CancellationToken())

            for stage in stages:
                await asyncio.gather(*(send(seat, body["messages"][-1]["content"]) for seat, body in enumerate(stage)))

        with watch.running():
            await asyncio.gather(*(episode() for _ in range(workload.episodes)))
        await client.close()

    asyncio.run(main())
    return watch.told()
