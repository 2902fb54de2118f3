"""Bearer tokens: what they may do, how one is written, what is kept of it.

Guarantees: of a token only a hash is kept, which is made elsewhere. Knows no file and no HTTP.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

_WRITTEN = re.compile(r"kt_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


class Scope(StrEnum):
    """What a token may be for. `admin` includes the others; the others include nothing more."""

    READ = "read"
    INGEST = "ingest"
    SILENCE = "silence"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of one. `id` stands in the token itself; instants in Unix seconds; `expires`: None is never.
    `consumer`: the one whose status page a link with it opens, which is all that such a token is for; "" of others.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    hashed: str
    created: float
    expires: float | None = None
    consumer: str = ""

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def is_over(self, now: float) -> bool:
        return self.expires is not None and now >= self.expires


def id_of(written: str) -> str | None:
    """The id within a token as it is handed out: `kt_`, 12 hexadecimal digits, `_`, 256 bits in base64url. None:
    this is no token of keeptime's."""
    found = _WRITTEN.fullmatch(written)
    return found[1] if found else None


def spell(identity: str, secret: str) -> str:
    """A token as it is handed out; `secret` has 43 characters."""
    return f"kt_{identity}_{secret}"
