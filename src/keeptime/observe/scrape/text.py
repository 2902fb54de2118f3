"""Prometheus' text format 0.0.4 and OpenMetrics' text: the families that are asked for, and nothing else.

Guarantees: any text gives a page or a SourceError, in time linear in it. What is wrong in one series (a count that
is no number, buckets that go backwards, no +Inf, the same series twice) costs that series; a line whose labels
cannot be read costs its family, for nobody knows whose it was; an OpenMetrics page without its end is cut off, and
nothing of it is read. Lines of other families are not looked at.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from keeptime.contract.presets.preset import Kind
from keeptime.errors import SourceCapped, SourceError
from keeptime.observe.scrape.labels import read_labels
from keeptime.observe.scrape.page import MOST_LINES, MOST_SERIES, Labels, Page, Point, Wanted, classic, whole

_NAME = re.compile(r"[^\s{]+")
_LABELS = r'(?:\{((?>[^"}]+|"(?>[^"\\]+|\\.)*")*)\}[ \t]*+)?'
_REST = re.compile(
    rf"[ \t]*+{_LABELS}(?<=[ \t}}])(\S++)(?:[ \t]++[-+0-9.eE]++)?[ \t\r]*+(?:# .*)?\Z",
    re.DOTALL,
)
"""After a sample's name: labels, the value, perhaps a timestamp, perhaps an exemplar; nothing is tried twice."""
_STARTED = "process_start_time_seconds"
_EOF = re.compile(r"# EOF\n?\Z")
REMEMBERED = 200_000
"""Beginnings of lines, then all of them are forgotten: labels that change at each look gain nothing by it."""


class _Role(Enum):
    BUCKET = auto()
    COUNT = auto()
    CREATED = auto()
    OTHER = auto()


@dataclass(slots=True)
class _Series:
    """One series while its lines are read. `line`: of its first."""

    line: int
    buckets: list[tuple[float, float]] = field(default_factory=list)
    count: float | None = None
    created: float | None = None
    wrong: str = ""


_Head = tuple[str, _Role, Labels, str | None]
"""What stands before a value: the family, which part of it, its labels, and its `le` or `quantile`."""


