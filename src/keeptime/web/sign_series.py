"""Series of the signs of life that keeptime gives, and of messages that went to the next receiver.

Guarantees: as `own_series`: no label holds a URL; a sign that was never taken has no age. Webhooks of one consumer
are one series.
"""

from collections import Counter
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from keeptime.app.view import Snapshot

RESULTS = ("taken", "failed", "held")


def sign_series(snapshot: Snapshot) -> Iterator[Metric]:
    """Totals by result, and how long ago the last one was taken."""
    totals, ages = Counter[tuple[str, ...]](), dict[tuple[str, ...], float]()
    for view in snapshot.signs:
        for name in view.contracts:
            key = (view.kind, name, view.audience)
            for result in RESULTS:
                totals[*key, result] += getattr(view, result)
            if view.taken_at is not None:
                ages[key] = max(ages.get(key, 0.0), snapshot.at - view.taken_at)
    for kind, noun, labels in (
        ("heartbeat", "heartbeats to a consumer's webhooks", ("contract", "audience")),
        ("ping", "pings to a dead man outside", ("contract",)),
    ):
        total = CounterMetricFamily(
            f"keeptime_{kind}s", f"Slots for {noun}, by what became of them.", labels=(*labels, "result")
        )
        age = GaugeMetricFamily(
            f"keeptime_{kind}_age_seconds",
            f"Since the last of the {noun} was taken; absent before the first.",
            labels=labels,
        )
        for (of, name, audience, result), count in totals.items():
            if of == kind:
                total.add_metric((*(name, audience)[: len(labels)], result), count)
        for (of, name, audience), seconds in ages.items():
            if of == kind:
                age.add_metric((name, audience)[: len(labels)], seconds)
        yield from (total, age)


def passed_on(snapshot: Snapshot) -> Metric:
    """Absent for an audience until something was late there."""
    total = CounterMetricFamily(
        "keeptime_escalations",
        "Steps of messages that were not taken in time: to the next receiver, or to the operators' knowledge.",
        labels=("contract", "audience"),
    )
    for labels, count in sorted(snapshot.passed_on.items()):
        total.add_metric(labels, count)
    return total
