"""From totals that somebody else keeps (histograms that only grow) to what was counted between two looks.

Guarantees: nothing is counted twice and nothing is ever taken back. Totals that fell, or that began later than
those before, were reset and count from 0; a series that is lost from sight is counted on from where it was if it is
back within an hour; a new one counts from 0 if its target was looked at before without it, and is else a baseline,
from which counting starts. Totals that contradict those before are refused with a reason, and are the next
baseline. No clock, no I/O; not for several threads at once.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from keeptime.errors import KeeptimeError
from keeptime.model.sketch import Sketch

K = TypeVar("K")

REMEMBERED_NS = 3600 * 1_000_000_000
"""Nanoseconds for which a series that is lost from sight is counted on, and its target is known."""
MOST_SERIES = 50_000
"""Series of one Growth that are known at once."""
MOST_GONE = 20_000
"""Series lost for longer that are still known by name, so that none of them is taken for one just begun."""
SAME_START_NS = 1_000_000_000
"""Starts that differ by less are one start, told less exactly: programs round it or compute it anew each time."""


@dataclass(frozen=True, slots=True)
class Totals:
    """All that was counted since something began, or between two looks. As in a Batch: `count` includes `failed`,
    which are in no span; `spans`: (low, high] seconds -> the others; `exact`: threshold in nanoseconds -> how many
    of the others were within it. A span that is not there is 0.
    """

    count: int
    failed: int = 0
    spans: Mapping[tuple[float, float], int] = field(default_factory=dict)
    exact: Mapping[int, int] = field(default_factory=dict)
    sketch: Sketch | None = None


class TotalsRefused(KeeptimeError):
    """Totals that cannot be counted. `why`: `malformed` (they contradict themselves or those before) or `capped`
    (there are more series than are kept)."""

    def __init__(self, why: Literal["malformed", "capped"], message: str) -> None:
        self.why = why
        super().__init__(message)


@dataclass(slots=True)
class _Known:
    totals: Totals
    started_ns: int | None
    at_ns: int


class Growth:
    """What each series grew by.

    `since_ns`: if it is given, totals of an unknown target that say they began no earlier count from 0: whoever
    keeps them came to life while this was watching. `refused`: how many totals were, by reason.
    A series of which the first totals were refused is known by name, so that it is not taken for one just begun.
    """

    def __init__(self, *, since_ns: int | None = None, most: int = MOST_SERIES, most_gone: int = MOST_GONE) -> None:
        self.refused = {"malformed": 0, "capped": 0}
        self._since_ns, self._most, self._most_gone = since_ns, most, most_gone
        self._known: dict[Hashable, _Known] = {}  # oldest sight first
        self._gone: dict[Hashable, int] = {}
        self._forgot = False
        self._targets: dict[Hashable, tuple[int, int]] = {}

    def __len__(self) -> int:
        """How many series are known."""
        return len(self._known)

    def known(self, series: Hashable) -> Totals | None:
        """What was last seen of a series; None if nothing is known of it."""
        found = self._known.get(series)
        return None if found is None else found.totals

    def anew(self, since_ns: int) -> None:
        """From here on more is looked at than before: a series that is not known may be old in a target that is."""
        self._since_ns = since_ns
        self._targets.clear()

    def look(self, at_ns: int, target: Hashable = None) -> None:
        """A target was looked at, though it may have had no series: what comes up in it later begins at 0."""
        first, last = self._targets.pop(target, (at_ns, at_ns))
        self._targets[target] = (at_ns if at_ns - last > REMEMBERED_NS else first, at_ns)

    def advance(
        self, series: Hashable, totals: Totals, started_ns: int | None, at_ns: int, target: Hashable = None
    ) -> Totals | None:
        """What was counted in this series since the last look; None where there is nothing to compare with.

        `started_ns`: when the totals began, where they say it. `at_ns`: of the look, the same for all that is seen
        in it; must not fall. `target`: whose series it is, where one Growth serves several. Raises TotalsRefused.
        """
        self.look(at_ns, target)
        self._forget(at_ns)
        before = self._known.get(series)
        if before is None and len(self._known) >= self._most:
            self._gone[series] = at_ns
            raise self._refusal(
                "capped", f"there are more than {self._most} series; expected labels with few values"
            )
        if wrong := _contradiction(totals):
            if before is None:
                self._gone[series] = at_ns
            raise self._refusal("malformed", wrong)
        if before is not None and _older(started_ns, before.started_ns):
            said = "it began earlier than what was read before: two programs answer in turn where one was expected"
            raise self._refusal("malformed", said)
        self._known.pop(series, None)
        self._known[series] = _Known(_owned(totals), started_ns, at_ns)
        if before is not None:
            return self._since(before, totals, started_ns)
        gone_ns = self._gone.pop(series, None)
        return totals if self._begun(started_ns, at_ns, target, gone_ns) else None

    def _since(self, before: _Known, totals: Totals, started_ns: int | None) -> Totals:
        if totals.count < before.totals.count or _older(before.started_ns, started_ns):
            return totals
        grown = _difference(before.totals, totals)
        if isinstance(grown, str):
            raise self._refusal("malformed", grown)
        return grown

    def _begun(self, started_ns: int | None, at_ns: int, target: Hashable, gone_ns: int | None) -> bool:
        """Did a series that is not known begin after the last look at its target?"""
        if gone_ns is not None:
            return started_ns is not None and started_ns > gone_ns
        if self._since_ns is not None and started_ns is not None and started_ns >= self._since_ns:
            return not self._forgot
        return self._targets[target][0] < at_ns and not self._forgot

    def _forget(self, at_ns: int) -> None:
        """What was not seen for an hour is known by name alone, and the oldest such names not even by that."""
        while self._targets:
            target, (_, last) = next(iter(self._targets.items()))
            if at_ns - last <= REMEMBERED_NS:
                break
            del self._targets[target]
        while self._known:
            series, known = next(iter(self._known.items()))
            if at_ns - known.at_ns <= REMEMBERED_NS:
                break
            del self._known[series]
            self._gone[series] = known.at_ns
        while len(self._gone) > self._most_gone:
            del self._gone[next(iter(self._gone))]
            self._forgot = True

    def _refusal(self, why: Literal["malformed", "capped"], message: str) -> TotalsRefused:
        self.refused[why] += 1
        return TotalsRefused(why, message)


def _owned(totals: Totals) -> Totals:
    """With a sketch that nobody else changes."""
    if totals.sketch is None:
        return totals
    return Totals(totals.count, totals.failed, totals.spans, totals.exact, _copy(totals.sketch))


def _copy(sketch: Sketch) -> Sketch:
    return Sketch(sketch.scale, sketch.zeros, sketch.total, dict(sketch.buckets))


def _older(one: int | None, other: int | None) -> bool:
    """Do both say when they began, and the one began clearly earlier?"""
    return one is not None and other is not None and other - one > SAME_START_NS


def _contradiction(totals: Totals) -> str:
    """What is wrong with totals by themselves, "" if nothing is."""
    succeeded = totals.count - totals.failed
    if totals.count < 0 or totals.failed < 0 or succeeded < 0:
        return (
            f"{totals.failed} of {totals.count} failed; expected counts that are not negative, and no more failures"
        )
    if any(count < 0 for count in totals.spans.values()) or any(count < 0 for count in totals.exact.values()):
        return "a bucket holds less than nothing"
    sketched = 0 if totals.sketch is None else totals.sketch.count
    most = max(sum(totals.spans.values()), max(totals.exact.values(), default=0), sketched)
    if most > succeeded:
        return f"buckets hold {most} observations, more than the {succeeded} that were counted"
    return ""


def _difference(before: Totals, now: Totals) -> Totals | str:
    """What came since; a sentence where that would be less than nothing somewhere."""
    failed = now.failed - before.failed
    spans, exact = _less(now.spans, before.spans), _within(before.exact, now.exact)
    sketch = _sketched(before.sketch, now.sketch)
    if failed < 0 or spans is None or exact is None or (sketch is None) != (now.sketch is None):
        return "a bucket went backwards while the count of all did not"
    grown = Totals(now.count - before.count, failed, spans, exact, sketch)
    return _contradiction(grown) or grown


def _less(now: Mapping[K, int], before: Mapping[K, int]) -> dict[K, int] | None:
    """What was added for each key; None where something was taken away."""
    if any(count > now.get(key, 0) for key, count in before.items()):
        return None
    return {key: count - before.get(key, 0) for key, count in now.items() if count > before.get(key, 0)}


def _within(before: Mapping[int, int], now: Mapping[int, int]) -> dict[int, int] | None:
    """What was added within each threshold; of one that was not counted before, nothing is known yet."""
    grown = {under: count - before[under] for under, count in now.items() if under in before}
    return None if any(count < 0 for count in grown.values()) else grown


def _sketched(before: Sketch | None, now: Sketch | None) -> Sketch | None:
    """What was added, at the coarser scale of the two; None where there is no sketch now, or something was taken
    away."""
    if now is None:
        return None
    grown, base = _copy(now), _copy(before) if before is not None else Sketch(now.scale)
    scale = min(grown.scale, base.scale)
    grown.rescale(scale)
    base.rescale(scale)
    added = _less(grown.buckets, base.buckets)
    if added is None or base.zeros > grown.zeros:
        return None
    return Sketch(scale, grown.zeros - base.zeros, max(0.0, grown.total - base.total), added)
