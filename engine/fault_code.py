"""One kind of fault, as it is explained to people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FaultCode:
    """One kind of fault: its name, what it means, and what to do about it."""

    title: str
    meaning: str
    mend: str
