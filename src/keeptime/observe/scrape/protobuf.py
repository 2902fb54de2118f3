"""Prometheus' protobuf exposition: delimited MetricFamily messages; classic and native histograms, float ones too.

Guarantees: any bytes give a page or a SourceError. A family that cannot be read costs itself, a series that is
malformed costs itself; where the framing itself is broken, what comes after it cannot be found, and is refused as a
whole with its place. Families that are not asked for are not parsed.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf.message import DecodeError

from keeptime.contract.presets.preset import Kind
from keeptime.errors import SourceCapped, SourceError
from keeptime.model.sketch import Sketch
from keeptime.observe.scrape.messages import MetricFamily
from keeptime.observe.scrape.page import (
    MOST_LABELS,
    MOST_SERIES,
    Labels,
    Native,
    Page,
    Point,
    Wanted,
    classic,
    whole,
)

SCHEMAS = range(-4, 9)
"""Of native histograms with base-2 exponential buckets."""
MOST_BUCKETS = 10_000
"""Of one histogram: a span may claim billions in a few bytes."""
MOST_FAMILIES = 100_000
LARGEST_FAMILY = 4 * 1024 * 1024
"""Bytes: a parsed message may take fifty times the memory, where it is made to."""
FARTHEST = 1000.0
"""A bucket's bounds are at most 2 to this power: beyond that they are no numbers."""
INFINITE = 1024.0
"""The bucket after that of 2 to this power is of infinity."""
_STARTED = "process_start_time_seconds"
_TYPES = {0: Kind.COUNTER, 1: Kind.GAUGE, 2: Kind.SUMMARY, 4: Kind.HISTOGRAM}
INF = float("inf")


class ProtobufPages:
    """Reads the pages of one target."""

    def __init__(self, wanted: Wanted) -> None:
        self._asked = {
            name.removesuffix("_total") if kind is Kind.COUNTER else name: name for name, kind in wanted.items()
        }
        self._wanted = wanted

    def read(self, body: bytes) -> Page:
        """Raises SourceError where nothing of it can be used."""
        page, series = Page(), 0
        for nth, (at, data) in enumerate(_delimited(body, page)):
            if nth >= MOST_FAMILIES:
                raise SourceCapped(f"the page has more than {MOST_FAMILIES} families")
            name = _name(data)
            family = self._family(name)
            if family is None and name != _STARTED:
                continue
            message = _parsed(data, name, at, page)
            if message is None:
                continue
            if family is None:
                page.started_ns = _started(message)
                continue
            series += len(message.metric)
            if series > MOST_SERIES:
                raise SourceCapped(f"the page has more than {MOST_SERIES} series of what is asked for")
            _read_family(message, family, self._wanted[family], page, at)
        return page

    def _family(self, name: str) -> str | None:
        if name in self._wanted:
            return name
        found = self._asked.get(name.removesuffix("_total"))
        return found if found is not None and self._wanted[found] is Kind.COUNTER else None


def _delimited(body: bytes, page: Page) -> Iterator[tuple[int, bytes]]:
    """Each message with where it begins."""
    view, at = memoryview(body), 0
    while at < len(body):
        size, start = _varint(body, at)
        if size is None or start + size > len(body):
            if at == 0:
                raise SourceError("the page is no protobuf of metrics: its first message is longer than itself")
            page.refuse(f"byte {at}", "a message is longer than the rest of the page, of which nothing can be read")
            return
        yield at, bytes(view[start : start + size])
        at = start + size


def _varint(body: bytes, at: int) -> tuple[int | None, int]:
    number = shift = 0
    for place in range(at, min(at + 5, len(body))):
        number |= (body[place] & 0x7F) << shift
        if body[place] < 0x80:
            return number, place + 1
        shift += 7
    return None, at


def _name(data: bytes) -> str:
    """Of a family, without parsing it: its first field, as all writers have it."""
    if data[:1] == b"\x0a":
        size, start = _varint(data, 1)
        if size is not None:
            return data[start : start + size].decode("utf-8", "replace")
    return ""


def _parsed(data: bytes, name: str, at: int, page: Page) -> Any:
    """The message; None where it is refused."""
    if len(data) > LARGEST_FAMILY:
        page.refuse(f"byte {at}", f"the family {name} is larger than {LARGEST_FAMILY // 1024**2} MiB")
        return None
    try:
        return MetricFamily.FromString(data)
    except DecodeError:
        page.refuse(f"byte {at}", f"the family {name} is no message")
        return None


