"""A sandbox for inter-agent alignment."""

__version__ = "0.1.0"
