"""Who is who: agents' names, and which of them a reader or a model could mistake for another.

A name is shown to people and to language models, so it must not pass for the harness (`SYSTEM`), for everybody (`all`), or
for another agent, whatever the script, case or width it is written in. Any script is welcome.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import count

MAX_LENGTH = 40

DEFAULT_NAMES = (
    "Ann", "Bo", "Cy", "Dee", "Eli", "Fay", "Gus", "Hal", "Ida", "Jo", "Kit", "Lou", "Mia", "Ned", "Oda", "Pat", "Quin",
    "Ray", "Sue", "Tom", "Una", "Vic", "Wes", "Xia", "Yan", "Zoe", "Abe", "Bea", "Cal", "Dot", "Eve", "Fox", "Gil", "Hua",
    "Ivo", "Jan", "Kai", "Lea", "Max", "Noa", "Ole", "Pia", "Ren", "Sam", "Tia", "Uri", "Val", "Wyn", "Yul", "Zed",
)  # fmt: skip

_RESERVED = frozenset(
    {
        "all",
        "any",
        "anybody",
        "anyone",
        "assistant",
        "admin",
        "administrator",
        "agent",
        "agents",
        "both",
        "developer",
        "each",
        "environment",
        "everybody",
        "everyone",
        "game",
        "gamemaster",
        "group",
        "harness",
        "host",
        "i",
        "itself",
        "me",
        "model",
        "moderator",
        "narrator",
        "no",
        "nobody",
        "note",
        "none",
        "noone",
        "null",
        "operator",
        "other",
        "others",
        "outside",
        "private",
        "public",
        "referee",
        "result",
        "rules",
        "self",
        "server",
        "society",
        "somebody",
        "someone",
        "system",
        "the",
        "them",
        "they",
        "tool",
        "us",
        "user",
        "we",
        "world",
        "yes",
        "you",
    }
)
_ROLES = frozenset({"system", "assistant", "developer", "user"})

_LOOKALIKES = {
    ord(char): latin
    for latin, chars in {
        "a": "аɑαạ", "b": "ЬВвβ", "c": "сϲᴄ", "d": "ԁɗ", "e": "еεҽ", "g": "ɡց", "h": "һнη", "i": "іιıɩӏ", "j": "јϳ",
        "k": "кκ", "l": "1|ⅼӏ", "m": "мμ", "n": "ոпռ", "o": "0оοσօօ೦", "p": "рρ", "q": "ԛգ", "r": "гᴦ", "s": "ѕꜱ",
        "t": "тτ", "u": "υսᴜ", "v": "ѵνᴠ", "w": "ԝѡωᴡ", "x": "хχ", "y": "уγүყ", "z": "ᴢζ",
    }.items()
    for char in chars
}  # fmt: skip
_CAPITALS = {
    ord(char): latin
    for latin, chars in {
        "A": "АΑ", "B": "ВΒ", "C": "СϹ", "E": "ЕΕ", "H": "НΗ", "I": "ІΙӀ", "J": "Ј", "K": "КΚ", "M": "МΜ", "N": "Ν",
        "O": "ОΟ", "P": "РΡ", "S": "Ѕ", "T": "ТΤ", "X": "ХΧ", "Y": "УΥҮ", "Z": "Ζ", "Q": "Ԛ", "W": "Ԝ", "G": "Ԍ",
    }.items()
    for char in chars
}  # fmt: skip
_CAPITAL_I_AS_L = re.compile(r"(?<=\w)I(?=[a-z])|(?<=[a-z])I")
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0\U0001d159")
"""Letters and marks that show nothing; so do variation selectors."""
_SEPARATE_SCRIPTS = frozenset({"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE", "COPTIC", "GEORGIAN", "LISU"})


def clean_name(name: str) -> str:
    """The name in canonical form (NFC).

    Raises:
        ValueError: it is empty, too long, could pass for the harness or for everybody, or holds what is no letter, digit,
            space, hyphen, apostrophe or full stop.
    """
    name = unicodedata.normalize("NFC", name)
    if not name.strip():
        raise ValueError("a name must not be empty")
    if len(name) > MAX_LENGTH:
        raise ValueError(f"a name has at most {MAX_LENGTH} characters")
    if name != name.strip():
        raise ValueError("a name must not start or end with a blank")
    for place, char in enumerate(name):
        if not _allowed(char):
            raise ValueError(
                f"a name must not hold {_spoken(char)}; letters, digits, blanks, hyphens and full stops may stand there"
            )
        if place >= 3 and all(unicodedata.category(c)[0] == "M" for c in name[place - 3 : place + 1]):
            raise ValueError("a name must not pile up marks on one letter")
    if "  " in name or ".." in name:
        raise ValueError("a name must not hold two blanks or full stops in a row")
    if not any(unicodedata.category(char)[0] == "L" for char in name):
        raise ValueError("a name needs at least one letter")
    wide = unicodedata.normalize("NFKC", name)
    if wide != name:
        raise ValueError(f"write this name in ordinary letters, such as {wide!r}")
    if len(scripts := _scripts(name)) > 1:
        raise ValueError(f"a name must not mix letters of {' and '.join(scripts)}; they look alike")
    squeezed = re.sub(r"[\W_]", "", skeleton(name))
    words = re.split(r"[\W_\d]+", skeleton(name))
    bare = "".join(words[1:]) if words[0] == "the" else squeezed
    if {squeezed, bare} & _RESERVED or _ROLES & set(words):
        raise ValueError("this name could be taken for the harness or for everybody; choose another")
    return name


def skeleton(name: str) -> str:
    """What the name looks like: names with equal skeletons can be mistaken for each other."""
    text = unicodedata.normalize("NFKC", name).translate(_CAPITALS)
    text = _CAPITAL_I_AS_L.sub("l", text).casefold().translate(_LOOKALIKES)
    decomposed = unicodedata.normalize("NFD", text)
    latin = "".join(char for char in decomposed if ord(char) < 128)
    return latin if len(latin) * 2 > len(decomposed) else text


def default_names(taken: Iterable[str]) -> Iterator[str]:
    """Names to give, always in the same order, without those that could be mistaken for one that is taken."""
    used = {skeleton(name) for name in taken}
    for lap in count(1):
        for name in DEFAULT_NAMES:
            full = name if lap == 1 else f"{name} {lap}"
            if skeleton(full) not in used:
                yield full


def _allowed(char: str) -> bool:
    category = unicodedata.category(char)
    if "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef" or char in _INVISIBLE:
        return False
    return category[0] == "L" or category in ("Mn", "Mc", "Nd") or char in " -.'’"


def _spoken(char: str) -> str:
    if (char.isascii() and char.isprintable()) or unicodedata.category(char)[0] in "PS":
        return repr(char)
    return f"U+{ord(char):04X} ({unicodedata.name(char, 'a control character').lower()})"


def _scripts(name: str) -> list[str]:
    """Which of the scripts with look-alike letters the name uses."""
    first_words = (unicodedata.name(char, "").split(" ")[0] for char in name if unicodedata.category(char)[0] == "L")
    return sorted({word.title() for word in first_words if word in _SEPARATE_SCRIPTS})
