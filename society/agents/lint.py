"""Faults of templates, found before the first question: names and fields that do not exist, in every branch.

What a template may name is written down here once. Fields of facts depend on the state and are checked when they are used.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from society.agents.prompting import Prompts, TemplateFault
from society.core.errors import did_you_mean
from society.scenario.model import Scenario, Theme

EVERYWHERE = frozenset(
    {"theme", "me", "names", "n", "others", "role", "rounds", "talk", "declare", "act_stage", "rules"}
)
_QUESTION = frozenset({"round", "situation", "news", "gone", "turn", "shape"})
OWN = {
    "system.j2": frozenset({"persona", "goal_text", "rules_text", "instrument_texts"}),
    "human.j2": frozenset({"persona", "goal_text", "rules_text", "instrument_texts"}),
    "talk.j2": _QUESTION | {"private", "public", "most_characters", "turns", "announce"},
    "declare.j2": _QUESTION | {"predict", "totals"},
    "act.j2": _QUESTION | {"earlier", "choices"},
    "decide.j2": _QUESTION | {"about", "parts", "purpose", "so_far"},
    "repair.j2": frozenset({"error"}),
    "history.j2": frozenset(
        {
            *("round", "turn", "mine", "speaker", "to", "text"),
            *(
                "announced",
                "intended",
                "predicted",
                "predicted_total",
                "distribution",
                "forecast",
                "desired",
                "objective",
            ),
            *("agents", "told", "transfers", "rule_events", "first", "last"),
        }
    ),
    "goals": frozenset({"goal", "parts"}),
    "mechanisms": frozenset({"facts", "round"}),
    "instruments": frozenset({"rule", "round"}),
}
"""What each template is given besides `EVERYWHERE`, by its name or its folder."""


def check_templates(scenario: Scenario, prompts: Prompts, used: Iterable[str]) -> None:
    """Check the templates of a scenario, in all their branches.

    Raises:
        TemplateFault: a template is not there, does what templates must not do, or names what it is never given.
    """
    for name in used:
        check_names(prompts, name)
        kind = scenario.mechanism.kind
        if name == f"mechanisms/{kind}.j2":
            _check(prompts.fields_used(name, "rules"), type(scenario.mechanism).model_fields, name, "rules.")
    for spec in scenario.agents:
        name = f"goals/{spec.goal.kind}.j2"
        _check(prompts.fields_used(name, "goal"), type(spec.goal).model_fields, name, "goal.")


@lru_cache(maxsize=1024)
def check_names(prompts: Prompts, name: str) -> None:
    """Check one template, whatever scenario it is used in; raises as `check_templates` does. One that passed is not looked at again."""
    prompts.blocks(name)
    known = EVERYWHERE | OWN.get(name, OWN.get(name.split("/", 1)[0], _QUESTION))
    _check(prompts.names_used(name), known, name, "")
    _check(prompts.fields_used(name, "theme"), Theme.model_fields, name, "theme.")


def _check(used: frozenset[str], known: Iterable[str], name: str, prefix: str) -> None:
    allowed = set(known)
    for word in sorted(used - allowed):
        raise TemplateFault(
            f"prompt template {name!r}: there is no {prefix + word!r}{did_you_mean(word, allowed)} "
            f"(known: {', '.join(prefix + one for one in sorted(allowed))})"
        )
