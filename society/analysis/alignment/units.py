"""What scores are measured in, in the words of the scenario."""

from __future__ import annotations

from society.core.goals import Goal, Sustain, Target, Threshold, Weighted
from society.scenario.model import Scenario


def payoff_unit(scenario: Scenario) -> str:
    """The unit of payoffs; where the rules call them units only, what the story is about."""
    unit = scenario.mechanism.payoff_unit
    return scenario.theme.resource if unit == "units" else unit


def goal_unit(goal: Goal, scenario: Scenario) -> str:
    """The unit of a goal's scores."""
    if isinstance(goal, (Threshold, Sustain)):
        return "rounds in which it holds"
    if isinstance(goal, Weighted):
        return "points"
    if isinstance(goal, Target) and goal.quantity in ("total", "stock_after"):
        return f"{scenario.theme.resource} off the target"
    return payoff_unit(scenario)
