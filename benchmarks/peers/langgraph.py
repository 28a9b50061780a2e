"""LangGraph: a graph with one node that asks all agents of a stage and leads back to itself, with SQLite checkpoints."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.processes import Stopwatch
from benchmarks.workload import MODEL, read


def run(calls: str, url: str) -> dict[str, float]:
    from langchain_openai import ChatOpenAI
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
    from langgraph.graph import END, START, StateGraph

    workload, stages = read(calls)
    watch = Stopwatch()

    async def main(folder: Path) -> None:
        model = ChatOpenAI(model=MODEL, base_url=url, api_key="none", max_retries=0)
        slots = asyncio.Semaphore(workload.in_flight)

        async def send(body: Any) -> str:
            async with slots:
                answer = await model.ainvoke([(m["role"], m["content"]) for m in body["messages"]])
            return str(answer.content)

        async def stage(state: dict[str, Any]) -> dict[str, Any]:
            answers = await asyncio.gather(*(send(body) for body in stages[state["at"]]))
            return {"at": state["at"] + 1, "answers": answers}

        graph = StateGraph(dict)
        graph.add_node("stage", stage)
        graph.add_edge(START, "stage")
        graph.add_conditional_edges("stage", lambda state: END if state["at"] == len(stages) else "stage")
        async with AsyncSqliteSaver.from_conn_string(str(folder / "checkpoints.db")) as saver:
            app = graph.compile(checkpointer=saver)
            with watch.running():
                await asyncio.gather(
                    *(
                        app.ainvoke(
                            {"at": 0, "answers": []},
                            {"configurable": {"thread_id": str(number)}, "recursion_limit": len(stages) + 5},
                        )
                        for number in range(workload.episodes)
                    )
                )

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(Path(folder)))
    return watch.told()
