"""Short ways of writing: one word where a map with one telling field is meant.

mechanism: public_goods           {kind: public_goods}            also instruments, goal, principal_goal
policy: llm                       {kind: llm}                     also human, learned; any other word is a script:
policy: greedy                    {kind: scripted, rule: greedy}
agents: 5                         [{count: 5}]
agents: [Ann, Bo]                 [{name: Ann}, {name: Bo}]
models: {default: local}          {default: {name: local}}
on_failure: repeat                {counts_as: repeat}
seeds: 3, seeds: 0-9              [3], [0, 1, ..., 9]
stages: {talk: 2, declare: total, act: sequential}
                                  {talk: {turns: 2}, declare: {predict: total}, act: {order: sequential}}
stages: {talk: off, declare: off} {talk: {turns: 0}, declare: {predict: off}}
"""

from __future__ import annotations

from collections.abc import Iterator

from society.scenario.problems import Problem
from society.scenario.seeds import parse_seeds
from society.scenario.tree import Entry, Node


def spell_out(root: Node) -> list[Problem]:
    """Write out every short form in place; doing it twice changes nothing.

    Returns:
        what cannot be spelled out (seeds that name none).
    """
    problems: list[Problem] = []
    _word(root, "mechanism", "kind")
    _word(root, "on_failure", "counts_as")
    for node in _items(root.get("instruments")):
        _wrap_word(node, "kind")
    for node in _values(root.get("models")):
        _wrap_word(node, "name")
    agents = root.get("agents")
    if agents is not None and type(agents.value) is int:
        agents.value = [Node({"count": Entry(agents.place, Node(agents.value, agents.place))}, agents.place)]
    for agent in _items(agents):
        _wrap_word(agent, "name")
        _word(agent, "goal", "kind")
        _word(agent, "principal_goal", "kind")
        policy = agent.get("policy")
        if policy is not None and isinstance(policy.value, str):
            scripted = policy.value not in ("llm", "human", "learned", "scripted")
            _wrap_word(policy, "rule" if scripted else "kind")
            if scripted:
                policy.put("kind", Node("scripted", policy.place))
    stages = root.get("stages")
    if stages is not None:
        _stages(stages)
    seeds = root.get("seeds")
    if seeds is not None:
        _seeds(seeds, problems)
    return problems


def _stages(stages: Node) -> None:
    talk = stages.get("talk")
    if talk is not None and talk.value == "off":
        talk.value = 0
    if talk is not None and type(talk.value) is int:
        _wrap(talk, "turns")
    _word(stages, "declare", "predict")
    _word(stages, "act", "order")


def _seeds(seeds: Node, problems: list[Problem]) -> None:
    if type(seeds.value) is int:
        seeds.value = [Node(seeds.value, seeds.place)]
    elif isinstance(seeds.value, str):
        try:
            seeds.value = [Node(seed, seeds.place) for seed in parse_seeds(seeds.value)]
        except ValueError as problem:
            problems.append(Problem(seeds.place, "seeds", str(problem)))
            seeds.value = [Node(1, seeds.place)]


def _word(parent: Node, key: str, field: str) -> None:
    node = parent.get(key)
    if node is not None:
        _wrap_word(node, field)


def _wrap_word(node: Node, field: str) -> None:
    if isinstance(node.value, str):
        _wrap(node, field)


def _wrap(node: Node, field: str) -> None:
    node.value = {field: Entry(node.place, Node(node.value, node.place))}


def _items(node: Node | None) -> Iterator[Node]:
    if node is not None and isinstance(node.value, list):
        yield from node.value


def _values(node: Node | None) -> Iterator[Node]:
    if node is not None and node.map is not None:
        yield from (entry.node for entry in node.map.values())
