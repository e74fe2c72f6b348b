"""API keys: a name, a role and the hash of a secret that is shown once."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["read", "draft"]
"""`read` asks and decides; `draft` also changes the team's drafts."""
ROLES: tuple[Role, ...] = get_args(Role)
_LINE = re.compile(r"([\w.@-]{1,64})[ :\t]+(read|draft)[ :\t]+sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Key:
    """Who may come in, as what; the secret itself is not kept."""

    name: str
    role: Role
    digest: bytes


def new_key(name: str, role: Role) -> tuple[str, str]:
    """A new secret and the line that lets it in. Raises `ValueError` for a name that is none."""
    secret = f"placet_{secrets.token_urlsafe(32)}"
    line = f"{name} {role} sha256:{_digest(secret.encode()).hex()}"
    if not _LINE.fullmatch(line):
        raise ValueError("a name has 1 to 64 letters, digits, `.`, `@`, `_` or `-`")
    return secret, line


def read_keys(lines: Iterable[str]) -> tuple[Key, ...]:
    """Keys from lines `name role sha256:…`; blank ones and those after `#` say nothing.

    Raises `ValueError` that names the line, never what stands in it: it may be a secret.
    """
    keys: dict[str, Key] = {}
    for number, written in enumerate(lines, 1):
        line = written.partition("#")[0].strip()
        if not line:
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise ValueError(f"line {number} is not `name role sha256:…` with role read or draft")
        role: Role = "draft" if found[2] == "draft" else "read"
        key = Key(found[1], role, bytes.fromhex(found[3]))
        if key.name in keys:
            raise ValueError(f"line {number} has the name of a line above; each key has its own")
        if any(other.digest == key.digest for other in keys.values()):
            raise ValueError(f"line {number} has the secret of a line above; each key has its own")
        keys[key.name] = key
    return tuple(keys.values())


def key_of(keys: Iterable[Key], secret: bytes) -> Key | None:
    """The key that a secret opens; every key is compared, so that time tells nothing."""
    digest = _digest(secret)
    found: Key | None = None
    for key in keys:
        if hmac.compare_digest(key.digest, digest):
            found = key
    return found


def _digest(secret: bytes) -> bytes:
    # The secret has 256 random bits: a slow hash would add nothing.
    return hashlib.sha256(secret).digest()