class TextPages:
    """Reads the pages of one target. What stands before a value is the same at each look, and is read once."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted, self._roles = wanted, _roles(wanted)
        self._heads: dict[str, _Head] = {}

    def read(self, body: bytes, *, openmetrics: bool) -> Page:
        """Raises SourceError where nothing of it can be used."""
        if body.count(b"\n") > MOST_LINES:
            raise SourceCapped(f"the page has more than {MOST_LINES} lines")
        text = body.decode("utf-8", "replace")
        if openmetrics and _EOF.search(text) is None:
            raise SourceError("the page is cut off: it does not end with # EOF")
        *lines, rest = text.split("\n")
        page, found = Page(), _Found(self._wanted)
        for number, line in enumerate(lines, 1):
            before, _, value = line.rpartition(" ")
            head = self._heads.get(before)
            if head is not None:
                found.add(*head, value, number)
            elif line[:1] == "#":
                found.note_type(line, number)
            else:
                self._take(line, number, found)
        self._take_rest(rest, len(lines) + 1, found)
        found.put_into(page)
        return page

    def _take(self, line: str, number: int, found: "_Found") -> None:
        """A line whose beginning was not seen before."""
        name = _NAME.match(line)
        role = None if name is None else self._roles.get(name[0])
        if name is None or role is None:
            if name is not None and name[0] == _STARTED:
                found.started.append(_nanoseconds(line[name.end() :]))
            return
        match = _REST.match(line, name.end())
        labels = None if match is None else read_labels(match[1] or "")
        if match is None or labels is None:
            found.bad_family(role[0], number, "the line is no sample")
        elif isinstance(labels, str):
            found.bad_family(role[0], number, labels)
        elif role[1] is not _Role.OTHER:
            found.add(*role, *labels, match[2], number)
            self._remember(line, match.start(2), (*role, *labels))

    def _remember(self, line: str, value_at: int, head: _Head) -> None:
        if len(self._heads) >= REMEMBERED:
            self._heads.clear()
        if line[value_at - 1] == " ":
            self._heads[line[: value_at - 1]] = head

    def _take_rest(self, rest: str, number: int, found: "_Found") -> None:
        """What comes after the last line break was cut off."""
        name = _NAME.match(rest)
        if name is not None and name[0] in self._roles:
            found.bad_family(self._roles[name[0]][0], number, "the page ends within a line")


class _Found:
    """The series of a page while it is read."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._families: dict[str, dict[Labels, _Series]] = {}
        self._bad: dict[str, tuple[int, str]] = {}
        self._series = 0
        self.started: list[int | None] = []

    def note_type(self, line: str, number: int) -> None:
        """A family that is something else than expected is not read."""
        if not line.startswith("# TYPE "):
            return
        words = line.split()
        if len(words) == 4 and words[2] in self._wanted:
            kind = self._wanted[words[2]]
            if words[3] not in (kind, "untyped", "unknown") and words[3] in (
                "counter",
                "gauge",
                "histogram",
                "summary",
            ):
                self.bad_family(words[2], number, f"{words[2]} is a {words[3]} here; expected a {kind}")

    def bad_family(self, family: str, number: int, why: str) -> None:
        self._bad.setdefault(family, (number, why))

    def add(self, family: str, part: _Role, labels: Labels, special: str | None, text: str, number: int) -> None:
        known = self._families.setdefault(family, {})
        series = known.get(labels)
        if series is None:
            self._series += 1
            if self._series > MOST_SERIES:
                raise SourceCapped(f"the page has more than {MOST_SERIES} series of what is asked for")
            series = known[labels] = _Series(number)
        try:
            value = float(text)
            if part is _Role.BUCKET:
                series.buckets.append((float(special or ""), value))
                return
        except ValueError:
            series.wrong = series.wrong or f"line {number}: {text[:40]!r} or its 'le' is no number"
            return
        if part is _Role.CREATED:
            series.created = value
        elif series.count is not None:
            series.wrong = series.wrong or f"line {number}: the series is there twice"
        else:
            series.count = value

    def put_into(self, page: Page) -> None:
        """Several starts are of several processes, whose pages were put together: none of them is that of all."""
        page.started_ns = self.started[0] if len(self.started) == 1 else None
        for family, (number, why) in self._bad.items():
            page.refuse(f"line {number}", why)
            self._families.pop(family, None)
        for family, known in self._families.items():
            for labels, series in known.items():
                point = series.wrong or _point(labels, series, self._wanted[family])
                if isinstance(point, Point):
                    page.points.setdefault(family, []).append(point)
                elif point:
                    page.refuse(f"line {series.line}", f"a series of {family} is not read: {point}")


def _point(labels: Labels, series: _Series, kind: Kind) -> Point | str:
    """A sentence where it is malformed; "" where there is nothing to count."""
    created = None if series.created is None else _as_ns(series.created)
    if kind is Kind.HISTOGRAM:
        if not series.buckets and series.count is None:
            return ""
        return classic(labels, series.buckets, created)
    if series.count is None:
        return ""
    count = whole(series.count)
    return (
        f"it holds {series.count:g}; expected a count"
        if count is None
        else Point(labels, count, created_ns=created)
    )


def _roles(wanted: Wanted) -> Mapping[str, tuple[str, _Role]]:
    """Names of samples -> the family, and which part of it they are."""
    roles: dict[str, tuple[str, _Role]] = {}
    for name, kind in wanted.items():
        if kind is Kind.COUNTER:
            base = name.removesuffix("_total")
            parts = {f"{base}_total": _Role.COUNT, name: _Role.COUNT, f"{base}_created": _Role.CREATED}
        else:
            parts = {f"{name}_count": _Role.COUNT, f"{name}_created": _Role.CREATED, name: _Role.OTHER}
            parts |= {f"{name}_bucket": _Role.BUCKET} if kind is Kind.HISTOGRAM else {}
        roles |= {part: (name, role) for part, role in parts.items()}
    return roles


def _nanoseconds(rest: str) -> int | None:
    words = rest.split()
    try:
        return _as_ns(float(words[0])) if words else None
    except ValueError:
        return None


def _as_ns(seconds: float) -> int | None:
    return round(seconds * 1e9) if math.isfinite(seconds) and 0 < seconds < 1e11 else None
