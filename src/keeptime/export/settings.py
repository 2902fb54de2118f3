"""What a person may choose when exporting; the same for every kind, each of which reads what it needs."""

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where the series come from that the rules count."""

    AUTO = "auto"
    KEEPTIME = "keeptime"
    HISTOGRAM = "histogram"
    NATIVE_HISTOGRAM = "native-histogram"
    BLACKBOX = "blackbox"
    COUNTERS = "counters"


class Naming(StrEnum):
    """Which names the recorded series have: keeptime's, or Sloth's beside them."""

    KEEPTIME = "keeptime"
    SLOTH = "sloth"


@dataclass(frozen=True, slots=True)
class Settings:
    """`interval`: seconds between evaluations, 0 for the usual. `bounds`: two objectives for a threshold that is no
    bucket bound. Addresses are host:port. `year`: the present one, for time zones.
    """

    year: int
    source: Source = Source.AUTO
    interval: int = 0
    bounds: bool = False
    kubernetes: bool = False
    naming: Naming = Naming.KEEPTIME
    keeptime: str = "127.0.0.1:5337"
    alertmanager: str = "127.0.0.1:9093"


Files = dict[str, str]
"""Relative path → text."""
