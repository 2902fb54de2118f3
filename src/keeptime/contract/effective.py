"""From when until when terms are in force: the fields `from` and `until`, and several versions of one objective.

Guarantees: `from` is part of the time, `until` is not; both lie on whole minutes, which ticks divide, so that each
tick is judged by the terms of one time. Of one name at most one objective is in force at any instant. No clock.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from keeptime.contract.calendar import midnight
from keeptime.contract.kinds import text_of
from keeptime.contract.nodes import Node, Place
from keeptime.contract.report import Report, quote
from keeptime.contract.shapes import Field, Placed, Row, Schema
from keeptime.contract.terms import Contract, Objective

FIRST_YEAR, LAST_YEAR = 1970, 2999
_PATTERN = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:00)?(Z|[+-]\d{2}:\d{2})?)?"


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, or a date with a time of day; without an offset it is one of the contract's time zone."""

    local: datetime
    day: bool

    def at(self, zone: str) -> int:
        """Unix seconds. A time that the zone has twice is the first of the two."""
        if self.day:
            return round(midnight(self.local.date(), ZoneInfo(zone)))
        found = self.local if self.local.tzinfo is not None else self.local.replace(tzinfo=ZoneInfo(zone))
        return round(found.timestamp())


@dataclass(frozen=True)
class MomentShape:
    """`2026-07-01`, `2026-07-01T09:00` or `2026-07-01T09:00+02:00`."""

    expected: str = "a date such as 2026-07-01, or a date and time on a whole minute such as 2026-07-01T09:00"

    def read(self, node: Node, report: Report, what: str) -> Moment:
        scalar = text_of(node, report, what, self.expected)
        try:
            if re.fullmatch(_PATTERN, scalar.text, re.ASCII) is None:
                raise ValueError("another form")
            local = datetime.fromisoformat(scalar.text)
            if not FIRST_YEAR < local.year < LAST_YEAR:
                raise ValueError("another age")
        except ValueError:
            message = f"{what}: {quote(scalar.text)} is no date; expected {self.expected}"
            raise report.spoil(scalar.place, "bad-date", message) from None
        return Moment(local, day=len(scalar.text) == len("2026-07-01"))

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{_PATTERN}$", "examples": ["2026-07-01", "2026-07-01T09:00"]}


FROM = Field(
    "from",
    MomentShape(),
    "In force from this instant on; a date begins at its midnight in the time zone.",
    default="always was",
)
UNTIL = Field(
    "until",
    MomentShape(),
    "In force until before this instant: with a date, its midnight is the first that these terms do not cover.",
    default="no end",
)


@dataclass(frozen=True, slots=True)
class Effective:
    """From when until when, before the time zone is known."""

    begins: Moment | None = None
    ends: Moment | None = None

    def __bool__(self) -> bool:
        return self.begins is not None or self.ends is not None

    def span(self, zone: str) -> tuple[int | None, int | None]:
        """(begins, ends) in Unix seconds."""
        begins = None if self.begins is None else self.begins.at(zone)
        return begins, None if self.ends is None else self.ends.at(zone)


ALWAYS = Effective()
"""Terms without dates."""


def effective(row: Row) -> Effective:
    return Effective(row.get(FROM, None), row.get(UNTIL, None))


class Dated(Protocol):
    """What has terms of a name and a time."""

    @property
    def label(self) -> str: ...

    def span(self, zone: str) -> tuple[int | None, int | None]: ...


def check_times(drafts: Sequence[Placed[Dated]], zone: str, report: Report) -> None:
    """Report terms that end before they begin, and two of one name that are in force at once."""
    seen: dict[str, list[tuple[tuple[int | None, int | None], Place]]] = {}
    for draft in drafts:
        name, span = draft.value.label, draft.value.span(zone)
        begins, ends = span
        if begins is not None and ends is not None and ends <= begins:
            message = (
                f"{name}: 'until' is not after 'from', so these terms are never in force; expected a later one"
            )
            report.error(draft.place, "dates-crossed", message)
            continue
        dated = [each for each in seen.get(name, []) if span != each[0] or span != (None, None)]
        first = next((place for other, place in dated if _overlap(other, span)), None)
        if first is not None:
            message = (
                f"'{name}' is in force twice at one time: its terms in line {first.line} overlap with these; "
                f"expected 'until' there no later than 'from' here"
            )
            report.error(draft.place, "dates-overlap", message)
        seen.setdefault(name, []).append((span, draft.place))


def _overlap(one: tuple[int | None, int | None], other: tuple[int | None, int | None]) -> bool:
    return _before(one[0], other[1]) and _before(other[0], one[1])


def _before(begins: int | None, ends: int | None) -> bool:
    return begins is None or ends is None or begins < ends


def in_force(contracts: Iterable[Contract], unix_seconds: float) -> tuple[Contract, ...]:
    """The contracts as they stand at this instant; one of which nothing is in force stays, without objectives."""
    return tuple(each.at(unix_seconds) for each in contracts)


def next_change(contracts: Iterable[Contract], after: float) -> int | None:
    """The first instant later than this one at which terms begin or end; None if none does any more."""
    moments = [
        moment
        for contract in contracts
        for each in contract.objectives
        for moment in (each.begins, each.ends)
        if moment is not None and moment > after
    ]
    return min(moments, default=None)


def stamp(unix_seconds: int) -> str:
    """The instant in UTC, as a contract can say it: 2026-07-01T00:00Z."""
    return f"{datetime.fromtimestamp(unix_seconds, UTC):%Y-%m-%dT%H:%MZ}"


def times(objective: Objective) -> str:
    """ "from 2026-07-01T00:00Z until before 2027-01-01T00:00Z"; "" where it is always in force."""
    return spoken(objective.begins, objective.ends)


def spoken(begins: int | None, ends: int | None) -> str:
    """The same of two instants (Unix seconds), None where there is none."""
    parts = [f"from {stamp(begins)}"] if begins is not None else []
    parts += [f"until before {stamp(ends)}"] if ends is not None else []
    return " ".join(parts)
