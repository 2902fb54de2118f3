"""Pages of metrics for tests: protobuf as servers write it, and a contract that scrapes."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from keeptime.contract.load import load_text
from keeptime.contract.terms import Contract
from keeptime.observe.scrape.messages import MetricFamily

COUNTER, GAUGE, SUMMARY, HISTOGRAM = 0, 1, 2, 4


def family(name: str, type_: int) -> Any:
    return MetricFamily(name=name, type=type_)


def labelled(metrics: Any, **labels: str) -> Any:
    """One more metric of a family."""
    metric = metrics.metric.add()
    for name, value in labels.items():
        metric.label.add(name=name, value=value)
    return metric


def delimited(*families: Any) -> bytes:
    """As it goes over the wire."""
    return b"".join(varint(len(data := each.SerializeToString())) + data for each in families)


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def put_native(histogram: Any, values: Sequence[float], schema: int = 3) -> None:
    """Observations as a Go client would count them: bucket i holds (base^(i-1), base^i]."""
    counts: dict[int, int] = {}
    for value in values:
        if value <= 2.938735877055719e-39:
            histogram.zero_count += 1
        else:
            index = math.ceil(math.log2(value) * 2**schema)
            counts[index] = counts.get(index, 0) + 1
    histogram.schema, histogram.zero_threshold = schema, 2.938735877055719e-39
    histogram.sample_count = len(values)
    fill_spans(histogram, counts)


def fill_spans(histogram: Any, counts: Mapping[int, int]) -> None:
    """Sparse: a gap of one or two empty buckets is bridged, a longer one begins a new span."""
    last, before = None, 0
    for index in sorted(counts):
        gap = index if last is None else index - last - 1
        if last is None or gap > 2:
            histogram.positive_span.add(offset=gap, length=0)
            gap = 0
        for count in (*[0] * gap, counts[index]):
            histogram.positive_delta.append(count - before)
            histogram.positive_span[-1].length += 1
            before = count
        last = index


def contract(scrape: str, *objectives: str, name: str = "chat") -> Contract:
    """One that scrapes; `scrape`: what stands in its braces."""
    said = "".join(f"  - {each}\n" for each in objectives or ("99% of requests under 1s over 28d",))
    text = (
        f"contract: {name}\nobserve: [{{scrape: {{{scrape}}}}}]\nobjectives:\n{said}operators: {{tell: ['log:']}}\n"
    )
    result = load_text(text.encode(), "c.yaml")
    assert result.valid, result.problems
    return result.contracts[0]
