"""One policy per seat, as the scenario says."""

from __future__ import annotations

from collections.abc import Callable

from society.agents.advising import InPlace, human_brief, human_goal
from society.agents.briefing import Brief, brief, templates_used
from society.agents.hints import Standard
from society.agents.human import HumanPolicy
from society.agents.learned import Learner
from society.agents.lint import check_templates
from society.agents.llm import LlmPolicy
from society.agents.prompting import Prompts
from society.agents.scripted import Script, ScriptedPolicy, parse_script
from society.core.calls import ModelClient, Sampling
from society.core.errors import BadInput
from society.core.governed import Governed
from society.core.policy import Policy
from society.invariants import Privacy
from society.scenario.model import HumanPolicy as HumanSpec
from society.scenario.model import LearnedPolicy as LearnedSpec
from society.scenario.model import LlmPolicy as LlmSpec
from society.scenario.model import ModelSettings, Scenario
from society.scenario.model import ScriptedPolicy as ScriptedSpec


def cast(
    scenario: Scenario,
    *,
    seed: int,
    client_for: Callable[[ModelSettings], ModelClient],
    prompts: Prompts | None = None,
) -> tuple[Policy, ...]:
    """The policies of a run, in seat order.

    Args:
        scenario: who plays what.
        seed: the seed of the run.
        client_for: the client of a model; called once per seat that needs one.
        prompts: the templates; by default those that `Prompts.load` finds.

    Raises:
        BadInput: an unknown script, a wrong parameter of one, a template that is missing or wrong.
    """
    prompts = prompts or Prompts.load()
    if any(isinstance(spec.policy, (LlmSpec, HumanSpec)) for spec in scenario.agents):
        check_templates(scenario, prompts, templates_used(scenario, prompts))
    standard = Standard(scenario.mechanism)
    policies = tuple(
        policy_of(scenario, agent, seed=seed, client_for=client_for, prompts=prompts, standard=standard)
        for agent in range(len(scenario.agents))
    )
    privacy = Privacy.of(scenario)
    for agent, policy in enumerate(policies):
        system = policy.brief.system if isinstance(policy, (LlmPolicy, HumanPolicy)) else ""
        owner = privacy.owner_of(system, agent)
        if owner is not None and privacy.owner_of(_ignorant(scenario, agent, prompts), agent) is None:
            told, whose = scenario.names[agent], scenario.names[owner]
            raise BadInput(f"I7: the prompt of {told} would hold what only {whose} may know; see prompts/system.j2")
    return policies


def humans(
    scenario: Scenario,
    *,
    seed: int,
    client_for: Callable[[ModelSettings], ModelClient],
    prompts: Prompts | None = None,
) -> tuple[Policy, ...]:
    """By seat, who answers when the agent there asks a human; nobody where rules answer for one.

    Raises:
        BadInput: as `cast`.
    """
    if scenario.human is None:
        return ()
    prompts = prompts or Prompts.load()
    seats = range(len(scenario.agents))
    settings = scenario.model_of_human
    if settings is None:
        spec = scenario.human.policy
        assert isinstance(spec, ScriptedSpec), "all others are asked as models are"
        return tuple(
            InPlace(
                ScriptedPolicy(
                    _script(spec),
                    scenario.mechanism,
                    goal=human_goal(scenario, seat),
                    seed=seed,
                    rules=Governed(scenario.mechanism, scenario.instruments, scenario.names),
                )
            )
            for seat in seats
        )
    check_templates(scenario, prompts, templates_used(scenario, prompts))
    standard = Standard(scenario.mechanism)
    return tuple(
        _asked(
            scenario,
            client_for(settings),
            settings,
            human_brief(scenario, seat, prompts),
            seed=seed,
            prompts=prompts,
            standard=standard,
        )
        for seat in seats
    )


def _ignorant(scenario: Scenario, agent: int, prompts: Prompts) -> str:
    """The system message of a seat if nobody else had a persona: what it holds then is nobody's secret."""
    alone = [
        spec if seat == agent else spec.model_copy(update={"persona": ""}) for seat, spec in enumerate(scenario.agents)
    ]
    return brief(scenario.model_copy(update={"agents": tuple(alone)}), agent, prompts).system


def policy_of(
    scenario: Scenario,
    agent: int,
    *,
    seed: int,
    client_for: Callable[[ModelSettings], ModelClient],
    prompts: Prompts,
    standard: Standard | None = None,
) -> Policy:
    """The policy of one seat; raises as `cast` does."""
    spec = scenario.agents[agent]
    if isinstance(spec.policy, ScriptedSpec):
        rules = Governed(scenario.mechanism, scenario.instruments, scenario.names) if scenario.instruments else None
        return ScriptedPolicy(_script(spec.policy), scenario.mechanism, goal=spec.goal, seed=seed, rules=rules)
    if isinstance(spec.policy, LearnedSpec):
        learner = Learner.of(scenario, spec.policy, seed)
        rules = Governed(scenario.mechanism, scenario.instruments, scenario.names) if scenario.instruments else None
        return ScriptedPolicy(learner, scenario.mechanism, goal=spec.goal, seed=seed, rules=rules)
    known = brief(scenario, agent, prompts)
    if isinstance(spec.policy, HumanSpec):
        return HumanPolicy(known, prompts)
    settings = scenario.model_of(agent)
    return _asked(scenario, client_for(settings), settings, known, seed=seed, prompts=prompts, standard=standard)


def _asked(
    scenario: Scenario,
    client: ModelClient,
    settings: ModelSettings,
    known: Brief,
    *,
    seed: int,
    prompts: Prompts,
    standard: Standard | None,
) -> LlmPolicy:
    """Whoever is asked as a language model is."""
    sampling = Sampling(
        temperature=settings.temperature,
        top_p=settings.top_p,
        max_tokens=settings.max_tokens,
        reasoning_effort=settings.reasoning_effort,
    )
    return LlmPolicy(
        client,
        settings.name,
        known,
        prompts,
        sampling=sampling,
        attempts=scenario.on_failure.attempts,
        context_tokens=settings.context_tokens,
        seed=seed,
        standard=standard,
    )


def _script(spec: ScriptedSpec) -> Script:
    parameters = dict(spec.parameters)
    if spec.actions is not None:
        parameters["actions"] = spec.actions
    return parse_script(spec.rule, parameters)
