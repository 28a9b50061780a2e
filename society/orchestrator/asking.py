"""Asking several agents at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TypeVar

from society.core.errors import SocietyError
from society.core.policy import Answer, Policy, Question

T = TypeVar("T")


async def ask(policies: Sequence[Policy], questions: Mapping[int, Question[T]]) -> dict[int, Answer[T]]:
    """Every agent's answer, in seat order, however long each one took.

    When the run has to stop (a spent budget, a refused key), those already asked are heard out first: their answers are
    paid for, and the journal keeps them for the resumed run. Then the error of the lowest seat is raised.

    Raises:
        SocietyError: what stopped the run.
    """
    if len(questions) == 1:
        ((only, question),) = questions.items()
        return {only: await policies[only].answer(question)}

    async def hear(agent: int) -> Answer[T] | SocietyError:
        try:
            return await policies[agent].answer(questions[agent])
        except SocietyError as problem:
            return problem

    async with asyncio.TaskGroup() as group:
        asked = {agent: group.create_task(hear(agent)) for agent in sorted(questions)}
    heard = {agent: task.result() for agent, task in asked.items()}
    answers: dict[int, Answer[T]] = {}
    for agent, result in heard.items():
        if isinstance(result, SocietyError):
            raise result
        answers[agent] = result
    return answers
