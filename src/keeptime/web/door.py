"""How the one port is guarded: which names, whose proxies, whose tokens, how often.

Guarantees: made once at the start and then only asked; without rights given nobody is asked who they are, which is
for a loopback address alone.
"""

from dataclasses import dataclass, field

from keeptime.app.auditing import Audit
from keeptime.app.rights import Rights
from keeptime.clock import Clock, SystemClock
from keeptime.errors import TokenError
from keeptime.web.limits import Limit
from keeptime.web.whence import Network

BODY_SECONDS = 10.0
"""A body must be wholly here this long after its head."""


def _asking() -> Limit:
    return Limit(rate=50, burst=200)


def _failing() -> Limit:
    return Limit(rate=1 / 6, burst=10)


@dataclass(slots=True)
class Door:
    """`hosts`: host names beside addresses that may be asked for. `proxies`: whose forwarded headers are believed,
    and who alone may come without TLS from elsewhere. `per_address`, `per_token`: of all requests; `failures`: of
    tokens that were nobody's, for each address."""

    hosts: frozenset[str] = frozenset()
    proxies: tuple[Network, ...] = ()
    rights: Rights | None = None
    clock: Clock = field(default_factory=SystemClock)
    audit: Audit = field(default_factory=lambda: Audit(SystemClock()))
    per_address: Limit = field(default_factory=_asking)
    per_token: Limit = field(default_factory=_asking)
    failures: Limit = field(default_factory=_failing)
    body_seconds: float = BODY_SECONDS

    def __post_init__(self) -> None:
        self.hosts = frozenset(host.lower().rstrip(".") for host in self.hosts)

    def asks(self) -> bool:
        """Must who asks show a token?"""
        try:
            return self.rights is not None and self.rights.asked()
        except TokenError:
            return True

    def now(self) -> float:
        """Seconds of a clock that never steps."""
        return self.clock.monotonic_ns() / 1e9
