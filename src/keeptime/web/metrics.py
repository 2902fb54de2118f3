"""`/metrics`: a snapshot in the Prometheus text format, or in OpenMetrics for who asks for it.

Guarantees: one exposition is of one snapshot. Knows nothing of HTTP but the Accept header.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from keeptime.app.view import Snapshot
from keeptime.web.own_series import own_series
from keeptime.web.request_series import request_series


class _Series(Collector):
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        yield from request_series(self._snapshot.contracts)
        yield from own_series(self._snapshot)


def exposition(snapshot: Snapshot, accept: str) -> tuple[bytes, str]:
    """The body and its content type, in the format that this Accept header prefers."""
    registry = CollectorRegistry()
    registry.register(_Series(snapshot))
    ProcessCollector(registry=registry)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type
