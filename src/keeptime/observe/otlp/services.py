"""What is remembered of each service that exports histograms.

Guarantees: bounded in services, in series of each and in series of all; of a service that was forgotten the next
totals are where counting starts, so nothing of it counts twice.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from keeptime.model.key import Signal
from keeptime.observe.cumulative import Growth
from keeptime.observe.intake.refusing import Wrong
from keeptime.observe.intake.when import SECOND, When
from keeptime.observe.otlp.conventions import USUAL

MOST_SERVICES, MOST_SERIES, MOST_OF_ALL = 200, 10_000, 50_000
"""Services, series of one, and series of all of them."""

SEEN_SECONDS = 3600
"""For so long after its last point a better histogram stands for a worse one."""

REMEMBERED = 4
"""Instants of a series: a point of one of them, or older than all, is the same one sent again."""


@dataclass(slots=True)
class Service:
    """What is remembered of one: what its series grew to, of which instants they were, which histograms came,
    and when the last did."""

    growth: Growth
    times: OrderedDict[tuple[object, ...], tuple[int, ...]] = field(default_factory=OrderedDict)
    seen: dict[str, int] = field(default_factory=dict)
    at_ns: int = 0

    def sends(self, metric: str, when: When) -> bool:
        """Did a histogram of this name come lately?"""
        return self.seen.get(metric, 0) > when.now - SEEN_SECONDS * SECOND

    def streamed(self, when: When) -> list[Signal]:
        """Signals of tokens that it tells of: those of a request that failed did not come."""
        return [
            usual.signal
            for name, usual in USUAL.items()
            if usual.signal is not Signal.REQUESTS and self.sends(name, when)
        ]

    def repeated(self, series: tuple[object, ...], at_ns: int, room: Callable[[], int]) -> bool:
        """Was this instant of a series here before? Else it is from now on. `room`: for how many series. Raises
        Wrong."""
        known = self.times.pop(series, ())
        if not known and len(self.times) >= (most := min(room(), MOST_SERIES)):
            oldest = next(iter(self.times), None)
            if oldest is None or at_ns - self.times[oldest][-1] < SEEN_SECONDS * SECOND:
                of_this = most == MOST_SERIES
                said = (
                    f"{MOST_SERIES} series of this service" if of_this else f"{MOST_OF_ALL} series of all services"
                )
                raise Wrong(f"there are more than {said}; expected fewer attributes")
            del self.times[oldest]
        again = at_ns in known or (len(known) == REMEMBERED and at_ns < known[0])
        self.times[series] = known if again else tuple(sorted((*known, at_ns)))[-REMEMBERED:]
        return again


class Services:
    """`since_ns`: when keeptime began to watch."""

    def __init__(self, since_ns: int) -> None:
        self._since_ns: int | None = since_ns
        self._watched_ns = since_ns
        self._services: OrderedDict[str, Service] = OrderedDict()

    def of(self, name: str, when: When) -> Service:
        """Raises Wrong where there are too many."""
        found = self._services.pop(name, None)
        if found is None:
            if len(self._services) >= MOST_SERVICES:
                self._forget_one(when)
            found = Service(Growth(since_ns=self._since_ns, most=MOST_SERIES))
        found.at_ns = when.now
        self._services[name] = found
        return found

    def watch(self, since_ns: int) -> None:
        """More is watched than before, since then."""
        if since_ns == self._watched_ns:
            return
        self._watched_ns = since_ns
        self._since_ns = None if self._since_ns is None else since_ns
        for each in self._services.values():
            each.growth.anew(since_ns)

    def _forget_one(self, when: When) -> None:
        """The one of which nothing came for longest. Were it to come again, its totals would be where counting
        starts, for nobody knows any more what of them was counted."""
        oldest = next(iter(self._services))
        if when.now - self._services[oldest].at_ns < SEEN_SECONDS * SECOND:
            raise Wrong(f"there are more than {MOST_SERVICES} services; expected a contract that names its own")
        del self._services[oldest]
        self._since_ns = None

    def room(self, service: Service) -> int:
        """How many series it may have, for all that the others have."""
        return MOST_OF_ALL - sum(len(each.times) for each in self._services.values() if each is not service)
