"""How many tokens probes may spend in an hour.

Guarantees: what is on its way counts as all that it may still cost; what is spent counts for an hour since it was
asked. Takes the instants (nanoseconds), reads no clock. Lives as long as its target: a restart begins anew.
"""

from collections import deque

HOUR_NS = 3_600 * 1_000_000_000


class Spent:
    """What one request has cost so far."""

    __slots__ = ("at", "tokens")

    def __init__(self, at: int) -> None:
        self.at, self.tokens = at, 0

    def note(self, tokens: int) -> None:
        self.tokens = tokens


class Budget:
    """`limit`: tokens in an hour, 0 for no limit; `most`: that one answer may have."""

    def __init__(self, limit: int, most: int) -> None:
        self._limit, self._most = limit, most
        self._spent: deque[Spent] = deque()

    def refusal(self, now: int, in_flight: int) -> str:
        """Why nothing may be spent now; "" if it may."""
        while self._spent and self._spent[0].at <= now - HOUR_NS:
            self._spent.popleft()
        if not self._limit:
            return ""
        spent = sum(each.tokens for each in self._spent)
        if spent + self._most * (in_flight + 1) <= self._limit:
            return ""
        return f"{self._limit} tokens an hour are spent"

    def spend(self, at: int) -> Spent:
        """A request leaves."""
        found = Spent(at)
        if self._limit:
            self._spent.append(found)
        return found
