"""How often somebody may ask: a bucket of so many at once that fills again at a steady rate.

Guarantees: takes a bounded memory, whoever asks; an address of IPv6 counts as its network of 64 bits, for whoever
has one has them all. Knows no clock: `now` is the caller's, of a clock that never steps, in seconds.
"""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field

MOST = 4096
"""Who is remembered at most; who asked longest ago is forgotten first, and then has a full bucket again."""


@dataclass(slots=True)
class Limit:
    """`burst` at once, and `rate` a second in the long run, for each key."""

    rate: float
    burst: float
    most: int = MOST
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, key: str, now: float) -> float:
        """0 where one more is granted, else after how many seconds it would be."""
        left = self._now(key, now)
        granted = left >= 1
        self._left[key] = left - granted, now
        self._left.move_to_end(key)
        if len(self._left) > self.most:
            self._left.popitem(last=False)
        return 0.0 if granted else (1 - left) / self.rate

    def wait(self, key: str, now: float) -> float:
        """As `take`, but nothing is taken."""
        left = self._now(key, now)
        return 0.0 if left >= 1 else (1 - left) / self.rate

    def _now(self, key: str, now: float) -> float:
        left, at = self._left.get(key, (self.burst, now))
        return min(self.burst, left + max(0.0, now - at) * self.rate)


def key_of(address: str) -> str:
    """What requests of this address are counted under."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
