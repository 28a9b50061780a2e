"""Prompt templates: strict, sandboxed, hashed.

Templates live in ``prompts/``: a file in the working directory's ``prompts`` wins over the one of the same name that is
shipped. They are a small subset of jinja: text, values, conditions, loops over given lists, includes, blocks. They cannot
call anything, and what they are given is plain data, so a template words what the rules compute and can reach nothing else.

A name that does not exist is found when the templates are loaded, in every branch, before any model is asked.
"""

from __future__ import annotations

import marshal
import os
from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, StrictUndefined, Template, TemplateError, TemplateNotFound, meta, nodes
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from society.agents.plain import Plain, plain_data
from society.core.errors import BadInput, did_you_mean
from society.core.exact import show
from society.core.mechanism import Facts

MAX_TEMPLATE_BYTES = 64 * 1024

_FORBIDDEN = (
    nodes.Call,
    nodes.CallBlock,
    nodes.Macro,
    nodes.Import,
    nodes.FromImport,
    nodes.FilterBlock,
    nodes.Pow,
    nodes.Extends,
    nodes.Concat,
    nodes.AssignBlock,
)
MOST_NESTED_LOOPS = 3
MOST_KEPT = 1_000
"""Rendered texts that are kept."""
MOST_INCLUDES = 100
_LOOP = frozenset({"first", "last", "index", "index0", "length"})
_FILTERS = frozenset(
    {"items", "listed", "join", "length", "lower", "upper", "capitalize", "first", "last", "abs", "round"}
)


class TemplateFault(BadInput):
    """A template that cannot be used; says which, where and why."""


class _Environment(ImmutableSandboxedEnvironment):
    """Arithmetic is for numbers: a text that repeats or doubles itself would be a bomb."""

    intercepted_binops = frozenset({"+", "*", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if not all(isinstance(value, (int, float)) for value in (left, right)):
            raise TemplateFault(f"a template may use {operator!r} on numbers only")
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A field of plain data or of a loop is looked up at once; whatever else is asked for goes through the sandbox."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        if type(obj) is LoopContext and attribute in _LOOP:
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)


def listed(words: Sequence[object], joint: str = "and") -> str:
    """``Ann, Bo and Cy``."""
    texts = [str(word) for word in words]
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} {joint} {texts[-1]}"


def prompt_folders() -> tuple[Path, ...]:
    """Where templates are looked for, most important first."""
    own = Path.cwd() / "prompts"
    return tuple(dict.fromkeys([own, *_shipped()] if own.is_dir() else _shipped()))


@cache
def _shipped() -> tuple[Path, ...]:
    """The folders of this package: where it is worked on, and where it is installed."""
    source = Path(__file__).resolve().parents[2] / "prompts"
    packaged = Path(str(files("society") / "_data" / "prompts"))
    return tuple(folder for folder in (source, packaged) if folder.is_dir())


