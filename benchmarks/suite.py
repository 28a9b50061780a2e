"""All benchmarks, by name, in the order in which they are shown."""

from __future__ import annotations

from benchmarks import suite_http, suite_process, suite_rules, suite_runs
from benchmarks.results import Benchmark, Run


def _named(name: str, run: Run) -> Benchmark:
    return Benchmark(name, (run.__doc__ or "").split("\n", maxsplit=1)[0], run)


BENCHMARKS = (
    _named("http", suite_http.hundred),
    _named("thousand", suite_http.thousand),
    _named("log_share", suite_http.log_share),
    _named("mock", suite_process.mock),
    _named("sweep", suite_runs.sweep),
    _named("log", suite_process.log),
    _named("prompts", suite_process.prompts),
    _named("rules", suite_rules.rules),
    _named("decomposition", suite_rules.decomposition),
    _named("coalitions", suite_rules.coalition_values),
    _named("viewer", suite_runs.viewer),
    _named("start", suite_process.start),
    _named("peers", suite_http.peers),
)
