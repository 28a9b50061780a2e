"""A language model that answers from a list, and scenes to ask it in."""

from society.agents.briefing import brief
from society.agents.llm import LlmPolicy
from society.agents.prompting import Prompts
from society.core.calls import ModelResponse, Position, Sampling
from society.core.policy import Act, Decide, Declare, Observation, Speak
from society.governance.governed import Governed
from society.mechanisms import MECHANISMS
from society.scenario.model import AgentSpec, Scenario, Theme

NAMES = ("Ann", "Bo", "Cy", "Di", "Eve")
LAKE = Theme(resource="fish", place="the lake", act="catch", role="fisher", round="month")
PROMPTS = Prompts.load()


class CannedModel:
    """Gives the next reply of a list: words, a whole response, or an exception to raise."""

    def __init__(self, *replies):
        self.replies, self.requests = list(replies), []

    async def complete(self, request):
        self.requests.append(request)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, ModelResponse) else ModelResponse(reply)

    async def close(self):
        pass


def fishery(**changes):
    """Five fishers at a lake."""
    fields = {
        "name": "fishery",
        "rounds": 12,
        "mechanism": MECHANISMS.parse({"kind": "common_pool", "agents": 5}),
        "theme": LAKE,
        "agents": tuple(AgentSpec(name=name) for name in NAMES),
    }
    return Scenario(**(fields | changes))


def policy_with(model, scenario=None, *, agent=0, attempts=2, context_tokens=6000, seed=None):
    scenario = scenario or fishery()
    return LlmPolicy(
        model,
        "canned",
        brief(scenario, agent, PROMPTS),
        PROMPTS,
        sampling=Sampling(),
        attempts=attempts,
        context_tokens=context_tokens,
        seed=seed,
    )


def seen_in(scenario=None, *, agent=0, round_=1, history=(), **changes):
    """What an agent sees before the first round of a scenario."""
    scenario = scenario or fishery()
    game = Governed(scenario.mechanism, scenario.instruments, scenario.names)
    state = game.initial_state()
    fields = {
        "agent": agent,
        "names": scenario.names,
        "round": round_,
        "rounds": scenario.rounds,
        "facts": game.observe(state, agent),
        "space": game.space(state, agent),
        "history": history,
        "rules": game.rules_for(state, agent),
        "state": state.physical,
    }
    return Observation(**(fields | changes))


def act(**changes):
    return Act(Position(1, "act", 0, 0), seen_in(**changes))


def speak(*, private=False, public=True, most_characters=400, announce=False, **changes):
    return Speak(
        Position(1, "talk", 0, 0),
        seen_in(**changes),
        private=private,
        public=public,
        most_characters=most_characters,
        announce=announce,
    )


def declare(predict="per_agent", **changes):
    seen = seen_in(**changes)
    spaces = (seen.space,) * len(seen.names)
    return Declare(Position(1, "declare", 0, 0), seen, predict=predict, spaces=spaces)


def decide(**parts):
    seen = seen_in()
    rule = {"id": "peer_sanction", "most": 5, "prices": None, "cost": 1, "share": None, "effect": 3}
    return Decide(
        Position(1, "second", 0, 0),
        seen,
        purpose="peer_sanction",
        template="instruments/peer_sanction_decide.j2",
        variables=rule,
        parts=parts,
    )
