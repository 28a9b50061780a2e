"""Asking several agents at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TypeVar

from society.core.calls import at_once
from society.core.errors import SocietyError
from society.core.policy import Answer, Policy, Question

T = TypeVar("T")


async def ask(policies: Sequence[Policy], questions: Mapping[int, Question[T]]) -> dict[int, Answer[T]]:
    """Every agent's answer, in seat order, however long each one took.

    When the run has to stop (a spent budget, a refused key), those already asked are heard out first: their answers are
    paid for, and the journal keeps them for the resumed run. Then the error of the lowest seat is raised. Those who answer at
    once need no tasks of their own.

    Raises:
        SocietyError: what stopped the run.
    """
    seats = sorted(questions)
    soon = all(at_once(policies[agent]) for agent in seats)
    if soon or len(seats) == 1:
        told = {agent: await policies[agent].answer(questions[agent]) for agent in seats}
        if soon:
            await asyncio.sleep(0)  # other episodes go on as well
        return told

    async def hear(agent: int) -> Answer[T] | SocietyError:
        try:
            return await policies[agent].answer(questions[agent])
        except SocietyError as problem:
            return problem

    async with asyncio.TaskGroup() as group:
        asked = {agent: group.create_task(hear(agent)) for agent in seats}
    heard = {agent: task.result() for agent, task in asked.items()}
    answers: dict[int, Answer[T]] = {}
    for agent, result in heard.items():
        if isinstance(result, SocietyError):
            raise result
        answers[agent] = result
    return answers
