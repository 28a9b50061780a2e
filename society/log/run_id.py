"""Names of runs: sortable by time, readable by people, such as ``20261122T235501-fishery-brave-heron-7f3a``."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from functools import lru_cache

_MOOD_WORDS = (
    "able amber bold brave bright brisk calm clear clever cosy crisp daring eager early fair fleet fond frank fresh gentle glad "
    "golden grand green happy hardy honest humble jolly keen kind lively loyal lucky mellow merry mild misty modest neat nimble "
    "noble patient placid plain polite proud quick quiet rapid ready royal rustic silver sober solid steady sunny swift tidy "
    "warm wise"
)
_ANIMAL_WORDS = (
    "badger beaver bison bittern buzzard crane curlew dipper dolphin dotterel dunlin eagle eider elk falcon finch fox gannet "
    "goose grebe grouse gull hare harrier hawk hedgehog heron hobby ibex jay kestrel kite lapwing lark linnet lynx magpie marten "
    "merlin mole moose newt nightjar osprey otter owl partridge pelican perch petrel pike pipit plover puffin rail raven robin "
    "salmon seal shrew siskin stoat stork swan teal tern trout vole wren"
)


_MOODS, _ANIMALS = _MOOD_WORDS.split(), _ANIMAL_WORDS.split()


def utc_now() -> str:
    """The time in UTC as the log writes it, to the millisecond, such as ``2026-11-22T23:55:01.042Z``."""
    second, milliseconds = divmod(time.time_ns() // 1_000_000, 1000)
    return f"{_second(second)}.{milliseconds:03d}Z"


@lru_cache(maxsize=4)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat().removesuffix("+00:00")


def new_run_id(scenario: str) -> tuple[str, str]:
    """A new id and the readable name in it. The clock and chance are used here, at the rim, and nowhere in a run."""
    name = f"{secrets.choice(_MOODS)}-{secrets.choice(_ANIMALS)}-{secrets.token_hex(2)}"
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{scenario}-{name}", name
