"""From samples of cumulative counters to what was counted between two reads.

Guarantees: exact. A counter that fell was reset, and counts from 0; one that is lost from sight is counted on from
where it was if it is back within an hour; a new one counts from 0 if its target was scraped before without it, and
is else a baseline, from which counting starts. No clock, no I/O.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from keeptime.errors import SourceCapped
from keeptime.observe.series.api import Labels, Line

REMEMBERED = 3600.0
"""Seconds for which a counter that is lost from sight is still known."""
MOST_GONE = 20_000
"""Counters lost for longer whose names are kept, so that none of them is taken for one that has just begun."""

MOST_KNOWN = 50_000
"""Counters of one expression, with those lost from sight: labels with ever new values would fill the memory."""

Target = tuple[str, str]
"""Job and instance."""


def target_of(labels: Labels) -> Target | None:
    """What was scraped for this series; None where its labels do not say."""
    named = dict(labels)
    return (named.get("job", ""), named["instance"]) if "instance" in named else None


@dataclass(slots=True)
class Targets:
    """The targets of which a series was read within the last hour; mutable."""

    seen: dict[Target, float] = field(default_factory=dict)

    def note(self, lines: Sequence[Line], at: float) -> None:
        for line in lines:
            target = target_of(line.labels)
            if line.samples and target is not None:
                self.seen[target] = at

    def known(self, at: float) -> Collection[Target]:
        self.seen = {target: seen for target, seen in self.seen.items() if at - seen <= REMEMBERED}
        return self.seen.keys()


@dataclass(slots=True)
class Watched:
    """The counters of one expression; mutable. `known`: the last value of each, and when it was read."""

    known: dict[Labels, tuple[float, float]] = field(default_factory=dict)

    def check(self, lines: Sequence[Line], at: float) -> None:
        """Raises SourceCapped where these would be too many; nothing is counted then, and nothing lost."""
        if len(self.known) + len(lines) <= MOST_KNOWN:
            return
        self._forget(at)
        fresh = sum(line.labels not in self.known for line in lines)
        if len(self.known) + fresh > MOST_KNOWN:
            raise SourceCapped(
                f"more than {MOST_KNOWN} series within {REMEMBERED / 60:g} min, {fresh} new ones at once; "
                "expected labels with few values"
            )

    def advance(self, lines: Sequence[Line], at: float, targets: Collection[Target] = ()) -> float:
        """What was counted since the last read; `at`: Unix seconds, which must not fall. `targets`: those that were
        read before, so that a series of theirs that is new has begun since."""
        grown = 0.0
        for line in lines:
            if not line.samples:
                continue
            value = line.samples[-1][1]
            before = self.known.get(line.labels)
            if before is None:
                grown += value if target_of(line.labels) in targets else 0.0
            elif at - before[1] <= REMEMBERED:
                grown += value - before[0] if value >= before[0] else value
            self.known[line.labels] = (value, at)
        self._forget(at)
        return grown

    def _forget(self, at: float) -> None:
        gone = [labels for labels, (_, seen) in self.known.items() if at - seen > REMEMBERED]
        for labels in gone[: max(0, len(gone) - MOST_GONE)]:
            del self.known[labels]


@dataclass(slots=True)
class Whole:
    """Whole requests of amounts that may be fractions (of interpolated histograms); what is left is carried on.

    So is what exceeds `most`, at most one read's growth: a scrape that ended between two queries is seen by the
    later one alone, and by the other at the next read.
    """

    left: float = 0.0

    def of(self, amount: float, most: float = math.inf) -> int:
        self.left += amount
        whole = int(min(max(0.0, self.left + 1e-9), most))
        self.left -= whole
        if amount > 0:
            self.left = min(self.left, amount + 1)
        return whole
