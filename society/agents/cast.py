"""One policy per seat, as the scenario says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from society.agents.advising import InPlace, human_brief, human_goal
from society.agents.briefing import Brief, brief, templates_used
from society.agents.hints import Standard
from society.agents.human import HumanPolicy
from society.agents.learned import Learner
from society.agents.lint import check_templates
from society.agents.llm import LlmPolicy
from society.agents.prompting import Prompts
from society.agents.questions import transcript_of
from society.agents.scripted import Script, ScriptedPolicy, parse_script
from society.agents.transcript import Transcript
from society.core.calls import ModelClient, Sampling
from society.core.errors import BadInput
from society.core.exact import Json
from society.core.policy import Policy
from society.governance.governed import Governed
from society.invariants import Privacy
from society.scenario.model import HumanPolicy as HumanSpec
from society.scenario.model import LearnedPolicy as LearnedSpec
from society.scenario.model import LlmPolicy as LlmSpec
from society.scenario.model import ModelSettings, Scenario
from society.scenario.model import ScriptedPolicy as ScriptedSpec

ClientFor: TypeAlias = Callable[[ModelSettings], ModelClient]
"""The client of a model; called for each seat that needs one."""


@dataclass(frozen=True)
class Casting:
    """Who plays a scenario, with all that is the same in every run of it: what each seat is told from the start.

    Attributes:
        scenario, prompts: what it was made of.
        templates: SHA-256 of each template in use, by name.
        briefs: by seat; None where no words are needed.
        human_briefs: by seat, what the human is told whom the agent there asks; empty where no words are needed.
        whole: the scenario as a manifest holds it; empty where no run begins.
        transcripts: by the identity of a brief, who renders the record of whoever has it.
    """

    scenario: Scenario
    prompts: Prompts
    templates: Mapping[str, str]
    briefs: tuple[Brief | None, ...]
    human_briefs: tuple[Brief, ...]
    whole: Mapping[str, Json] = field(default_factory=dict, repr=False, compare=False)
    transcripts: dict[int, Transcript] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, scenario: Scenario, prompts: Prompts) -> Casting:
        """Prepare a scenario.

        Raises:
            BadInput: a template is missing or wrong, or tells an agent what only another may know.
        """
        templates = templates_used(scenario, prompts)
        worded = [isinstance(spec.policy, (LlmSpec, HumanSpec)) for spec in scenario.agents]
        advised = scenario.model_of_human is not None
        if advised or any(worded):
            check_templates(scenario, prompts, templates)
        briefs = tuple(brief(scenario, seat, prompts) if needed else None for seat, needed in enumerate(worded))
        privacy = Privacy.of(scenario)
        for agent, known in enumerate(briefs):
            owner = None if known is None else privacy.owner_of(known.system, agent)
            if owner is not None and privacy.owner_of(_ignorant(scenario, agent, prompts), agent) is None:
                told, whose = scenario.names[agent], scenario.names[owner]
                raise BadInput(f"I7: the prompt of {told} would hold what only {whose} may know; see prompts/system.j2")
        human_briefs = tuple(human_brief(scenario, seat, prompts) for seat in range(len(worded)) if advised)
        return cls(scenario, prompts, templates, briefs, human_briefs)

    def policies(self, *, seed: int, client_for: ClientFor) -> tuple[Policy, ...]:
        """The policies of one run, in seat order.

        Args:
            seed: the seed of the run.
            client_for: the client of a model.

        Raises:
            BadInput: an unknown script, or a wrong parameter of one.
        """
        standard = Standard(self.scenario.mechanism)
        return tuple(self._policy(seat, seed, client_for, standard) for seat in range(len(self.briefs)))

    def humans(self, *, seed: int, client_for: ClientFor) -> tuple[Policy, ...]:
        """By seat, who answers when the agent there asks a human; nobody where rules answer for one. Raises as `policies` does."""
        scenario, settings = self.scenario, self.scenario.model_of_human
        if scenario.human is None:
            return ()
        if settings is not None:
            standard = Standard(scenario.mechanism)
            return tuple(self._asked(known, settings, seed, client_for, standard) for known in self.human_briefs)
        spec = scenario.human.policy
        assert isinstance(spec, ScriptedSpec), "all others are asked as models are"
        rules = Governed(scenario.mechanism, scenario.instruments, scenario.names)
        return tuple(
            InPlace(
                ScriptedPolicy(
                    _script(spec), scenario.mechanism, goal=human_goal(scenario, seat), seed=seed, rules=rules
                )
            )
            for seat in range(len(scenario.agents))
        )

    def _policy(self, seat: int, seed: int, client_for: ClientFor, standard: Standard) -> Policy:
        scenario, known = self.scenario, self.briefs[seat]
        spec = scenario.agents[seat]
        if known is not None and isinstance(spec.policy, HumanSpec):
            return HumanPolicy(known, self.prompts)
        if known is not None:
            return self._asked(known, scenario.model_of(seat), seed, client_for, standard)
        script: Script
        if isinstance(spec.policy, LearnedSpec):
            script = Learner.of(scenario, spec.policy, seed)
        else:
            assert isinstance(spec.policy, ScriptedSpec), "all others need words"
            script = _script(spec.policy)
        rules = Governed(scenario.mechanism, scenario.instruments, scenario.names) if scenario.instruments else None
        return ScriptedPolicy(script, scenario.mechanism, goal=spec.goal, seed=seed, rules=rules)

    def _asked(
        self, known: Brief, settings: ModelSettings, seed: int, client_for: ClientFor, standard: Standard
    ) -> LlmPolicy:
        """Whoever is asked as a language model is."""
        sampling = Sampling(
            temperature=settings.temperature,
            top_p=settings.top_p,
            max_tokens=settings.max_tokens,
            reasoning_effort=settings.reasoning_effort,
        )
        return LlmPolicy(
            client_for(settings),
            settings.name,
            known,
            self.prompts,
            sampling=sampling,
            attempts=self.scenario.on_failure.attempts,
            context_tokens=settings.context_tokens,
            seed=seed,
            standard=standard,
            transcript=self._transcript(known),
        )

    def _transcript(self, known: Brief) -> Transcript:
        transcript = self.transcripts.get(
            id(known)
        )  # the casting keeps its briefs, so that their identities stay theirs
        if transcript is None:
            transcript = self.transcripts[id(known)] = transcript_of(known, self.prompts)
        return transcript


def _ignorant(scenario: Scenario, agent: int, prompts: Prompts) -> str:
    """The system message of a seat if nobody else had a persona: what it holds then is nobody's secret."""
    alone = [
        spec if seat == agent else spec.model_copy(update={"persona": ""}) for seat, spec in enumerate(scenario.agents)
    ]
    return brief(scenario.model_copy(update={"agents": tuple(alone)}), agent, prompts).system


def _script(spec: ScriptedSpec) -> Script:
    parameters = dict(spec.parameters)
    if spec.actions is not None:
        parameters["actions"] = spec.actions
    return parse_script(spec.rule, parameters)
