"""The models of one process: connections, limits and counters are shared by all runs in it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from society.core.calls import Journal, ModelClient
from society.core.errors import ProviderRefused
from society.models.budget import Budgeted, Purse, RunBudget
from society.models.cache import Cache
from society.models.clock import Clock, RealClock
from society.models.counters import Counted, Counters
from society.models.dialect import is_own_network
from society.models.faults import Whom
from society.models.first import FirstAlone, Trial
from society.models.mock import MockModel
from society.models.names import ModelName, checked_address, parse_name
from society.models.person import Person
from society.models.prices import FREE, Price
from society.models.recall import Recall, ReplayOnly
from society.models.record import Record
from society.models.retry import Retry
from society.models.script import ScriptedModel
from society.models.settings import ProviderSettings
from society.models.throttle import Gate, Throttle, Throttled, throttle_of

if TYPE_CHECKING:
    from society.models.endpoint import Endpoint

OPENAI = "https://api.openai.com/v1"

_ABOUT = {
    "local": "runs inside this process; small, and there to be real rather than wise",
    "mock": "deterministic and offline",
    "script": "answers from a file",
    "openai": "a hosted model",
    "url": "a server that speaks the chat completions protocol",
    "person": "whoever sits at the terminal, and is asked as a model is",
    "replay": "the answers a log holds already",
}


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

    Args:
        settings: addresses, keys and limits; by default those in force (see `ProviderSettings.read`).
        purse: what all runs together may spend, if that is bounded.
        gates: makes the gate of a provider and key, by a name that tells them apart and holds no secret; by default one of
            this process, with the limits of the settings.
        clock: what tells the time and waits; jitter: numbers in [0, 1) for the length of waits. Tests give their own.

    Attributes:
        counters: totals over all runs, for a display.
        notices: strange things that stopped nothing (another model served, a parameter refused), each once, in order.
    """

    def __init__(
        self,
        settings: ProviderSettings | None = None,
        *,
        purse: Purse | None = None,
        gates: Callable[[str], Gate] | None = None,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.settings = settings or ProviderSettings.read()
        self.purse = purse
        self._new_gate = gates or self._throttle
        self.counters = Counters()
        self.notices: dict[str, None] = {}
        self._clock: Clock = clock or RealClock()
        self._jitter = jitter
        self._providers: dict[str, ModelClient] = {}
        self._endpoints: dict[tuple[str, str | None], Endpoint] = {}
        self._trials: dict[str, Trial] = {}
        self._gates: dict[str, Gate] = {}

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
        purses: list[Purse] = [purse for purse in (budget, self.purse) if purse is not None]
        for purse in purses:
            purse.check_price(model, price)
        tallies = (self.counters,) if counters is None else (self.counters, counters)
        client: ModelClient = Counted(self._provider(name), tallies)
        if journal is not None and name.kind != "replay":
            client = Record(client, journal, price)
        gate = self._gate(name) if name.kind in {"openai", "url"} else None
        if gate is not None:
            client = Throttled(client, gate, tallies)
        for purse in purses:
            client = Budgeted(client, purse, price)
        if gate is not None:
            client = Retry(
                client,
                max_tries=self.settings.max_tries,
                seconds=self.settings.retry_seconds,
                throttle=gate,
                clock=self._clock,
                jitter=self._jitter,
                counters=tallies,
            )
            client = FirstAlone(client, self._trials.setdefault(name.text, Trial()))
        if self.settings.cache is not None and name.kind in {"openai", "url", "local"}:
            client = Cache(client, self.settings.cache, journal, tallies)
        if journal is not None:
            client = Recall(client, journal, budget, tallies)
        return client

    def price(self, name: ModelName) -> Price | None:
        """What the model costs; None is unknown."""
        return FREE if name.free else self.settings.prices.get(name.text, self.settings.prices.get(name.name))

    def describe(self, model: str) -> ModelCard:
        """What is known of a model without calling it."""
        name = parse_name(model)
        base_url = self._base_url(name)
        variable = {"openai": "OPENAI_API_KEY", "url": "SOCIETY_API_KEY"}.get(name.kind, "")
        key = f"{variable} is {'set' if self._key(name) else 'not set'}" if variable else ""
        return ModelCard(name.text, name.kind, base_url, self.price(name), key, _ABOUT[name.kind])

    def _provider(self, name: ModelName) -> ModelClient:
        if name.text not in self._providers:
            self._providers[name.text] = self._connect(name)
        return self._providers[name.text]

    def _connect(self, name: ModelName) -> ModelClient:
        if name.kind == "mock":
            return MockModel(name.name)
        if name.kind == "script":
            return ScriptedModel.load(Path(name.name))
        if name.kind == "person":
            return Person(float(name.name) if name.name else None)
        if name.kind == "replay":
            return ReplayOnly()
        if name.kind == "local":
            from society.models.local import LocalModel

            return LocalModel.find(name.name, self.settings)
        return self._remote(name)

    def _remote(self, name: ModelName) -> ModelClient:
        from society.models.endpoint import Endpoint
        from society.models.openai_compatible import OpenAICompatible

        base_url, key = self._base_url(name), self._key(name)
        assert base_url is not None, "only remote models come here"
        if key is None and name.kind == "openai" and not is_own_network(base_url):
            raise ProviderRefused(f"{name.text} needs a key: set OPENAI_API_KEY in the environment or in .env")
        if (base_url, key) not in self._endpoints:
            self._endpoints[base_url, key] = Endpoint(
                base_url,
                key,
                seconds=self.settings.call_seconds,
                most_bytes=self.settings.max_body_bytes,
                connections=self.settings.concurrency,
            )
        whom = Whom(name.text, base_url, self.settings.secrets)
        return OpenAICompatible(
            self._endpoints[base_url, key],
            whom,
            name.name,
            price=self.price(name),
            clock=self._clock,
            notice=self._notice,
        )

    def _gate(self, name: ModelName) -> Gate:
        """The gate of a provider and key: its models share it, whichever run they belong to."""
        place = f"{self._base_url(name) or ''} {sha256((self._key(name) or '').encode()).hexdigest()[:16]}"
        if place not in self._gates:
            self._gates[place] = self._new_gate(place)
        return self._gates[place]

    def _throttle(self, _: str) -> Throttle:
        return throttle_of(self.settings, self._clock)

    def _base_url(self, name: ModelName) -> str | None:
        if name.kind == "openai":
            return checked_address(self.settings.openai_base_url or OPENAI, name.name, name.text)
        return name.base_url

    def _key(self, name: ModelName) -> str | None:
        """The key for a model: one that was set for its address, and no other address ever sees it."""
        secret = self.settings.openai_api_key if name.kind == "openai" else self.settings.api_key
        if (
            name.kind == "url"
            and secret is None
            and name.base_url == (self.settings.openai_base_url or OPENAI).rstrip("/")
        ):
            secret = self.settings.openai_api_key
        return secret.get_secret_value() if secret is not None and secret.get_secret_value() else None

    def _notice(self, words: str) -> None:
        self.notices.setdefault(words, None)

    async def close(self) -> None:
        """Close every connection; calling it twice is harmless."""
        while self._providers:
            _, provider = self._providers.popitem()
            await provider.close()
        self._endpoints.clear()
