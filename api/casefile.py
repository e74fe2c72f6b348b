"""What is kept of cases and told of books, as frozen data; `casebook` reads and writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from api.store import StoreError, storable

LONGEST_NAME = 500
"""Characters of a customer or a group; with a workspace they still fit into an index."""
LONGEST_WORKSPACE = 60
"""Characters of the name of a workspace."""
LONGEST_KEY = 100
"""Characters of a workspace, or of a key."""


class KeyUsed(StoreError):
    """Something else was sent with the same key."""

    def __init__(self) -> None:
        super().__init__("the key was used for something else")


class OtherGroup(StoreError):
    """The customer is known in this workspace, and belongs to another group or to none."""

    def __init__(self, group: str) -> None:
        self.group = group
        super().__init__("the customer is known with another group")


class TooLong(StoreError):
    """A name or a key is longer than it may be."""

    def __init__(self, most: int) -> None:
        self.most = most
        super().__init__(f"names and keys have at most {most} characters here")


@dataclass(frozen=True, slots=True)
class Counts:
    """The chips of a case, or of several; what was returned is among the shipped."""

    reserved: int = 0
    licensed: int = 0
    shipped: int = 0
    returned: int = 0

    @property
    def used(self) -> int:
        """What of them counts towards a cap."""
        return self.reserved + self.licensed + self.shipped

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, name) + getattr(other, name) for name in Counts.__slots__))


@dataclass(frozen=True, slots=True)
class CaseEntry:
    """What a list tells of a case.

    Stage, end and counts are copies of what its events come to, for lists and sums. `origin` is the
    case itself, or for a fork the counted case from which it comes in the end.
    """

    id: str
    workspace: str
    process: str
    edition: str
    title: str
    customer: str
    group: str
    holder: str
    counted: bool
    opened_on: int
    version: int
    stage: str
    ended: bool
    counts: Counts
    origin: str
    forked_from: str | None
    forked_at: int | None
    created_at: int
    created_by: str
    updated_at: int


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it was sent, what the ledger supplied, and what it came to."""

    number: int
    key: str | None
    event: dict[str, Any]
    supplied: dict[str, Any]
    stage: str
    ended: bool
    counts: Counts
    judged_by: tuple[str, ...]
    at: int
    by: str


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case with the order that opened it and its events, in their order."""

    entry: CaseEntry
    document: dict[str, Any]
    events: tuple[StoredEvent, ...]


@dataclass(frozen=True, slots=True)
class CasePage:
    """Part of a list of cases, newest first."""

    entries: tuple[CaseEntry, ...]
    next: str | None
    """Where the next page begins, if there is one."""


@dataclass(frozen=True, slots=True)
class LedgerView:
    """A book as one case sees it: its own counts are left out, and for a fork those of its origin."""

    holder: str
    opening: int
    has_book: bool
    """Whether an event has said with what the book opens."""
    others: Counts
    used: int
    """What is used up before the case itself: the opening, and what counts of the others."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the events of a case come to."""

    stage: str
    ended: bool
    counts: Counts


@dataclass(frozen=True, slots=True)
class Taken:
    """What a case comes to with one event more, and what is to be kept with that event."""

    stage: str
    ended: bool
    counts: Counts
    supplied: dict[str, Any]
    judged_by: tuple[str, ...]
    opening: int | None = None
    """With what the book of the holder opens, where this event says so."""


@dataclass(frozen=True, slots=True)
class Appended:
    """A case just after an event; `known` if the event had been there already."""

    case: StoredCase
    known: bool


@dataclass(frozen=True, slots=True)
class CustomerShare:
    """What the cases of one customer hold in a book."""

    customer: str
    counts: Counts
    cases: int


@dataclass(frozen=True, slots=True)
class BookRow:
    """The book of one holder: what it opened with, and what its cases hold."""

    holder: str
    opening: int
    has_book: bool
    counts: Counts
    used: int
    customers: tuple[CustomerShare, ...]
    cases: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A case of which a copy is not what its events come to, and which copies."""

    id: str
    differs: tuple[str, ...]


def holder_of(customer: str | None, group: str | None) -> str:
    """Whose book an order is counted in: that of the group, or of a customer who has none."""
    if group:
        return f"g:{storable(group)}"
    return f"c:{storable(customer)}" if customer else ""
