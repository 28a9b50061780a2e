"""The stage games, one file each."""

from typing import Any

from society.core.mechanism import Mechanism
from society.core.registry import Registry

MECHANISMS: Registry[Mechanism[Any]] = Registry(
    "mechanism", Mechanism, "society.mechanisms"
)  # Any: each has its own state
