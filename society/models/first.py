"""The first call to a model goes alone: a wrong key or name costs one request, however many agents were about to ask.

Who asks meanwhile waits for it, and shares its fate if it stops the run. Once a model has answered, nobody waits any more.
"""

from __future__ import annotations

import asyncio

from society.core.calls import ModelClient, ModelRequest, ModelResponse
from society.core.errors import SocietyError


class Trial:
    """Whether a model has answered yet; shared by all its clients in this process."""

    def __init__(self) -> None:
        self.proved = False
        self.running: asyncio.Future[None] | None = None


class FirstAlone:
    """A client that holds calls back until one has been answered."""

    def __init__(self, inner: ModelClient, trial: Trial) -> None:
        self.inner, self.trial = inner, trial

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer the question, after the first one has been answered.

        Raises:
            SocietyError: what stopped this call, or the first one while this waited for it.
        """
        while not self.trial.proved:
            if self.trial.running is None:
                return await self._first(request)
            await asyncio.shield(self.trial.running)
        return await self.inner.complete(request)

    async def _first(self, request: ModelRequest) -> ModelResponse:
        running = self.trial.running = asyncio.get_running_loop().create_future()
        try:
            response = await self.inner.complete(request)
            self.trial.proved = True
            return response
        except SocietyError as problem:
            running.set_exception(problem)
            running.exception()  # nobody may have waited for it
            raise
        finally:
            self.trial.running = None
            if not running.done():
                running.set_result(None)

    async def close(self) -> None:
        await self.inner.close()