class Prompts:
    """A set of templates, read once.

    Attributes:
        sources: the text of each template, by name such as ``goals/own_payoff.j2``.
        latest: by template, block and constant words, the facts and round that were worded last, and their words.
    """

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = dict(sources)
        self._environment = _Environment(
            loader=DictLoader(self.sources),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,
            finalize=lambda value: show(value, 4) if isinstance(value, float) else value,
        )
        self._environment.globals.clear()
        self._environment.filters = {k: v for k, v in self._environment.filters.items() if k in _FILTERS}
        self._environment.filters["listed"] = listed
        self._templates: dict[str, Template] = {}
        self._trees: dict[str, nodes.Template] = {}
        self._closures: dict[str, tuple[str, ...]] = {}
        self._used: dict[str, frozenset[str]] = {}
        self._blocks: dict[str, frozenset[str]] = {}
        self._orders: dict[str, tuple[str, ...]] = {}
        self._rendered: dict[tuple[str, str | None, str, Hashable], str] = {}
        self.latest: dict[tuple[str, str, str], tuple[Facts, int, str]] = {}
        self._fields: dict[tuple[str, str], frozenset[str]] = {}
        self._hashes: dict[str, str] = {}

    @classmethod
    def load(cls, folders: Sequence[Path] | None = None) -> Prompts:
        """Read the templates of several folders; of two with one name, the one in the earlier folder wins.

        While the files are the same, the answer is the same object, which has compiled them already; files that were not
        touched are not even read again.

        Raises:
            TemplateFault: a template is too long, is no text, or leads out of its folder.
        """
        where = prompt_folders() if folders is None else folders
        return _read(tuple((folder, tuple(sorted(_files(folder, "")))) for folder in where))

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.sources))

    def has(self, name: str) -> bool:
        return name in self.sources

    def blocks(self, name: str) -> frozenset[str]:
        """The blocks that a template defines."""
        if name not in self._blocks:
            self._blocks[name] = frozenset(self._template(name).blocks)
        return self._blocks[name]

    def render(self, name: str, context: Mapping[str, Plain], *, block: str | None = None) -> str:
        """The text of a template, or of one of its blocks; blank lines at both ends are cut.

        Raises:
            TemplateFault: the template uses a name that is not in the context, or something forbidden.
        """
        return self.given({}).render(name, context, block=block)

    def given(self, words: Mapping[str, Plain]) -> Given:
        """The same templates where some words always stay the same."""
        return Given(self, words)

    def text(
        self, key: tuple[str, str | None, str, Hashable], words: Mapping[str, Plain], further: Mapping[str, Plain]
    ) -> str:
        """The text of a template and block with these words and further ones, of which the rest of the key tells all values.

        What a template says follows from the names it uses alone, so it is rendered once for all agents and rounds in which
        these are the same.
        """
        text = self._rendered.get(key)
        if text is None:
            if len(self._rendered) >= MOST_KEPT:
                self._rendered.clear()
            text = self._rendered[key] = self._render(key[0], {**words, **further}, key[1])
        return text

    def listed(self, name: str) -> tuple[str, ...]:
        """The names a template uses, always in the same order."""
        if name not in self._orders:
            self._template(name)  # what is forbidden is found first
            self._orders[name] = tuple(sorted(self.names_used(name)))
        return self._orders[name]

    def _render(self, name: str, context: Mapping[str, Plain], block: str | None) -> str:
        template = self._template(name)
        try:
            if block is None:
                return template.render(context).strip()
            return "".join(template.blocks[block](template.new_context(dict(context)))).strip()
        except (TemplateError, ArithmeticError, TypeError, ValueError) as problem:
            raise TemplateFault(f"prompt template {name!r}: {problem}") from problem

    def names_used(self, name: str) -> frozenset[str]:
        """The variables of a template, those of all its branches and includes too."""
        if name not in self._used:
            parts = (meta.find_undeclared_variables(self._tree(part)) for part in self.closure(name))
            self._used[name] = frozenset().union(*parts)
        return self._used[name]

    def fields_used(self, name: str, variable: str) -> frozenset[str]:
        """Which fields of one variable a template names, as in ``variable.field``, in all its branches and includes."""
        if (name, variable) not in self._fields:
            self._fields[name, variable] = frozenset(
                node.attr
                for part in self.closure(name)
                for node in self._tree(part).find_all(nodes.Getattr)
                if isinstance(node.node, nodes.Name) and node.node.name == variable
            )
        return self._fields[name, variable]

    def closure(self, name: str) -> tuple[str, ...]:
        """The template and all it includes, sorted.

        Raises:
            TemplateFault: an include that is not there, that leads back, or whose name is computed.
        """
        if name in self._closures:
            return self._closures[name]
        sizes: dict[str, int] = {}

        def visit(part: str, above: tuple[str, ...]) -> int:
            if part in above:
                raise TemplateFault(f"prompt template {name!r}: {part!r} includes itself")
            if part not in sizes:
                size = 1
                for included in meta.find_referenced_templates(self._tree(part)):
                    if included is None:
                        raise TemplateFault(f"prompt template {part!r}: the name of an include must be written out")
                    size += visit(included, (*above, part))
                sizes[part] = size
            return sizes[part]

        if visit(name, ()) > MOST_INCLUDES:
            raise TemplateFault(f"prompt template {name!r}: more than {MOST_INCLUDES} includes")
        self._closures[name] = tuple(sorted(sizes))
        return self._closures[name]

    def hash(self, name: str) -> str:
        """SHA-256 over the template and everything it includes."""
        if name not in self._hashes:
            parts = [f"{part}\n{sha256(self.sources[part].encode()).hexdigest()}\n" for part in self.closure(name)]
            self._hashes[name] = sha256("".join(parts).encode()).hexdigest()
        return self._hashes[name]

    def _template(self, name: str) -> Template:
        if name not in self._templates:
            for part in self.closure(name):
                self._refuse_forbidden(part)
            self._templates[name] = self._environment.get_template(name)
        return self._templates[name]

    def _tree(self, name: str) -> nodes.Template:
        if name not in self._trees:
            self._trees[name] = self._parse(name)
        return self._trees[name]

    def _parse(self, name: str) -> nodes.Template:
        if name not in self.sources:
            raise TemplateFault(f"there is no prompt template {name!r}{did_you_mean(name, self.sources)}")
        try:
            return self._environment.parse(self.sources[name], name=name)
        except (TemplateError, TemplateNotFound, RecursionError) as problem:
            line = getattr(problem, "lineno", None)
            raise TemplateFault(f"prompt template {name!r}, line {line or '?'}: {problem}") from problem

    def _refuse_forbidden(self, name: str) -> None:
        tree = self._tree(name)
        for node in tree.find_all(_FORBIDDEN):
            raise TemplateFault(
                f"prompt template {name!r}, line {node.lineno}: {type(node).__name__.lower()} is not allowed here; "
                "templates hold text, values, conditions, loops, blocks and includes"
            )
        for assigned in tree.find_all(nodes.Assign):
            for grown in assigned.find_all(nodes.Filter):
                if grown.name in ("join", "listed"):
                    raise TemplateFault(
                        f"prompt template {name!r}, line {grown.lineno}: texts cannot be kept in a name"
                    )
        if _nested_loops(tree) > MOST_NESTED_LOOPS:
            raise TemplateFault(f"prompt template {name!r}: more than {MOST_NESTED_LOOPS} loops inside each other")
        for wanted in tree.find_all(nodes.Filter):
            if wanted.name not in self._environment.filters:
                raise TemplateFault(
                    f"prompt template {name!r}, line {wanted.lineno}: no filter {wanted.name!r} "
                    f"(known: {', '.join(sorted(self._environment.filters))})"
                )


