"""The least that a program with this workload has to do: the same bytes on the wire, and nothing else."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from benchmarks.processes import Stopwatch
from benchmarks.workload import Body, play, read


def aiohttp_loop(calls: str, url: str) -> dict[str, float]:
    """A bare aiohttp session."""
    import aiohttp

    workload, stages = read(calls)
    watch = Stopwatch()

    async def main() -> None:
        connector = aiohttp.TCPConnector(limit=workload.in_flight)
        slots = asyncio.Semaphore(workload.in_flight)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def send(body: Body) -> None:
                async with slots, session.post(f"{url}/chat/completions", json=body) as response:
                    json.loads(await response.read())

            with watch.running():
                await play(workload, stages, send)

    asyncio.run(main())
    return watch.told()


def openai_post(calls: str, url: str) -> dict[str, float]:
    """The openai client on its aiohttp transport, without its transforms: one raw `post` a call."""
    import httpx2
    import openai

    workload, stages = read(calls)
    watch = Stopwatch()

    async def main() -> None:
        limits = httpx2.Limits(max_connections=workload.in_flight, max_keepalive_connections=workload.in_flight)
        http = openai.DefaultAioHttpClient(limits=limits, timeout=None)
        client = openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0, timeout=None, http_client=http)
        slots = asyncio.Semaphore(workload.in_flight)

        async def send(body: Body) -> None:
            async with slots:
                response: Any = await client.post("/chat/completions", cast_to=httpx2.Response, body=body)
            json.loads(response.content)

        async with client:
            with watch.running():
                await play(workload, stages, send)

    asyncio.run(main())
    return watch.told()


def empty_loop(episodes: int, rounds: int, agents: int) -> float:
    """Calls a second of an event loop that asks nobody: the same tasks in the same order, each of which gives way once."""

    async def nothing() -> None:
        await asyncio.sleep(0)

    async def episode() -> None:
        for _ in range(2 * rounds):
            await asyncio.gather(*(nothing() for _ in range(agents)))

    async def main() -> None:
        await asyncio.gather(*(episode() for _ in range(episodes)))

    watch = Stopwatch()
    with watch.running():
        asyncio.run(main())
    return episodes * 2 * rounds * agents / watch.wall
