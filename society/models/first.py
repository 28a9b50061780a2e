"""The first call to a model goes alone: a wrong key or name costs one request, however many agents were about to ask.

Who asks meanwhile waits for it, and shares its fate if it stops the run. Once a model has answered, nobody waits any more.
"""

from __future__ import annotations

import asyncio

from society.core.calls import ModelClient, ModelRequest, ModelResponse
from society.core.errors import SocietyError


class Trial:
    """Whether a model has answered yet; shared by all its clients in this process.

    Those who wait go on one after the other, in the order in which they came: were they all let go at once, the last of their
    questions would be worded before the first is sent, and so in every round that follows.
    """

    def __init__(self) -> None:
        self.proved = False
        self.turn = asyncio.Lock()
        self.stops: list[SocietyError] = []


class FirstAlone:
    """A client that holds calls back until one has been answered."""

    def __init__(self, inner: ModelClient, trial: Trial) -> None:
        self.inner, self.trial = inner, trial

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer the question, after the first one has been answered.

        Raises:
            SocietyError: what stopped this call, or the first one while this waited for it.
        """
        trial = self.trial
        if not trial.proved:
            known = len(trial.stops)
            async with trial.turn:
                if len(trial.stops) > known:
                    raise trial.stops[known]
                if not trial.proved:
                    return await self._first(request)
        return await self.inner.complete(request)

    async def _first(self, request: ModelRequest) -> ModelResponse:
        try:
            response = await self.inner.complete(request)
        except SocietyError as problem:
            self.trial.stops.append(problem)
            raise
        self.trial.proved = True
        return response

    async def close(self) -> None:
        await self.inner.close()