def _read_family(message: Any, family: str, kind: Kind, page: Page, at: int) -> None:
    found = _TYPES.get(message.type)
    if found is not None and found is not kind:
        page.refuse(f"byte {at}", f"{family} is a {found} here; expected a {kind}")
        return
    seen: set[Labels] = set()
    points = page.points.setdefault(family, [])
    for metric in message.metric:
        labels = tuple(sorted((each.name, each.value) for each in metric.label))
        point = _labelled(labels, seen) or _point(metric, labels, kind)
        seen.add(labels)
        if isinstance(point, Point):
            points.append(point)
        else:
            page.refuse(f"byte {at}", f"a series of {family} is not read: {point}")


def _labelled(labels: Labels, seen: set[Labels]) -> str:
    if len(labels) > MOST_LABELS:
        return f"{len(labels)} labels; at most {MOST_LABELS} are read"
    if len({name for name, _ in labels}) < len(labels):
        return "a label is there twice"
    return "it is there twice" if labels in seen else ""


def _point(metric: Any, labels: Labels, kind: Kind) -> Point | str:
    if kind is Kind.HISTOGRAM:
        return _histogram(metric.histogram, labels)
    if kind is Kind.SUMMARY:
        return Point(labels, metric.summary.sample_count, created_ns=_created(metric.summary))
    value = metric.counter.value if metric.HasField("counter") else metric.untyped.value
    count = whole(value)
    return (
        f"it holds {value:g}; expected a count"
        if count is None
        else Point(labels, count, created_ns=_created(metric.counter))
    )


def _histogram(found: Any, labels: Labels) -> Point | str:
    count = whole(found.sample_count_float or found.sample_count)
    if count is None:
        return "its count is no count"
    if len(found.bucket) > MOST_BUCKETS:
        return f"it has {len(found.bucket)} buckets; at most {MOST_BUCKETS} are read"
    buckets = [(each.upper_bound, each.cumulative_count_float or each.cumulative_count) for each in found.bucket]
    if buckets and buckets[-1][0] != INF:
        buckets.append((INF, count))
    native = _native(found, count) if found.positive_span or found.zero_threshold else None
    if isinstance(native, str):
        return native
    if buckets:
        return classic(labels, buckets, _created(found), native)
    if native is None:
        return "it has neither buckets nor spans"
    return Point(labels, count, native=native, created_ns=_created(found))


def _native(found: Any, count: int) -> Native | str:
    if found.schema not in SCHEMAS:
        return f"its schema {found.schema} is not known"
    if any(found.negative_count) or any(found.negative_delta):
        return "it holds durations that are negative"
    sketch = Sketch(found.schema)
    zeros = whole(found.zero_count_float or found.zero_count)
    if zeros is None or not 0 <= found.zero_threshold < INF:
        return "its zero bucket is malformed"
    sketch.zeros = zeros
    counts = list(found.positive_count) or _undone(found.positive_delta)
    if wrong := _fill(sketch, found.positive_span, counts):
        return wrong
    if sketch.count > count:
        return f"its buckets hold {sketch.count}, more than the {count} that were counted"
    return Native(sketch, found.zero_threshold)


def _undone(deltas: Sequence[int]) -> list[int]:
    """Counts from the differences to the one before."""
    counts, last = [], 0
    for each in deltas:
        last += each
        counts.append(last)
    return counts


def _fill(sketch: Sketch, spans: Any, counts: Sequence[float]) -> str:
    """Put counts where the spans say; a sentence where they do not fit each other.

    Bucket i of a native histogram holds (base^(i-1), base^i], that of a sketch (base^i, base^(i+1)].
    """
    if len(counts) > MOST_BUCKETS or sum(each.length for each in spans) != len(counts):
        return "its spans and its buckets do not fit each other"
    index, place = 0, 0
    for span in spans:
        index += span.offset
        for _ in range(span.length):
            value = whole(counts[place])
            if value is not None and index == round(INFINITE * 2.0**sketch.scale) + 1:
                value = 0  # infinite: counted, and in no bucket of a sketch
            elif value is None or abs(index) * 2.0**-sketch.scale > FARTHEST:
                return f"a bucket holds {counts[place]:g}; expected a count"
            if value:
                sketch.buckets[index - 1] = value
            index, place = index + 1, place + 1
    return ""


def _created(found: Any) -> int | None:
    if not found.HasField("created_timestamp"):
        return None
    seconds, nanos = int(found.created_timestamp.seconds), int(found.created_timestamp.nanos)
    return seconds * 1_000_000_000 + nanos if 0 < seconds < 10**11 else None


def _started(message: Any) -> int | None:
    """Several starts are of several processes, whose pages were put together: none of them is that of all."""
    if len(message.metric) != 1:
        return None
    seconds = float(message.metric[0].gauge.value or message.metric[0].untyped.value)
    return round(seconds * 1e9) if 0 < seconds < 1e11 else None
