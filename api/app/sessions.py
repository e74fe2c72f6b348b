"""Who visits, and who has signed in to the workbench."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie

from api.keys import Key, Role

SESSION_SECONDS = 12 * 3600
MOST_SESSIONS = 10_000


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: the name and role of a key, or somebody at this machine where no key is asked for."""

    name: str
    role: Role


@dataclass(slots=True)
class Sessions:
    """Who has signed in; forgotten when the service stops."""

    _by_token: dict[str, tuple[Visitor, float]] = field(default_factory=dict)

    def open(self, key: Key) -> str:
        """A new session's token."""
        now = time.monotonic()
        for token in [t for t, (_, end) in self._by_token.items() if end < now]:
            del self._by_token[token]
        if len(self._by_token) >= MOST_SESSIONS:
            del self._by_token[next(iter(self._by_token))]
        token = secrets.token_urlsafe(32)
        self._by_token[token] = Visitor(key.name, key.role), now + SESSION_SECONDS
        return token

    def of(self, token: str) -> Visitor | None:
        """Who a token stands for."""
        visitor, end = self._by_token.get(token, (None, 0.0))
        return visitor if end > time.monotonic() else None

    def close(self, token: str) -> None:
        """End a session."""
        self._by_token.pop(token, None)


def token_of(headers: Mapping[bytes, bytes]) -> str:
    """The token in the cookies of a request, or nothing."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get(b"cookie", b"").decode("latin-1")[:4096])
    except Exception:  # a cookie that cannot be read is no cookie
        return ""
    return jar["placet_session"].value if "placet_session" in jar else ""
