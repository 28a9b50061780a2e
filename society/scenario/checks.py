"""What single fields cannot know: whether the parts of a scenario fit together, and who sits where."""

from __future__ import annotations

from society.core.errors import OutOfRange, Unreadable, did_you_mean
from society.core.goals import Goal
from society.scenario.model import AgentSpec, Scenario, ScriptedPolicy
from society.scenario.names import MAX_LENGTH, clean_name, default_names, skeleton
from society.scenario.problems import Problem
from society.scenario.tree import Node
from society.scenario.wording import Path, problem_at

MAX_AGENTS = 1000


def count_agents(root: Node) -> int:
    """How many agents the tree asks for, at least 1; entries that cannot be read count as one."""
    agents = root.get("agents")
    if agents is None or not isinstance(agents.value, list):
        return 1
    total = 0
    for agent in agents.value:
        count = agent.get("count")
        total += count.value if count is not None and type(count.value) is int and count.value > 0 else 1
    return min(max(total, 1), MAX_AGENTS)


def check(scenario: Scenario, root: Node) -> list[Problem]:
    """Everything that does not fit together."""
    problems: list[Problem] = []
    if sum(agent.count for agent in scenario.agents) > MAX_AGENTS:
        problems.append(problem_at(root, ("agents",), f"more than {MAX_AGENTS} agents in all"))
        return problems
    for name, settings in scenario.models.items():
        if "@" in settings.name or "://" in settings.name:
            message = "an address must not stand in a scenario; give it on the command line: --model NAME@URL"
            problems.append(problem_at(root, ("models", name, "name"), message))
    for place, agent in enumerate(scenario.agents):
        problems += _check_agent(scenario, agent, ("agents", place), root)
    return problems


def _check_agent(scenario: Scenario, agent: AgentSpec, path: Path, root: Node) -> list[Problem]:
    problems: list[Problem] = []
    if agent.model is not None and agent.model not in scenario.models:
        known = ", ".join(scenario.models)
        message = (
            f"no entry {agent.model[:40]!r} in 'models'{did_you_mean(agent.model, scenario.models)} (it has: {known})"
        )
        problems.append(problem_at(root, (*path, "model"), message))
    if agent.model is None and agent.policy.kind == "llm" and "default" not in scenario.models:
        message = "this agent names no model, and 'models' has no 'default'"
        problems.append(problem_at(root, path, message))
    for field in ("goal", "principal_goal"):
        goal: Goal | None = getattr(agent, field)
        measured = scenario.mechanism.quantities | {"own_payoff", "welfare"}
        for missing in sorted(goal.quantities - measured) if goal is not None else ():
            message = f"{scenario.mechanism.kind} has no {missing!r} to aim at (it has: {', '.join(sorted(measured))})"
            problems.append(problem_at(root, (*path, field), message))
    if isinstance(agent.policy, ScriptedPolicy):
        problems += _check_script(scenario, agent.policy, (*path, "policy"), root)
    return problems


def _check_script(scenario: Scenario, policy: ScriptedPolicy, path: Path, root: Node) -> list[Problem]:
    if policy.rule != "sequence":
        if policy.actions is not None:
            return [
                problem_at(root, (*path, "actions"), f"only the rule 'sequence' takes actions, not {policy.rule!r}")
            ]
        return []
    if not policy.actions:
        return [problem_at(root, (*path, "actions"), "the rule 'sequence' needs its list of actions, one a round")]
    space = scenario.mechanism.space(scenario.mechanism.initial_state(), 0)
    problems = []
    for place, action in enumerate(policy.actions):
        try:
            space.read(action)
        except OutOfRange:
            continue  # what is allowed may change from round to round
        except Unreadable as problem:
            problems.append(problem_at(root, (*path, "actions", place), str(problem)))
    return problems


def seat_agents(scenario: Scenario, root: Node) -> tuple[Scenario, list[Problem]]:
    """One entry per seat, each with a name that nobody can mistake for another."""
    problems: list[Problem] = []
    seats: list[tuple[AgentSpec, str | None]] = []
    seen: dict[str, str] = {}
    for place, agent in enumerate(scenario.agents):
        for number in range(1, agent.count + 1):
            name = agent.name
            if name is not None:
                try:
                    name = clean_name(name)
                    if agent.count > 1:
                        name = f"{name} {number}"
                    if len(name) > MAX_LENGTH:
                        raise ValueError(f"with its number this name has more than {MAX_LENGTH} characters")
                    twin = seen.setdefault(skeleton(name), name)
                    if twin is not name:
                        same = "is taken" if twin == name else f"can be mistaken for {twin!r}"
                        raise ValueError(f"this name {same}; every agent needs its own")
                except ValueError as problem:
                    problems.append(problem_at(root, ("agents", place, "name"), str(problem)))
            seats.append((agent, name))
    free = default_names(seen.values())
    agents = tuple(
        agent.model_copy(update={"name": next(free) if name is None else name, "count": 1}) for agent, name in seats
    )
    return scenario.model_copy(update={"agents": agents}), problems
