"""The meaning of rules: read, check, evaluate and explain; no clock, no network, no printing."""

__version__ = "0.1.0"
