"""Values that replace others: `--set mechanism.capacity=200`, and `extends: other.yaml`."""

from __future__ import annotations

from dataclasses import dataclass

from society.core.complaints import visible
from society.scenario.problems import Place, Problem, Source
from society.scenario.shorthand import spell_out
from society.scenario.tree import Entry, Node, read_tree


@dataclass(frozen=True, slots=True)
class Change:
    """Another value for one field, as it stands in some other file.

    Attributes:
        path: dotted, as in `override`.
        value: the value; a map goes on top of the one that is there, everything else replaces it.
    """

    path: str
    value: Node


def merge(base: Node, over: Node) -> Node:
    """`over` on top of `base`: maps merge key by key, everything else replaces.

    A map of another `kind` replaces as well, since its fields mean other things.
    """
    if base.map is None or over.map is None or _kinds_differ(base, over):
        return over
    entries = {key: Entry(entry.key, entry.node) for key, entry in base.map.items()}
    for key, entry in over.map.items():
        node = merge(entries[key].node, entry.node) if key in entries else entry.node
        entries[key] = Entry(entry.key, node)
    return Node(entries, over.place)


def override(root: Node, option: str) -> list[Problem]:
    """Apply one ``path.to.field=value`` to the tree in place.

    The value is read as YAML (`200`, `null`, `[1, 2]`). A number in the path is a place in a list, counted from 0; in
    `agents` it is the seat, so that `agents.2.policy=greedy` changes one agent of `count: 5`. Setting another `kind` drops
    the fields of the old one.

    Returns:
        what is wrong with the option itself; a value that does not fit is found when the scenario is validated.

    Raises:
        ScenarioError: the value is no YAML.
    """
    path, equals, text = option.partition("=")
    source = Source(f"--set {visible(path.strip(), 80)}")
    place = Place(source, 0, 0, 0, 0)
    keys = path.strip().split(".")
    if not equals or not all(keys):
        return [Problem(place, "", "expected path.to.field=value, such as mechanism.capacity=200")]
    reading = read_tree(text, source.name)
    value = reading.root
    _place_all(value, place)
    if reading.problems:
        return [Problem(place, "", problem.message) for problem in reading.problems]
    return _set(root, keys, value, place) or spell_out(root)


def apply(root: Node, change: Change) -> list[Problem]:
    """Apply a change to the tree in place; what is wrong is told where the change stands."""
    keys, value = change.path.split("."), change.value.copy()
    if not all(keys):
        return [Problem(value.place, change.path, "expected path.to.field, such as mechanism.capacity")]
    old = _at(root, keys)
    return _set(root, keys, value if old is None else merge(old, value), value.place) or spell_out(root)


def _at(root: Node, keys: list[str]) -> Node | None:
    """The node at a path, if there is one."""
    node: Node | None = root
    for key in keys:
        if node is None or isinstance(node.value, list):
            return None
        node = node.get(key)
    return node


def _set(root: Node, keys: list[str], value: Node, place: Place) -> list[Problem]:
    node = root
    for depth, key in enumerate(keys[:-1]):
        if isinstance(node.value, list):
            if keys[:depth] == ["agents"] and keys[depth + 1 :] != ["count"]:
                _one_seat_each(node)
            item = _item(node, key)
            if item is None:
                return [_no_item(node, key, keys[:depth], place)]
            node = node.value[item]
        elif node.map is not None:
            if node.get(key) is None:
                node.put(key, Node({}, place))
            node = node.map[key].node
        else:
            return [_no_map(keys[:depth], place)]
    key = keys[-1]
    if isinstance(node.value, list):
        if keys[:-1] == ["agents"]:
            _one_seat_each(node)
        item = _item(node, key)
        if item is None:
            return [_no_item(node, key, keys[:-1], place)]
        node.value[item] = value
        return []
    if node.map is None:
        return [_no_map(keys[:-1], place)]
    if key == "kind" and (old := node.get("kind")) is not None and old.value != value.value:
        node.value = {}
    node.put(key, value)
    return []


def _item(node: Node, key: str) -> int | None:
    size = len(node.value) if isinstance(node.value, list) else 0
    return int(key) if key.isascii() and key.isdecimal() and len(key) < 6 and int(key) < size else None


def _no_item(node: Node, key: str, path: list[str], place: Place) -> Problem:
    size = len(node.value) if isinstance(node.value, list) else 0
    known = f"its items are 0 to {size - 1}" if size else "it is empty"
    return Problem(place, ".".join(path), f"there is no item {visible(key, 40)!r} in this list ({known})")


def _no_map(path: list[str], place: Place) -> Problem:
    return Problem(place, ".".join(path), "this is no map or list, so nothing can be set inside it")


def _kinds_differ(base: Node, over: Node) -> bool:
    old, new = base.get("kind"), over.get("kind")
    return old is not None and new is not None and old.value != new.value


def _place_all(node: Node, place: Place) -> None:
    node.place = place
    if isinstance(node.value, list):
        for item in node.value:
            _place_all(item, place)
    elif isinstance(node.value, dict):
        for entry in node.value.values():
            entry.key = place
            _place_all(entry.node, place)


def _one_seat_each(agents: Node) -> None:
    """`{count: 3}` as three entries, so that a seat can be changed alone."""
    assert isinstance(agents.value, list), "the caller looked"
    seats: list[Node] = []
    for agent in agents.value:
        count = agent.get("count")
        many = count.value if count is not None and type(count.value) is int and 1 < count.value <= 1000 else 1
        if many == 1 or agent.get("name") is not None:
            seats.append(agent)
            continue
        for _ in range(many):
            seat = agent.copy()
            assert seat.map is not None, "it has a count"
            del seat.map["count"]
            seats.append(seat)
    agents.value = seats
