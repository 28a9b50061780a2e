"""The governance instruments, one file each."""

from society.core.instrument import Instrument
from society.core.registry import Registry

INSTRUMENTS: Registry[Instrument] = Registry("instrument", Instrument, "society.instruments")
