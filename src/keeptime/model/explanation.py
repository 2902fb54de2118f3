"""Why requests were slow, as far as the evidence tells.

Guarantees: a cause is named only where it stands out; else `causes` is empty, and `lines` say so. Shares are in
0-1, an interval holds its estimate. Standard library alone.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID, uuid5

NAMESPACE = UUID("0f4f5e0e-6a25-5f43-8a25-9d5f2f4c1d77")
"""Of the ids of messages that tell a cause (UUIDv5, RFC 9562 §5.5); changing it changes every id."""


class CauseKind(StrEnum):
    """What was found. `attributes`: two together. `neighbour`: what another contract on the same host went
    through; `traffic`: how many requests of its own there were."""

    ATTRIBUTE = "attribute"
    ATTRIBUTES = "attributes"
    NEIGHBOUR = "neighbour"
    TRAFFIC = "traffic"
    EVENT = "event"
    PHASE = "phase"


@dataclass(frozen=True, slots=True)
class Share:
    """Of the bad requests, the part that would not have been bad without it; at a level that is corrected for all
    that was tried."""

    low: float
    at: float
    high: float


@dataclass(frozen=True, slots=True)
class Cause:
    """`kind`: what was found; `sentence`: what stands out, with its figures; `names`: the same for programs, such
    as "replica=r3"."""

    kind: str
    sentence: str
    names: tuple[str, ...] = ()
    share: Share | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """When requests became slower: at `at` (Unix seconds), or at any instant from `earliest` to `latest`; until
    `until`, None where it goes on. `before`, `during`: the shares that were bad."""

    at: float
    earliest: float
    latest: float
    until: float | None
    before: float
    during: float


@dataclass(frozen=True, slots=True)
class PhaseTime:
    """Seconds of one phase: the medians of usual requests and of bad ones. `most`: the part of the bad requests
    whose extra time lies mostly in it."""

    name: str
    usual: float
    bad: float
    most: float


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked at: requests that were kept, from `since` to `until` (Unix seconds); of how many attributes,
    phases and events."""

    bad: int
    good: int
    since: float
    until: float
    attributes: int = 0
    phases: int = 0
    events: int = 0
    series: int = 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """Of one incident, as of an instant (Unix seconds). `lines`: the cause in at most two lines. `causes`: the one
    that accounts for most first. `phases`: those with the most extra time first. `stood`: where in their code late
    requests stood most of the time, "" where nobody saw it."""

    incident: str
    at: float
    lines: tuple[str, ...]
    causes: tuple[Cause, ...] = ()
    changed: Changed | None = None
    phases: tuple[PhaseTime, ...] = ()
    looked: Looked | None = None
    stood: str = ""


def explained_id(incident: str) -> str:
    """The id of the one message that tells why, of this incident."""
    return str(uuid5(NAMESPACE, incident))
