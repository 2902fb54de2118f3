"""Signs of life that came, and those that no longer do: a heartbeat expires.

Guarantees: a contract is silent after MISSED of its own intervals without a newer heartbeat; an old one that comes
again makes nobody live longer. Only contracts that sent a heartbeat are known. Memory is bounded. No clock.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime

from keeptime.consumer.heartbeat import Heartbeat
from keeptime.units import speak_duration

MISSED = 3
"""Intervals without a sign: a single one that was lost, or came late, alarms nobody."""

MOST = 10_000


@dataclass(frozen=True, slots=True)
class Silent:
    """A contract whose heartbeats stopped. `since`: when the last one came (Unix seconds)."""

    contract: str
    since: float
    every_seconds: float
    text: str


class Pulse:
    """The newest heartbeat of each contract, and when it came. Mutable."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._last: OrderedDict[str, tuple[Heartbeat, float]] = OrderedDict()

    def newer(self, beat: Heartbeat) -> bool:
        """Is it a sign that was not heard before?"""
        last = self._last.get(beat.contract)
        return last is None or last[0].at < beat.at

    def feel(self, beat: Heartbeat, now: float) -> None:
        """A heartbeat came. `now`: Unix seconds."""
        if self.newer(beat):
            self._last.pop(beat.contract, None)
            self._last[beat.contract] = (beat, now)
            while len(self._last) > self._most:
                self._last.popitem(last=False)

    def silent(self, now: float) -> tuple[Silent, ...]:
        return tuple(
            Silent(beat.contract, came, beat.every_seconds, _sentence(beat, came, now))
            for beat, came in self._last.values()
            if now - came > MISSED * beat.every_seconds
        )


def _sentence(beat: Heartbeat, came: float, now: float) -> str:
    return (
        f"{beat.contract} is silent since {datetime.fromtimestamp(came, UTC):%Y-%m-%d %H:%M:%S} UTC "
        f"({speak_duration(now - came)}); a heartbeat was promised every {speak_duration(beat.every_seconds)}: "
        "whoever keeps it may not be able to tell"
    )
