"""One kind of fault, as it is explained to people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FaultCode:
    """One kind of fault: its name, what it means, what to do about it, and both in Chinese.

    Rule authors read English: of the families R and V not every code has its Chinese.
    """

    title: str
    meaning: str
    mend: str
    zh: str = ""
