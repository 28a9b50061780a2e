"""Any server that speaks the chat completions protocol, through the openai client.

The client addresses and authenticates the request; its own retries, redirects and parsing are off. One try has one total
deadline, one bound on the size of the body, and its raw bytes are kept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from society.core.calls import ModelRequest, ModelResponse, Usage
from society.core.errors import ProviderRefused
from society.models.bounded_http import Answer
from society.models.clock import Clock
from society.models.dialect import Dialect
from society.models.endpoint import Endpoint, Unreachable
from society.models.envelope import read_completion
from society.models.faults import Declined, RetryLater, Unsupported, Whom, classify
from society.models.prices import Price
from society.models.sizes import likely_usage


class OpenAICompatible:
    """One model at one endpoint.

    Args:
        whom: the model as the user named it and the address, for messages, and the keys to keep out of them.
        name: what the provider calls the model.
        price: for the cost of each answer; None is unknown.
        notice: told once of each strange thing that does not stop a run.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        whom: Whom,
        name: str,
        *,
        price: Price | None,
        clock: Clock,
        notice: Callable[[str], None],
    ) -> None:
        self.endpoint, self.whom, self.name, self.price = endpoint, whom, name, price
        self.dialect = Dialect.of(endpoint.base_url)
        self._clock, self._notice = clock, notice

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """One try, or one more for each parameter the server turns out not to take.

        Raises:
            RetryLater: this try brought nothing; the body that came instead is with it.
            ProviderRefused, Paused: see `society.models.faults`.
        """
        while True:
            dialect = self.dialect
            try:
                return await self._try(request, dialect)
            except Unsupported as problem:
                if self.dialect is dialect:
                    other = dialect.without(problem.parameter)
                    if other is None:
                        raise ProviderRefused(f"{self.whom.where} refuses {problem.parameter}: {problem}") from None
                    self.dialect = other
                    self._notice(f"{self.whom.model} does not take {problem.parameter}; asked without it from now on")

    async def _try(self, request: ModelRequest, dialect: Dialect) -> ModelResponse:
        started = self._clock.now()
        status, headers, raw = await self._post(dialect.body(self.name, request))
        seconds = self._clock.now() - started
        if not 200 <= status < 300:
            fault = classify(status, dict(headers), raw, self.whom, self._clock.wall())
            if isinstance(fault, Declined):
                return ModelResponse("", fault.finish, raw, Usage(), None, fault.detail, seconds)
            raise fault
        try:
            response = read_completion(raw)
        except RetryLater as problem:
            where = self.whom.where
            raise RetryLater(f"{where}: {self.whom.redact(str(problem))}", raw=raw, charged=True) from None
        served = response.served_model
        if served and not _same_model(self.name, served):
            self._notice(f"{self.whom.model}: the server answered as {self.whom.redact(served)!r}")
        return dataclasses.replace(response, usage=self._priced(response, request), seconds=seconds)

    async def _post(self, body: Mapping[str, object]) -> Answer:
        """Whatever HTTP answer there is."""
        where = self.whom.where
        try:
            return await self.endpoint.post(body)
        except TimeoutError:
            late = f"{where} gave no whole answer within {self.endpoint.seconds:g} s"
            raise RetryLater(late, charged=True) from None
        except Unreachable as problem:
            words = f"{where} cannot be reached or broke off ({self.whom.redact(str(problem))})"
            raise RetryLater(words, charged=problem.sent) from None

    def _priced(self, response: ModelResponse, request: ModelRequest) -> Usage:
        usage = response.usage
        if usage.estimated:
            likely = likely_usage(request, response.text)
            usage = Usage(usage.tokens_in or likely.tokens_in, usage.tokens_out or likely.tokens_out, None, None, True)
        usd = None if self.price is None else self.price.of(usage)
        return dataclasses.replace(usage, usd=usd)

    async def close(self) -> None:
        await self.endpoint.close()


def _same_model(asked: str, served: str) -> bool:
    """Providers answer with a dated or shortened form of a name."""
    asked, served = asked.lower().split("/")[-1], served.lower().split("/")[-1]
    return asked.startswith(served) or served.startswith(asked)