class Given:
    """Templates of which some words stay the same: these are looked at once, and then only what changes.

    Attributes:
        prompts: the templates.
        words: what stays the same.
    """

    def __init__(self, prompts: Prompts, words: Mapping[str, Plain]) -> None:
        self.prompts, self.words = prompts, words
        self._kept: dict[str, tuple[dict[str, Plain], str, frozenset[str]]] = {}

    def render(self, name: str, further: Mapping[str, Plain], *, block: str | None = None) -> str:
        """As `Prompts.render`, with `further` words on top of those that stay the same."""
        words, told, used = self._kept.get(name) or self._keep(name)
        now = further if further.keys() <= used else {word: further[word] for word in further if word in used}
        return self.prompts.text((name, block, told, _values(now)), words, now)

    def told(self, name: str, block: str, facts: Facts, round_: int) -> str:
        """A block that words facts; those that many are told in a row are looked at once for all whose words are the same."""
        _, told, _ = self._kept.get(name) or self._keep(name)
        latest = self.prompts.latest.get((name, block, told))
        if latest is not None and latest[0] is facts and latest[1] == round_:
            return latest[2]
        text = self.render(name, {"facts": plain_data(facts), "round": round_}, block=block)
        if len(self.prompts.latest) >= MOST_KEPT:
            self.prompts.latest.clear()
        self.prompts.latest[name, block, told] = (facts, round_, text)
        return text

    def _keep(self, name: str) -> tuple[dict[str, Plain], str, frozenset[str]]:
        used = self.prompts.listed(name)
        words = {word: self.words[word] for word in used if word in self.words}
        kept = self._kept[name] = (words, repr(words), frozenset(used))
        return kept


def _values(words: Mapping[str, Plain]) -> Hashable:
    """All values and their types, to tell one set of words from another."""
    try:
        return marshal.dumps(
            words if type(words) is dict else dict(words), 2
        )  # a later format depends on what else refers to a value
    except ValueError:  # a kind of mapping or text of somebody's own
        return repr(words)


def _nested_loops(node: nodes.Node) -> int:
    below = max((_nested_loops(child) for child in node.iter_child_nodes()), default=0)
    return below + isinstance(node, nodes.For)


_Stamp = tuple[str, int, int, int]
"""A file below a folder: its name there, when it was changed (in nanoseconds), its size and its inode."""


def _files(folder: Path, inside: str) -> Iterator[_Stamp]:
    """Every template below a folder."""
    with os.scandir(folder / inside) as entries:
        for entry in entries:
            name = f"{inside}/{entry.name}" if inside else entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from _files(folder, name)
            elif name.endswith(".j2"):
                stat = entry.stat()
                yield name, stat.st_mtime_ns, stat.st_size, stat.st_ino


@lru_cache(maxsize=4)
def _read(found: tuple[tuple[Path, tuple[_Stamp, ...]], ...]) -> Prompts:
    sources: dict[str, str] = {}
    for folder, stamps in found:
        for name, *_ in stamps:
            if name not in sources:
                sources[name] = _read_template(folder / name, folder)
    return _of(tuple(sources.items()))


@lru_cache(maxsize=4)
def _of(sources: tuple[tuple[str, str], ...]) -> Prompts:
    return Prompts(dict(sources))


def _read_template(path: Path, folder: Path) -> str:
    resolved = path.resolve()
    if not resolved.is_relative_to(folder.resolve()) or not resolved.is_file():
        raise TemplateFault(f"prompt template {path.name!r} is no plain file inside {folder.name!r}")
    raw = resolved.read_bytes()
    if len(raw) > MAX_TEMPLATE_BYTES:
        raise TemplateFault(f"prompt template {path.name!r} is longer than {MAX_TEMPLATE_BYTES} bytes")
    try:
        return raw.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as problem:
        raise TemplateFault(f"prompt template {path.name!r} is not UTF-8: {problem}") from problem
