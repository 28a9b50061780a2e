"""Inspect: an eval of one sample an episode, whose solver asks the model for every agent; its log is on, as it comes."""

from __future__ import annotations

import asyncio
import os
import tempfile

from benchmarks.processes import Stopwatch
from benchmarks.workload import MODEL, read


def run(calls: str, url: str) -> dict[str, float]:
    os.environ["INSPECT_DISPLAY"] = "none"
    from inspect_ai import Task, eval_async
    from inspect_ai.dataset import Sample
    from inspect_ai.model import ChatMessageSystem, ChatMessageUser, GenerateConfig, get_model
    from inspect_ai.solver import Generate, TaskState, solver

    workload, stages = read(calls)
    kinds = {"system": ChatMessageSystem, "user": ChatMessageUser}
    watch = Stopwatch()

    @solver
    def episode():  # type: ignore[no-untyped-def]  # as its decorator wants it
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            model = get_model()
            for stage in stages:
                await asyncio.gather(
                    *(
                        model.generate([kinds[m["role"]](content=m["content"]) for m in body["messages"]])
                        for body in stage
                    )
                )
            return state

        return solve

    async def main(folder: str) -> None:
        config = GenerateConfig(max_connections=workload.in_flight, max_retries=0)
        model = get_model(f"openai/{MODEL}", base_url=url, api_key="none", config=config, responses_api=False)
        task = Task(dataset=[Sample(input="play") for _ in range(workload.episodes)], solver=episode())
        with watch.running():
            await eval_async(task, model=model, log_dir=folder, max_samples=workload.episodes)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(folder))
    return watch.told()
