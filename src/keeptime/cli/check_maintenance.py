"""What `keeptime check` says of maintenance: when the next windows are.

Guarantees: takes `now` (Unix nanoseconds), reads no clock; times for people are of the window's own time zone.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from keeptime.contract.maintenance import SECOND, reason_of, upcoming
from keeptime.contract.scope import Maintenance
from keeptime.units import format_duration

SHOWN = 3
"""So many windows of each are shown."""


def line(window: Maintenance, now_ns: int) -> str:
    """One window and its next occurrences."""
    zone = ZoneInfo(window.timezone)
    starts = [datetime.fromtimestamp(start / SECOND, zone) for start, _ in upcoming(window, now_ns, SHOWN)]
    when = ", ".join(f"{start:%Y-%m-%d %H:%M}" for start in starts)
    said = f"{when} {window.timezone}, for {format_duration(window.lasts)}" if when else "there is none any more"
    of = f", {', '.join(window.objectives)} alone" if window.objectives else ""
    return f"maintenance: {reason_of(window)}{of}: {said}"


def as_json(window: Maintenance, now_ns: int) -> dict[str, object]:
    """The same for scripts; instants in Unix seconds."""
    spans = upcoming(window, now_ns, SHOWN)
    return {
        "reason": window.reason,
        "author": window.author,
        "objectives": list(window.objectives) or None,
        "next": [{"start": start / SECOND, "end": end / SECOND} for start, end in spans],
    }
