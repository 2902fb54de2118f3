"""How keeptime keeps its own promise, for API, page and metrics: messages taken within `notify_within`, in 28 days.

Guarantees: counts as they are, and a word for what they come to; of an audience to which nothing was sent yet there
is no share.
"""

from collections.abc import Iterator, Sequence

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily

from keeptime.app.view import ContractView, DeliveryView, Snapshot
from keeptime.tell.counters import BOUNDS
from keeptime.tell.own_promise import TARGET, WINDOW, Told
from keeptime.units import format_duration, speak_duration
from keeptime.web.kept import Json
from keeptime.web.terms import stated_rows

AUDIENCE = ("contract", "audience")


def told_json(told: Sequence[Told], contract: str) -> list[Json]:
    return [
        {
            "audience": each.audience,
            "notify_within_seconds": each.within,
            "target": float(TARGET),
            "window_seconds": WINDOW,
            "in_time": each.in_time,
            "late": each.late,
            "waiting": each.waiting,
            "share": each.share,
            "compliance": each.compliance,
        }
        for each in told
        if each.contract == contract
    ]


def rows_around(view: ContractView, told: Sequence[Told]) -> Iterator[tuple[str, str]]:
    """What stands below a contract on the page: what it states, and how soon its messages were taken."""
    yield from stated_rows(view.contract)
    for each in told:
        if each.contract == view.contract.name and (each.in_time or each.late):
            yield f"Told: {each.audience}", _sentence(each)


def _sentence(each: Told) -> str:
    total = each.in_time + each.late
    return (
        f"{each.in_time:,} of {total:,} messages in {format_duration(WINDOW)} were taken within "
        f"{speak_duration(each.within)}; 99% is keeptime's own promise: {each.compliance}"
    )


def told_series(snapshot: Snapshot) -> Iterator[Metric]:
    messages = GaugeMetricFamily(
        "keeptime_told_messages",
        "Messages of the last 28 days by whether somebody took them within notify_within; waiting is not late yet.",
        labels=(*AUDIENCE, "result"),
    )
    within = GaugeMetricFamily(
        "keeptime_notify_within_seconds", "How soon a message is to be taken.", labels=AUDIENCE
    )
    for each in snapshot.told:
        key = (each.contract, each.audience)
        within.add_metric(key, each.within)
        for result in ("in_time", "late", "waiting"):
            messages.add_metric((*key, result), getattr(each, result))
    yield from (messages, within, _seconds(snapshot.deliveries))


def _seconds(views: Sequence[DeliveryView]) -> Metric:
    """Receivers of one audience are one series."""
    counts: dict[tuple[str, str], list[int]] = {}
    sums: dict[tuple[str, str], float] = {}
    for view in views:
        key = (view.contract, view.audience)
        known = counts.get(key, [0] * (len(BOUNDS) + 1))
        counts[key] = [a + b for a, b in zip(known, view.took or [0] * (len(BOUNDS) + 1), strict=True)]
        sums[key] = sums.get(key, 0.0) + view.took_seconds
    family = HistogramMetricFamily(
        "keeptime_notify_seconds",
        "From the decision to a receiver's 2xx, of each message and receiver, since start.",
        labels=AUDIENCE,
    )
    bounds = [*map(str, BOUNDS), "+Inf"]
    for key, those in counts.items():
        running = [sum(those[: place + 1]) for place in range(len(those))]
        family.add_metric(key, list(zip(bounds, map(float, running), strict=True)), sums[key])
    return family
