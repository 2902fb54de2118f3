"""Series of what people have muted and taken on.

Guarantees: a contract without any is 0, so that a series does not come and go; no label holds what people wrote.
"""

from collections import Counter
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from keeptime.app.view import Snapshot

RECEIVER = ("contract", "audience", "receiver")


def quiet_series(snapshot: Snapshot) -> Iterator[Metric]:
    """Active silences, muted messages, acknowledged alerts."""
    silences = Counter(each.contract for each in snapshot.silences if each.active(snapshot.at))
    acks = Counter(key.contract for key in snapshot.acks)
    active = GaugeMetricFamily("keeptime_silences", "Silences that mute operators now.", labels=("contract",))
    taken = GaugeMetricFamily(
        "keeptime_alerts_acknowledged", "Alerts that are open and acknowledged.", labels=("contract",)
    )
    for view in snapshot.contracts:
        active.add_metric((view.contract.name,), silences[view.contract.name])
        taken.add_metric((view.contract.name,), acks[view.contract.name])
    muted = Counter[tuple[str, ...]]()
    for each in snapshot.deliveries:
        if each.audience == "operators":
            muted[each.contract, each.audience, each.address.partition(":")[0]] += each.muted
    held = GaugeMetricFamily("keeptime_messages_muted", "Messages that a silence holds back now.", labels=RECEIVER)
    for labels, count in muted.items():
        held.add_metric(labels, count)
    yield from (active, taken, held)
