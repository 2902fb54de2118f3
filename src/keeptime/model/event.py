"""An event: a change that somebody made, or that keeptime saw, which may be the cause of what happened after it.

Guarantees: it has an instant, an author and the contracts that it concerns; it changes nothing that is judged.
Pure: knows no store and no clock; instants are Unix seconds.
"""

from dataclasses import dataclass
from enum import StrEnum

LONGEST_AGO = 400 * 86_400.0
"""Seconds that an event is kept, and that it may lie in the past when it is told: as long as an incident."""
AHEAD = 60.0
"""Seconds that it may lie in the future: what the clocks of two machines differ by."""
MOST_CONTRACTS = 20
"""Contracts that one event can name; what concerns more of them concerns all."""
BEFORE = 3600.0
"""Seconds before an incident within which an event is shown with it."""
MOST_KEPT = 100_000
"""Events that are kept at most: the newest."""
ITSELF = "keeptime"
"""The author of what keeptime marks by itself."""
NEW_CONTRACT = "the contract is new"
"""What is said of a contract that was not kept before: nothing was changed by it."""


class EventKind(StrEnum):
    """What was changed. The last two keeptime marks by itself: a contract, and a version in the traffic."""

    DEPLOY = "deploy"
    CONFIG = "config"
    OTHER = "other"
    CONTRACT = "contract"
    VERSION = "version"


TOLD = (EventKind.DEPLOY, EventKind.CONFIG, EventKind.OTHER)
"""Those that somebody tells."""


@dataclass(frozen=True, slots=True)
class Event:
    """`at`: when the change was made; `noted`: when keeptime heard of it. `contracts`: () is every one. `version`:
    of what was put in place; `key`: under which it was told, so that telling it again marks nothing ("": none).
    """

    id: int
    kind: EventKind
    at: float
    contracts: tuple[str, ...]
    author: str
    version: str = ""
    text: str = ""
    link: str = ""
    noted: float = 0.0
    key: str = ""

    def says_the_same(self, other: "Event", *, at: bool) -> bool:
        """Does it tell of the same change? `at`: the instant was told, too."""
        own, others = (
            (each.kind, each.contracts, each.author, each.version, each.text, each.link) for each in (self, other)
        )
        return own == others and (not at or self.at == other.at)


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events are wanted, newest first, at most so many. `contract`: those that concern it, "" of any; `kind`:
    None of any; `since`, `until`: made from then on, and before; `after`: those that are older than this one.
    """

    contract: str = ""
    kind: EventKind | None = None
    since: float | None = None
    until: float | None = None
    after: int | None = None
    most: int = 100


def refusal(at: float, now: float) -> str:
    """Why there can be no event of this instant, else ""."""
    if at > now + AHEAD:
        return f"it lies in the future; expected an instant within {AHEAD:g} s from now at the latest"
    if at < now - LONGEST_AGO:
        return f"it is too old; expected an instant within the last {LONGEST_AGO / 86_400:g} days"
    return ""
