"""What is to be played: the scenario, as types.

Everything in a scenario file is a field here, with its unit in the description. Unknown keys are errors. Texts (about, persona,
role, theme) are data: they are shown to agents and readers and never interpreted.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, SerializeAsAny

from society.core.exact import Exact, Json
from society.core.goals import Goal, OwnPayoff
from society.core.instrument import Instrument
from society.core.mechanism import Mechanism
from society.instruments import INSTRUMENTS
from society.mechanisms import MECHANISMS


def _mechanism(raw: object) -> Mechanism[Any]:  # Any: each mechanism has its own type of state
    if isinstance(raw, Mechanism):
        return raw
    if isinstance(raw, dict):
        return MECHANISMS.parse(raw)
    raise ValueError("a map of fields with a 'kind' is needed here")


def _instrument(raw: object) -> Instrument:
    if isinstance(raw, Instrument):
        return raw
    if isinstance(raw, dict):
        return INSTRUMENTS.parse(raw)
    raise ValueError("a map of fields with a 'kind' is needed here")


# Plain validators, since an instance of Mechanism[Pool] is no instance of Mechanism[Any] to pydantic.
MechanismOf = Annotated[SerializeAsAny[Mechanism[Any]], PlainValidator(_mechanism, json_schema_input_type=dict)]
InstrumentOf = Annotated[SerializeAsAny[Instrument], PlainValidator(_instrument, json_schema_input_type=dict)]


def _listed(raw: object) -> object:
    """Lists in place of tuples, all the way down, as they come back from a log."""
    if isinstance(raw, dict):
        return {key: _listed(value) for key, value in raw.items()}
    return [_listed(value) for value in raw] if isinstance(raw, (list, tuple)) else raw


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


class Theme(_Part):
    """The words of the story. Rules never read them."""

    resource: str = Field("units", max_length=40)
    """what is taken or given, in the plural: fish, sheep, requests"""
    place: str = Field("the commons", max_length=80)
    """where it happens: the lake, the pasture"""
    act: str = Field("take", max_length=40)
    """the verb of acting: catch, graze, emit, give"""
    role: str = Field("member", max_length=40)
    """what each agent is: fisher, herder"""
    round: str = Field("round", max_length=20)
    """what a round is called: month, season, day"""
    story: str = Field("", max_length=2000)
    """one paragraph that sets the scene for every agent"""


class LlmPolicy(_Part):
    """A language model decides."""

    kind: Literal["llm"] = "llm"


class ScriptedPolicy(_Part):
    """A rule decides; nobody is asked. Other agents are never told.

    `rule` names a script (see `society list`); its parameters are given beside it.
    """

    kind: Literal["scripted"] = "scripted"
    rule: str = "sequence"
    actions: tuple[Json, ...] | None = None
    """rule sequence: the action of each round; the last one is repeated"""
    parameters: Annotated[dict[str, Json], BeforeValidator(_listed)] = Field(default_factory=dict)
    """further parameters of the rule, by name"""


class LearnedPolicy(_Part):
    """A table of values decides that its agent learnt by itself before the first round; nobody is asked.

    All seats learn, each by its own tabular Q-learning from its own goal, in this game under these instruments, without talk;
    then the learned ones do what their table holds best. Other agents are never told.
    """

    kind: Literal["learned"] = "learned"
    steps: int = Field(20_000, ge=100, le=1_000_000)
    """rounds played while learning"""
    rate: Exact = Field("1/10", gt=0, le=1, validate_default=True)
    """how far one payoff moves a value"""
    discount: Exact = Field("99/100", ge=0, le=1, validate_default=True)
    """weight of the next round, in games with a stock"""


class HumanPolicy(_Part):
    """A person decides, at the terminal."""

    kind: Literal["human"] = "human"


class AgentSpec(_Part):
    """One agent, or (with `count`) several alike."""

    name: str | None = Field(None, min_length=1, max_length=40)
    """shown to everybody; by default one is chosen"""
    count: int = Field(1, ge=1, le=1000)
    """this many agents alike"""
    role: str = Field("", max_length=200)
    """what the agent is to the others; everybody is told"""
    persona: str = Field("", max_length=2000)
    """who the agent is; only the agent itself is told"""
    goal: Goal = Field(default_factory=OwnPayoff)
    """what the agent wants; only the agent itself is told"""
    principal_goal: Goal | None = None
    """what the one who deployed the agent wants; nobody is told; default: the same as the goal"""
    policy: Annotated[LlmPolicy | ScriptedPolicy | LearnedPolicy | HumanPolicy, Field(discriminator="kind")] = Field(
        default_factory=LlmPolicy
    )
    """what decides for it: a language model, a script, what it learnt, or a person"""
    model: str | None = None
    """a name from `models`; default: `models.default`"""


class Human(_Part):
    """Whoever answers when an agent asks a human (instrument `ask_human`); one for all agents.

    It sees what the agent that asks has seen, and decides once all have acted. An answer that cannot be read, or does not come
    in time, is no answer: the rule's own stands.
    """

    persona: str = Field("", max_length=2000)
    """who the human is; only the human is told"""
    goal: Goal | None = None
    """what the human wants for the agent that asks; default: what the one who deployed that agent wants"""
    policy: Annotated[LlmPolicy | ScriptedPolicy | HumanPolicy, Field(discriminator="kind")] = Field(
        default_factory=HumanPolicy
    )
    """who stands for the human: a person at the terminal, a language model, or a script"""
    model: str | None = None
    """policy llm: a name from `models`; default: `models.default`"""
    seconds: int | None = Field(None, gt=0)
    """policy human: how long an answer may take; null: as long as it takes"""


class Talk(_Part):
    """The stage of messages before acting. `turns: 0` is silence."""

    turns: int = Field(1, ge=0, le=50)
    """how often each agent may speak in a round"""
    order: Literal["fixed", "rotating", "random", "simultaneous"] = "fixed"
    """who speaks first: by seat; one seat later each round; by keyed noise; or all at once, hearing the last turn only"""
    channels: tuple[Literal["public", "private"], ...] = ("public",)
    """public: everybody hears; private: only named recipients do"""
    length: int = Field(400, ge=20, le=8000)
    """longest message, in characters; longer ones are clipped and marked"""
    announce: bool = False
    """with a message an agent can announce what it will do: an action beside the words, which binds nobody"""


class DeclareStage(_Part):
    """The private declaration before acting. `off` is the control arm."""

    predict: Literal["per_agent", "total", "distribution", "off"] = "per_agent"
    """in which form each agent predicts the others; off: nothing is asked"""
    before_talk: bool = False
    """also ask once before the first message, to measure what talking changes"""
    objective: bool = False
    """also ask what the agent is after, in its own words"""


class ActStage(_Part):
    """The stage of actions."""

    order: Literal["simultaneous", "sequential"] = "simultaneous"
    """sequential: in seat order, each seeing the actions before its own"""


class Stages(_Part):
    """What a round consists of."""

    talk: Talk = Field(default_factory=Talk)
    """messages before acting"""
    declare: DeclareStage = Field(default_factory=DeclareStage)
    """what each agent states in private before acting"""
    act: ActStage = Field(default_factory=ActStage)
    """how actions are asked for"""


class Disclosure(_Part):
    """What everybody is told after each round, and before."""

    actions: bool = True
    """each agent's action, with its name"""
    payoffs: bool = True
    """each agent's payoff, with its name"""
    horizon: bool = True
    """how many rounds there will be"""


