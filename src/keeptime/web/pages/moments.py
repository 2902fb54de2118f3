"""An instant as a page shows it: for people in the zone that they asked for, and for machines in UTC.

Guarantees: the zone stands beside every time of day. Pure: `now` is given.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from keeptime.web.figures import shown_age
from keeptime.web.pages.when import When


@dataclass(frozen=True, slots=True)
class Moment:
    """`iso`: in UTC, to the second; `text`: for people; `ago`: how long ago, or "in" how long."""

    iso: str
    text: str
    ago: str


def moment(when: When, at: float) -> Moment:
    """This instant as of `when.now`."""
    local = when.local(at)
    utc = datetime.fromtimestamp(at, UTC)
    passed = when.now - at
    ago = f"{shown_age(passed)} ago" if passed >= 0 else f"in {shown_age(-passed)}"
    return Moment(f"{utc:%Y-%m-%dT%H:%M:%SZ}", f"{local:%Y-%m-%d %H:%M:%S %Z}", ago)


def maybe(when: When, at: float | None) -> Moment | None:
    """The same of what may not have been."""
    return None if at is None else moment(when, at)
