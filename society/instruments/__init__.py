"""Governance, one instrument a file. Every instrument wraps any mechanism; none knows which."""

from society.core.instrument import Instrument
from society.core.registry import Registry

INSTRUMENTS: Registry[Instrument] = Registry("instrument", Instrument, "society.instruments")
