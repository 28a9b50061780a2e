"""What the journal holds is not asked again."""

from __future__ import annotations

import dataclasses

from society.core.calls import Journal, ModelClient, ModelRequest, ModelResponse, at_once
from society.core.errors import Paused
from society.models.budget import RunBudget
from society.models.counters import Counters


class Recall:
    """Outermost of the clients: a committed answer costs nothing, but what it did cost counts against the budget."""

    def __init__(
        self, inner: ModelClient, journal: Journal, budget: RunBudget | None, counters: tuple[Counters, ...]
    ) -> None:
        self.inner, self.journal, self.budget, self.counters = inner, journal, budget, counters
        self.at_once = at_once(inner)

    async def complete(self, request: ModelRequest) -> ModelResponse:
        known = self.journal.recall(request)
        if known is None:
            return await self.inner.complete(request)
        for counter in self.counters:
            counter.recalled += 1
        if self.budget is not None:
            self.budget.count(known.usage)
        return known if known.cached else dataclasses.replace(known, cached=True)

    async def close(self) -> None:
        await self.inner.close()


class ReplayOnly:
    """The model called ``replay``: it knows nothing beyond the journal."""

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Always fails: whatever the journal holds was recalled before.

        Raises:
            Paused: naming the position where the log ends.
        """
        at = request.at
        raise Paused(
            f"the log holds no answer for round {at.round}, stage {at.stage}, turn {at.turn}, agent {at.agent}, "
            f"attempt {at.attempt}; resume the run with a model to go on from there"
        )

    async def close(self) -> None:
        """Nothing is held."""