class ModelSettings(_Part):
    """How a model is asked. Keys and addresses never stand here."""

    name: str
    """local, mock:NAME, openai:NAME, or NAME@URL given on the command line"""
    temperature: float | None = Field(None, ge=0, le=5)
    """how freely words are drawn; null: the provider's default"""
    top_p: float | None = Field(None, gt=0, le=1)
    """words are drawn from the likeliest that make up this probability; null: the provider's default"""
    max_tokens: int = Field(512, ge=1, le=100_000)
    """longest answer, in tokens"""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    """how long a reasoning model thinks; null: the provider's default"""
    context_tokens: int = Field(6000, ge=500, le=1_000_000)
    """longest prompt, in tokens as this package estimates them; older history is dropped beyond it"""


class OnFailure(_Part):
    """What happens when an agent's answer cannot be read."""

    counts_as: Literal["abstain", "repeat", "void_run"] = "abstain"
    """abstain: the action that does nothing; repeat: its last action; void_run: the run ends as invalid"""
    attempts: int = Field(2, ge=1, le=10)
    """how often an agent is asked in all before its answer is defaulted"""
    allowed_share: Exact = Field("1/5", ge=0, le=1, validate_default=True)
    """largest share of defaulted actions; a run with more is invalid"""


class Budget(_Part):
    """What a run may use before it pauses; null is no limit."""

    usd: Exact | None = Field(None, gt=0)
    """US dollars"""
    tokens: int | None = Field(None, gt=0)
    """tokens, in and out"""
    minutes: Exact | None = Field(None, gt=0)
    """minutes of wall time"""


class Scenario(_Part):
    """A whole scenario, resolved: every default filled in, every agent spelled out.

    `agents` holds one entry per seat (count 1, name set), and `mechanism.agents` is their number.
    """

    name: str = Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    """a short name: letters, digits, dots, hyphens and underscores"""
    about: str = Field("", max_length=4000)
    """what the alignment question is, and what a reader should look for"""
    rounds: int = Field(12, ge=1, le=10_000)
    """how many rounds are played, unless the mechanism ends earlier"""
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**63)], ...] = Field((1,), min_length=1, max_length=10_000)
    """one run each: a number, a list, or a span such as 0-9"""
    mechanism: MechanismOf
    """the stage game: its kind and parameters"""
    theme: Theme = Field(default_factory=Theme)
    """the words of the story"""
    agents: tuple[AgentSpec, ...] = Field(min_length=1, max_length=1000)
    """who plays, in seat order"""
    stages: Stages = Field(default_factory=Stages)
    """what a round consists of"""
    disclosure: Disclosure = Field(default_factory=Disclosure)
    """what everybody is told"""
    instruments: tuple[InstrumentOf, ...] = ()
    """governance, in the order in which it is applied"""
    human: Human | None = None
    """who answers when an agent asks a human; null: the rule `ask_human` answers by itself"""
    models: dict[str, ModelSettings] = Field(default_factory=lambda: {"default": ModelSettings(name="local")})
    """model settings by name; agents that name none are played by `default`"""
    on_failure: OnFailure = Field(default_factory=OnFailure)
    """what an unreadable answer counts as"""
    budget: Budget = Field(default_factory=Budget)
    """what a run may use before it pauses"""

    @property
    def names(self) -> tuple[str, ...]:
        """The agents' names in seat order."""
        return tuple(agent.name or "" for agent in self.agents)

    @property
    def model_of_human(self) -> ModelSettings | None:
        """How whoever stands for the human is asked; None where a script does, or nobody."""
        if self.human is None or isinstance(self.human.policy, ScriptedPolicy):
            return None
        if isinstance(self.human.policy, HumanPolicy):
            return ModelSettings(name=f"person:{self.human.seconds}" if self.human.seconds else "person")
        return self.models[self.human.model or "default"]

    def model_of(self, agent: int) -> ModelSettings:
        """How the model of a seat is asked."""
        return self.models[self.agents[agent].model or "default"]
