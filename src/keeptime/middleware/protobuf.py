"""Prometheus' protobuf exposition (io.prometheus.client.MetricFamily, each with its length before it), written by
hand.

Guarantees: histograms are there in both forms, as native ones of schema 5 and in classic buckets at the
thresholds; a request that failed is in the native bucket of infinity, so that no share of it is under any
threshold. Pure.

Field numbers are those of the published metrics.proto; the few that are used need no library.
"""

import struct
from collections.abc import Iterable, Iterator

from keeptime.middleware.exemplar import Exemplar
from keeptime.middleware.exposition import INFINITE, Bound, Distribution, Family, Sample
from keeptime.middleware.layout import LEAST, SCALE, STEPS

_TYPES = {"counter": 0, "gauge": 1, "histogram": 4}
_VALUES = {"gauge": 2, "counter": 3}
"""Fields of a Metric."""

BEYOND = 1024 * STEPS + 1
"""The native bucket after that of the largest float: infinity."""


def protobuf(families: Iterable[Family], started: float) -> bytes:
    """All of them. `started`: when the counts were 0, in Unix time."""
    created = _timestamp(started)
    return b"".join(_delimited(_family(each, created)) for each in families)


def _family(family: Family, created: bytes) -> bytes:
    name = family.name + ("_total" if family.kind == "counter" else "")
    head = _text(1, name) + _text(2, family.help) + _number(3, _TYPES[family.kind])
    metrics = [_sample(each, family.kind, created) for each in family.samples]
    metrics += [_labels(each.labels) + _bytes(7, _histogram(each, created)) for each in family.distributions]
    return head + b"".join(_bytes(4, each) for each in metrics)


def _sample(sample: Sample, kind: str, created: bytes) -> bytes:
    value = _double(1, sample.value) + (_bytes(3, created) if kind == "counter" else b"")
    return _labels(sample.labels) + _bytes(_VALUES[kind], value)


def _histogram(each: Distribution, created: bytes) -> bytes:
    counts = {BEYOND: each.count} if each.source is None else _native(each.source.buckets)
    zeros = 0 if each.source is None else each.source.zeros
    parts = [_number(1, each.count), _double(2, each.sum), *(_bytes(3, _bucket(bound)) for bound in each.bounds)]
    parts += [_number(5, _zigzag(SCALE)), _double(6, LEAST), _number(7, zeros)]
    parts += [*_spans({index: count for index, count in counts.items() if count}), _bytes(15, created)]
    return b"".join(parts)


def _native(buckets: dict[int, int]) -> dict[int, int]:
    """By Prometheus' index, whose bucket i holds what is in i − 1 of OpenTelemetry and of `model.sketch`."""
    return {index + 1: count for index, count in buckets.items()}


def _spans(counts: dict[int, int]) -> Iterator[bytes]:
    """Runs of neighbours, each with how far it begins after the one before, then each count less the one
    before."""
    spans: list[list[int]] = []
    after = 0
    for index in sorted(counts):
        if spans and index == after:
            spans[-1][1] += 1
        else:
            spans.append([index - after, 1])
        after = index + 1
    if not spans:
        spans = [[0, 0]]  # tells a native histogram without observations from a classic one
    yield from (_bytes(12, _number(1, _zigzag(offset)) + _number(2, length)) for offset, length in spans)
    last = 0
    for index in sorted(counts):
        yield _number(13, _zigzag(counts[index] - last))
        last = counts[index]


def _bucket(bound: Bound) -> bytes:
    exemplar = b"" if bound.exemplar is None else _bytes(3, _exemplar(bound.exemplar))
    return _number(1, bound.count) + _double(2, INFINITE if bound.le == INFINITE else bound.le) + exemplar


def _exemplar(exemplar: Exemplar) -> bytes:
    told = _labels({"trace_id": exemplar.trace_id, "span_id": exemplar.span_id})
    return told + _double(2, exemplar.seconds) + _bytes(3, _timestamp(exemplar.at))


def _timestamp(seconds: float) -> bytes:
    nanoseconds = round(seconds * 1e9)
    return _number(1, nanoseconds // 1_000_000_000) + _number(2, nanoseconds % 1_000_000_000)


def _labels(pairs: dict[str, str]) -> bytes:
    return b"".join(_bytes(1, _text(1, name) + _text(2, value)) for name, value in pairs.items())


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _delimited(value)


def _delimited(value: bytes) -> bytes:
    return _varint(len(value)) + value


def _zigzag(value: int) -> int:
    return value * 2 if value >= 0 else -value * 2 - 1


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
