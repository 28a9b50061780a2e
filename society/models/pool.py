"""The models of one process: connections, limits and counters are shared by all runs in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from society.core.calls import Journal, ModelClient
from society.models.budget import Budgeted, RunBudget
from society.models.counters import Counted, Counters
from society.models.mock import MockModel
from society.models.names import ModelName, parse_name
from society.models.prices import FREE, Price
from society.models.recall import Recall, ReplayOnly
from society.models.record import Record
from society.models.script import ScriptedModel
from society.models.settings import ProviderSettings


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known of a model without calling it.

    Attributes:
        name: as the user named it; kind: which client answers; base_url: where.
        price: US dollars per million tokens, None while unknown; free models have a price of 0.
        key: which variable holds the key and whether it is set; empty where none is needed.
        notes: one line a person can read.
    """

    name: str
    kind: str
    base_url: str | None
    price: Price | None
    key: str
    notes: str


class ModelPool:
    """Makes the clients of a run; one pool a process.

    Attributes:
        counters: totals over all runs, for a display.
    """

    def __init__(self, settings: ProviderSettings | None = None) -> None:
        self.settings = settings or ProviderSettings.read()
        self.counters = Counters()
        self._providers: dict[str, ModelClient] = {}

    def client(
        self,
        model: str,
        *,
        journal: Journal | None = None,
        budget: RunBudget | None = None,
        counters: Counters | None = None,
    ) -> ModelClient:
        """The whole stack for one model in one run.

        Args:
            model: its name, see `society.models.names`.
            journal: where its calls are committed, and looked up first.
            budget: the run's purse, shared by its models.
            counters: the run's own counters, beside those of the pool.

        Raises:
            BadInput: an unknown name, a missing key or extra, or a budget in US dollars with an unknown price.
        """
        name = parse_name(model)
        price = self.price(name)
        if budget is not None:
            budget.check_price(model, price)
        tallies = (self.counters,) if counters is None else (self.counters, counters)
        client: ModelClient = Counted(self._provider(name), tallies)
        if journal is not None and name.kind != "replay":
            client = Record(client, journal, price)
        if budget is not None:
            client = Budgeted(client, budget, price)
        if journal is not None:
            client = Recall(client, journal, budget, tallies)
        return client

    def price(self, name: ModelName) -> Price | None:
        """What the model costs; None is unknown."""
        return FREE if name.free else self.settings.prices.get(name.text, self.settings.prices.get(name.name))

    def _provider(self, name: ModelName) -> ModelClient:
        if name.text not in self._providers:
            self._providers[name.text] = self._connect(name)
        return self._providers[name.text]

    def _connect(self, name: ModelName) -> ModelClient:
        if name.kind == "mock":
            return MockModel(name.name)
        if name.kind == "script":
            return ScriptedModel.load(Path(name.name))
        if name.kind == "replay":
            return ReplayOnly()
        raise NotImplementedError(name.kind)

    async def close(self) -> None:
        """Close every connection; calling it twice is harmless."""
        while self._providers:
            _, provider = self._providers.popitem()
            await provider.close()
