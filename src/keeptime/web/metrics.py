"""`/metrics`: a snapshot in the Prometheus text format, or in OpenMetrics for who asks for it.

Guarantees: one exposition is of one snapshot. Knows nothing of HTTP but the Accept header.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from keeptime.app.view import Snapshot
from keeptime.web.own_series import own_series
from keeptime.web.request_series import request_series

NONE: Mapping[str, int] = MappingProxyType({})


class _Series(Collector):
    def __init__(self, snapshot: Snapshot, refused: Mapping[str, int]) -> None:
        self._snapshot, self._refused = snapshot, refused

    def collect(self) -> Iterator[Metric]:
        yield from request_series(self._snapshot.contracts)
        yield from own_series(self._snapshot)
        yield refusals(self._refused)


def exposition(snapshot: Snapshot, accept: str, refused: Mapping[str, int] = NONE) -> tuple[bytes, str]:
    """The body and its content type, in the format that this Accept header prefers. `refused`: requests that were
    not let in, by reason."""
    registry = CollectorRegistry()
    registry.register(_Series(snapshot, refused))
    ProcessCollector(registry=registry)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


def refusals(refused: Mapping[str, int]) -> Metric:
    """How many requests were not let in, by reason."""
    counter = CounterMetricFamily(
        "keeptime_http_refused", "Requests that were not let in, by the reason.", labels=("reason",)
    )
    for reason, count in sorted(refused.items()):
        counter.add_metric((reason,), count)
    return counter
