"""What two episodes were set to, field by field, and where they differ."""

from __future__ import annotations

from itertools import zip_longest

from society.core.exact import Json
from society.core.instrument import Instrument
from society.episode import Episode


def differences(first: Episode, second: Episode) -> list[tuple[str, str, str]]:
    """Where the two scenarios differ: field, and its value in both; a rule that one lacks is one line."""
    scenarios = [episode.scenario.model_dump(mode="json", exclude={"instruments"}) for episode in (first, second)]
    sides = [leaves("", scenario) for scenario in scenarios]
    sides[0] |= {"seed": str(first.seed), "models": ", ".join(first.models)}
    sides[1] |= {"seed": str(second.seed), "models": ", ".join(second.models)}
    rules = zip_longest(first.scenario.instruments, second.scenario.instruments)
    for place, pair in enumerate(rules):
        same_kind = all(pair) and pair[0].kind == pair[1].kind
        for side, rule in zip(sides, pair, strict=True):
            path = f"instruments[{place}]"
            if same_kind:
                side.update(leaves(path, rule.model_dump(mode="json")))
            elif rule is not None:
                side[path] = rule_words(rule)
    fields = list(dict.fromkeys([*sides[0], *sides[1]]))
    return [(f, sides[0].get(f, "–"), sides[1].get(f, "–")) for f in fields if sides[0].get(f) != sides[1].get(f)]


def rule_words(rule: Instrument) -> str:
    """An instrument with what is not as usual: ``quota: amount 10, enforcement soft``."""
    given = rule.model_dump(mode="json", exclude_defaults=True, exclude={"kind"})
    told = ", ".join(f"{field.replace('_', ' ')} {value}" for field, value in given.items())
    return rule.kind.replace("_", " ") + (f": {told}" if told else "")


def leaves(path: str, value: Json) -> dict[str, str]:
    """Every single value within a value, by its path."""
    if isinstance(value, dict):
        within = [leaves(f"{path}.{key}" if path else str(key), one) for key, one in value.items()]
    elif isinstance(value, list):
        within = [leaves(f"{path}[{place}]", one) for place, one in enumerate(value)]
    else:
        return {path: str(value)}
    return {field: leaf for part in within for field, leaf in part.items()}
