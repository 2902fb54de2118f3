"""Totals as a program posts them (all that it counted since it began), as batches of what came since the last time.

Guarantees: totals are idempotent: the same, or older ones, sent again count nothing. A series that contradicts
itself or what was said of it before is refused alone. One contract's series take none of another's room.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from keeptime.model.batch import Batch
from keeptime.model.key import Signal
from keeptime.model.sketch import Sketch
from keeptime.observe.cumulative import REMEMBERED_NS, Growth, Totals, TotalsRefused
from keeptime.observe.intake.attributes import attributes_of
from keeptime.observe.intake.batches import batch_of
from keeptime.observe.intake.instants import instant
from keeptime.observe.intake.refusing import Refused, TooMany, Unreadable, Wrong, shown
from keeptime.observe.intake.when import AHEAD, SECOND, When

OBSERVER = "push"
MOST_SERIES, MOST_AT_ONCE = 10_000, 10_000
"""Of one contract, and of one body."""

MOST_INSTANCES = 10_000
"""Of one contract, of which the newest instant is known; the one that posted longest ago is forgotten first."""

MOST_COUNT, MOST_WITHIN, MOST_BUCKETS = 10**15, 50, 2_000
LEAST_SCALE, MOST_SCALE = 0, 20
LEAST_POWER, MOST_POWER = -35, 20
"""Of 2, in seconds: what a bucket can hold."""

BODY = frozenset({"instance", "started", "at", "series"})
SERIES = frozenset({"signal", "attributes", "count", "failed", "within", "scale", "zeros", "sum", "buckets"})
SIGNALS = {str(each): each for each in Signal if each is not Signal.TOKEN_RATE}


@dataclass(slots=True)
class Counted:
    """What became of one body of totals."""

    taken: int = 0
    requests: int = 0
    late: int = 0
    repeated: int = 0


@dataclass(slots=True)
class _Of:
    """One contract: what its series grew to, and of which instant the last totals of each instance were."""

    growth: Growth
    newest: dict[str, int] = field(default_factory=dict)


class Growing:
    """What was posted of each contract. What a program counted before its contract was here counts nothing, be it
    that the contract is new or that it has come back."""

    def __init__(self) -> None:
        self._of: dict[str, _Of] = {}

    def keep(self, contracts: frozenset[str], now_ns: int) -> None:
        """Forget all but these; those that are new are watched from now on."""
        before = self._of
        self._of = {name: before.get(name) or _Of(Growth(since_ns=now_ns, most=MOST_SERIES)) for name in contracts}

    def take(
        self, contract: str, said: dict[str, Any], when: When, refused: Refused, put: Callable[[Batch], None]
    ) -> Counted:
        """Put what came since the last time. Raises Unreadable, TooMany."""
        head = _Head.of(said, when)
        done, series = Counted(), said["series"]
        of = self._of[contract]
        if head.at_ns <= of.newest.get(head.instance, -1):
            done.taken = done.repeated = len(series)
            return done
        of.newest.pop(head.instance, None)
        _forget(of.newest, when.now)
        of.newest[head.instance] = head.at_ns
        of.growth.look(when.now, head.instance)
        for index, each in enumerate(series):
            try:
                done.requests += _grown(contract, of.growth, head, each, when, put)
            except (Wrong, TotalsRefused) as error:
                refused.note(index, error if isinstance(error, Wrong) else Wrong(str(error)))
                continue
            done.taken += 1
            done.late += when.late(head.at_ns)
        return done


@dataclass(frozen=True, slots=True)
class _Head:
    instance: str
    started_ns: int | None
    at_ns: int

    @classmethod
    def of(cls, said: dict[str, Any], when: When) -> "_Head":
        if unknown := said.keys() - BODY:
            raise Unreadable(f"{shown(min(unknown))} is unknown; expected {', '.join(sorted(BODY))}")
        instance, series = said.get("instance"), said["series"]
        if not isinstance(instance, str) or not 1 <= len(instance) <= 200:
            raise Unreadable(
                "instance: expected a text of 1 to 200 characters, the same for all totals of a program"
            )
        if not isinstance(series, list):
            raise Unreadable("series: expected a list")
        if len(series) > MOST_AT_ONCE:
            raise TooMany(f"series: {len(series)} are given; at most {MOST_AT_ONCE} are taken at once")
        try:
            at_ns = when.counted(when.now if said.get("at") is None else instant(said["at"]))
            started = None if said.get("started") is None else instant(said["started"])
        except Wrong as error:
            raise Unreadable(str(error)) from None
        if started is not None and started > when.now + AHEAD * SECOND:
            raise Unreadable("started: it lies in the future by keeptime's clock")
        return cls(instance, started, at_ns)


def _grown(
    contract: str, growth: Growth, head: _Head, found: object, when: When, put: Callable[[Batch], None]
) -> int:
    """How many requests are new."""
    signal, attributes, totals = _series(found)
    target = head.instance
    key = (target, signal, frozenset(attributes.items()))
    grown = growth.advance(key, totals, head.started_ns, when.now, target)
    if grown is None or not grown.count:
        return 0
    put(batch_of(contract, signal, {**attributes, "observer": OBSERVER}, grown, head.at_ns))
    return grown.count if signal is Signal.REQUESTS else 0


def _series(found: object) -> tuple[Signal, Mapping[str, str], Totals]:
    if not isinstance(found, dict):
        raise Wrong("expected an object with signal and count")
    if not found.keys() <= SERIES:
        raise Wrong(f"{shown(min(found.keys() - SERIES))} is unknown; expected {', '.join(sorted(SERIES))}")
    signal = SIGNALS.get(str(found.get("signal")))
    if signal is None:
        raise Wrong(f"signal: given {shown(found.get('signal'))}; expected one of {', '.join(SIGNALS)}")
    totals = Totals(
        _count("count", found.get("count")),
        _count("failed", found.get("failed", 0)),
        {},
        _within(found.get("within")),
        _sketch(found),
    )
    return signal, attributes_of(found.get("attributes")), totals


def _count(name: str, given: object) -> int:
    if type(given) is not int or not 0 <= given <= MOST_COUNT:
        raise Wrong(f"{name}: given {shown(given)}; expected a whole number from 0 to 10^15")
    return given


def _within(given: object) -> dict[int, int]:
    """Threshold in nanoseconds -> how many took at most that."""
    if given is None:
        return {}
    if not isinstance(given, dict) or len(given) > MOST_WITHIN:
        raise Wrong(f"within: expected an object of at most {MOST_WITHIN} thresholds in seconds, with counts")
    return {_threshold(name): _count(f"within {shown(name)}", many) for name, many in given.items()}


def _threshold(name: str) -> int:
    try:
        seconds = float(name)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= 1e6:
        raise Wrong(f"within: {shown(name)} is no threshold in seconds")
    return round(seconds * SECOND)


def _sketch(found: dict[str, Any]) -> Sketch | None:
    buckets = found.get("buckets")
    if buckets is None:
        return None
    scale, total = found.get("scale"), found.get("sum", 0.0)
    if type(scale) is not int or not LEAST_SCALE <= scale <= MOST_SCALE:
        raise Wrong(f"scale: expected a whole number from {LEAST_SCALE} to {MOST_SCALE}")
    if type(total) not in (int, float) or not 0 <= total <= MOST_COUNT:
        raise Wrong(f"sum: given {shown(total)}; expected seconds, not negative")
    if not isinstance(buckets, dict) or len(buckets) > MOST_BUCKETS:
        raise Wrong(f"buckets: expected an object of at most {MOST_BUCKETS} indexes with counts")
    counts = {_index(name, scale): _count(f"bucket {shown(name)}", many) for name, many in buckets.items()}
    return Sketch(scale, _count("zeros", found.get("zeros", 0)), float(total), counts)


def _index(name: str, scale: int) -> int:
    digits = name.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) <= 9:
        index = int(name)
        if LEAST_POWER << scale <= index < MOST_POWER << scale:
            return index
    raise Wrong(f"buckets: {shown(name)} is no index of a bucket of 2^{LEAST_POWER} to 2^{MOST_POWER} seconds")


def _forget(newest: dict[str, int], now_ns: int) -> None:
    """Instances of which nothing came for as long as their series are known, and those that are too many."""
    while newest:
        oldest = next(iter(newest))
        if now_ns - newest[oldest] <= 2 * REMEMBERED_NS and len(newest) < MOST_INSTANCES:
            return
        del newest[oldest]
