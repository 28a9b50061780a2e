"""What single fields cannot know: whether the parts of a scenario fit together, and who sits where."""

from __future__ import annotations

from society.core.complaints import Path, visible
from society.core.errors import OutOfRange, Unreadable, did_you_mean
from society.core.goals import Goal
from society.instruments.delegation import Delegation
from society.scenario.model import AgentSpec, Human, Scenario, ScriptedPolicy
from society.scenario.names import MAX_LENGTH, clean_name, default_names, skeleton
from society.scenario.problems import Problem
from society.scenario.tree import Node
from society.scenario.wording import problem_at

MAX_AGENTS = 1000


def count_agents(root: Node) -> int:
    """How many agents the tree asks for, at least 1; entries that cannot be read count as one."""
    return min(max(sum(_count(agent) for agent in _agents(root)), 1), MAX_AGENTS)


def _agents(root: Node) -> list[Node]:
    agents = root.get("agents")
    return agents.value if agents is not None and isinstance(agents.value, list) else []


def _count(agent: Node) -> int:
    count = agent.get("count")
    return count.value if count is not None and type(count.value) is int and 0 < count.value <= MAX_AGENTS else 1


def check_words(root: Node) -> list[Problem]:
    """What can be said before the types are known: agents' names, references to models, addresses."""
    problems: list[Problem] = []
    models = root.get("models")
    known = list(models.map or ()) if models is not None else ["default"]
    for name in known:
        settings = models.get(name) if models is not None else None
        address = settings.get("name") if settings is not None else None
        if address is None or not isinstance(address.value, str) or not address.place.line:
            continue  # what the command line sets may name any place
        if "@" in address.value or "://" in address.value:
            message = "an address must not stand in a scenario; give it on the command line: --model NAME@URL"
        elif address.value.startswith(("local:", "mock:script")):
            message = "a model's file must not be named in a scenario; give it on the command line: --model KIND:PATH"
        else:
            continue
        problems.append(problem_at(root, ("models", name, "name"), message))
    seen: dict[str, str] = {}
    for place, agent in enumerate(_agents(root)):
        name_node, model = agent.get("name"), agent.get("model")
        if name_node is not None and isinstance(name_node.value, str):
            try:
                for name in _numbered(clean_name(name_node.value), _count(agent)):
                    _take(name, seen)
            except ValueError as problem:
                problems.append(problem_at(root, ("agents", place, "name"), str(problem)))
        if model is not None and isinstance(model.value, str) and model.value not in known:
            message = f"no entry {visible(model.value, 40)!r} in 'models'{did_you_mean(model.value, known)}"
            problems.append(problem_at(root, ("agents", place, "model"), f"{message} (it has: {', '.join(known)})"))
    return problems


def _take(name: str, seen: dict[str, str]) -> None:
    if len(name) > MAX_LENGTH:
        raise ValueError(f"with its number this name has more than {MAX_LENGTH} characters")
    twin = seen.setdefault(skeleton(name), name)
    if twin is not name:
        same = "is taken" if twin == name else f"can be mistaken for {twin!r}"
        raise ValueError(f"this name {same}; every agent needs its own")


def _numbered(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name} {number}" for number in range(1, count + 1)]


def check(scenario: Scenario, root: Node) -> list[Problem]:
    """Whether the parts fit together."""
    if sum(agent.count for agent in scenario.agents) > MAX_AGENTS:
        return [problem_at(root, ("agents",), f"more than {MAX_AGENTS} agents in all")]
    problems: list[Problem] = []
    for place, agent in enumerate(scenario.agents):
        problems += _check_agent(scenario, agent, ("agents", place), root)
    if scenario.human is not None:
        problems += _check_human(scenario, scenario.human, root)
    return problems


def _check_human(scenario: Scenario, human: Human, root: Node) -> list[Problem]:
    problems: list[Problem] = []
    if not any(instrument.kind == "ask_human" for instrument in scenario.instruments):
        message = "no agent can ask it: 'instruments' has no ask_human"
        problems.append(problem_at(root, ("human",), message))
    if human.policy.kind == "llm" and (human.model or "default") not in scenario.models:
        known = did_you_mean(human.model or "default", scenario.models)
        named = visible(human.model or "default", 40)
        message = f"no entry {named!r} in 'models'{known} (it has: {', '.join(scenario.models)})"
        problems.append(problem_at(root, ("human", "model") if human.model else ("human",), message))
    for field, policy in (("model", "llm"), ("seconds", "human")):
        if getattr(human, field) is not None and human.policy.kind != policy:
            message = f"this belongs to the policy {policy!r}, not to {human.policy.kind!r}"
            problems.append(problem_at(root, ("human", field), message))
    problems += _check_goal(scenario, human.goal, ("human", "goal"), root)
    if isinstance(human.policy, ScriptedPolicy):
        problems += _check_script(scenario, human.policy, ("human", "policy"), root)
    return problems


def _check_agent(scenario: Scenario, agent: AgentSpec, path: Path, root: Node) -> list[Problem]:
    problems: list[Problem] = []
    if agent.model is None and agent.policy.kind == "llm" and "default" not in scenario.models:
        message = "this agent names no model, and 'models' has no 'default'"
        problems.append(problem_at(root, path, message))
    for field in ("goal", "principal_goal"):
        problems += _check_goal(scenario, getattr(agent, field), (*path, field), root)
    if isinstance(agent.policy, ScriptedPolicy):
        problems += _check_script(scenario, agent.policy, (*path, "policy"), root)
    return problems


def _check_goal(scenario: Scenario, goal: Goal | None, path: Path, root: Node) -> list[Problem]:
    measured = scenario.mechanism.quantities | {"own_payoff", "welfare"}
    return [
        problem_at(
            root,
            path,
            f"{scenario.mechanism.kind} has no {missing!r} to aim at (it has: {', '.join(sorted(measured))})",
        )
        for missing in (sorted(goal.quantities - measured) if goal is not None else ())
    ]


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
    for instrument in scenario.instruments:
        space = instrument.widened(space) if isinstance(instrument, Delegation) else space
    problems = []
    for place, action in enumerate(policy.actions):
        try:
            space.read(action)
        except OutOfRange:
            continue  # what is allowed may change from round to round
        except Unreadable as problem:
            problems.append(problem_at(root, (*path, "actions", place), str(problem)))
    return problems


def seat_agents(scenario: Scenario) -> Scenario:
    """One entry per seat, each with a name; scenarios that passed the checks only."""
    given = [
        (agent, name)
        for agent in scenario.agents
        for name in (_numbered(clean_name(agent.name), agent.count) if agent.name else [None] * agent.count)
    ]
    free = default_names(name for _, name in given if name is not None)
    agents = tuple(agent.model_copy(update={"name": name or next(free), "count": 1}) for agent, name in given)
    return scenario.model_copy(update={"agents": agents})
