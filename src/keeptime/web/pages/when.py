"""The range of time that a page shows, in whose time, and the links that lead to another one.

Guarantees: what means nothing is refused; a link says its whole range and zone, so that it shows the same to
whoever has it. Pure: `now` is given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from keeptime.web.posted import Refused

RANGES = {"1h": 3600.0, "6h": 21_600.0, "1d": 86_400.0, "7d": 604_800.0, "28d": 2_419_200.0, "90d": 7_776_000.0}
"""Seconds, by the name that stands in a link: a range that ends now."""
LATEST = 1e11


@dataclass(frozen=True, slots=True)
class When:
    """`start`, `end`: Unix seconds. `named`: the range's name, "" of one with instants of its own. `zone`: its
    name, "UTC" unless asked for."""

    now: float
    start: float
    end: float
    named: str
    zone: str

    @property
    def seconds(self) -> float:
        return self.end - self.start

    def local(self, at: float) -> datetime:
        """This instant in the zone."""
        return datetime.fromtimestamp(at, UTC if self.zone == "UTC" else ZoneInfo(self.zone))

    def query(self, **others: str) -> str:
        """The query of a link that shows the same range; with `others`, which win ("" leaves one out)."""
        own = {"range": self.named} if self.named else {"start": f"{self.start:.0f}", "end": f"{self.end:.0f}"}
        zone = {} if self.zone == "UTC" else {"tz": self.zone}
        pairs = {name: text for name, text in {**own, **zone, **others}.items() if text}
        return f"?{urlencode(pairs)}" if pairs else ""

    def carried(self, **others: str) -> str:
        """The query of a link that keeps the zone alone, with `others`."""
        return self.query(range="", start="", end="", **others)

    def moved(self, start: float, end: float) -> str:
        """The query of a link to another range."""
        return self.query(range="", start=f"{max(0.0, start):.0f}", end=f"{min(end, self.now):.0f}")

    def ranges(self) -> list[tuple[str, str, bool]]:
        """Name, query and whether it is shown now, of each named range."""
        return [(name, self.query(range=name, start="", end=""), name == self.named) for name in RANGES]


def when_of(given: Mapping[str, str], now: float, usual: str = "7d") -> When:
    """What is asked for by `range`, or `start` and `end` (Unix seconds), and `tz`. Raises Refused."""
    zone = zone_of(given.get("tz", "UTC"))
    if "start" not in given and "end" not in given:
        named = given.get("range", usual)
        if named not in RANGES:
            raise Refused(f"range={named}: expected one of {', '.join(RANGES)}")
        return When(now, max(0.0, now - RANGES[named]), now, named, zone)
    end = _instant(given, "end", now)
    start = _instant(given, "start", max(0.0, end - RANGES[usual]))
    if not start < end:
        raise Refused(f"start={start:g} and end={end:g}: expected a start that lies before the end")
    return When(now, start, end, "", zone)


def when_in(given: Mapping[str, str], now: float) -> When:
    """Now, in the zone that is asked for by `tz`: of a page that has no range. Raises Refused."""
    return when_of({"tz": given.get("tz") or "UTC"}, now)


def zone_of(name: str) -> str:
    """Raises Refused where there is no such zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(f"tz={name[:60]}: expected a time zone, such as UTC or Europe/Berlin") from None
    return name


def _instant(given: Mapping[str, str], name: str, default: float) -> float:
    try:
        value = float(given.get(name, default))
    except ValueError:
        value = -1.0
    if not 0 <= value < LATEST:
        raise Refused(f"{name}={given.get(name)}: expected Unix seconds")
    return value
