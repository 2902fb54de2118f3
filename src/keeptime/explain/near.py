"""What was changed when requests became slower.

Guarantees: pure; a change is named where one so near is unlikely to be there by chance, by how often there is one
(a Poisson process); of several the nearest come first.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from keeptime.model.event import Event
from keeptime.model.explanation import Changed

LEAD = 300.0
"""Seconds before it within which a change is taken for near: a roll-out takes its time."""
MOST = 2


@dataclass(frozen=True, slots=True)
class Near:
    """`lead`: seconds from the event until requests became slower (negative: it was told a little after)."""

    event: Event
    lead: float


def near(changed: Changed, events: Sequence[Event], since: float, slack: float, level: float) -> list[Near]:
    """Of events that are known from `since` on. `slack`: seconds by which an instant may be wrong."""
    begin, end = changed.earliest - LEAD, changed.latest + slack
    there = [each for each in events if begin <= each.at <= end]
    known = max(end - since, end - begin)
    often = (1 + sum(since <= each.at < begin for each in events)) / known
    if not there or 1 - math.exp(-often * (end - begin)) > level:
        return []
    there.sort(key=lambda each: (each.at > changed.latest, abs(changed.at - each.at)))
    return [Near(each, changed.at - each.at) for each in there[:MOST]]
