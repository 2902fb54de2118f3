"""Series of a pair: does this one lead, and under which term. Absent where there is only one.

Guarantees: of two that answer at one time at most one says 1.
"""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from keeptime.app.view import Snapshot


def pair_series(snapshot: Snapshot) -> Iterator[Metric]:
    """Two gauges."""
    if snapshot.pair is None:
        return
    leads = snapshot.pair.leads and snapshot.pair.may_send
    yield GaugeMetricFamily(
        "keeptime_leader", "1 where this one of a pair leads and holds the lease, else 0.", leads
    )
    yield GaugeMetricFamily(
        "keeptime_lease_term", "How often the lead of the pair was taken, as last seen.", snapshot.pair.term
    )
