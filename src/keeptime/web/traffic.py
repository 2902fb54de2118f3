"""How the observing of real traffic goes: as rows, as JSON and as series.

Guarantees: of several entries of one kind the series have the sum, so that nothing is there twice; a problem is
shown as it was given. Knows nothing of HTTP.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from keeptime.app.view import ContractView
from keeptime.model.traffic import TrafficView
from keeptime.web.figures import shown_instant
from keeptime.web.kept import Json, latency_json, shown_latency

KIND = ("contract", "kind")
NAMES = {"first_token": "First token", "inter_token": "Between tokens", "output_token": "Per output token"}


@dataclass(frozen=True, slots=True)
class TrafficRow:
    """One entry of `observe`. `problem`: "" if there is none."""

    kind: str
    said: str
    figures: str
    problem: str


def traffic_rows(view: ContractView, now: float) -> tuple[TrafficRow, ...]:
    return tuple(TrafficRow(each.kind, each.said, _figures(each, now), each.problem) for each in view.traffic)


def traffic_json(view: ContractView) -> list[Json]:
    return [
        {
            "kind": each.kind,
            "what": each.said,
            "requests": each.requests,
            "results": dict(sorted(each.results.items())),
            "problem": each.problem or None,
            "at": each.at,
        }
        for each in view.traffic
    ]


def signals_json(view: ContractView) -> dict[str, Json]:
    """Percentiles of each signal of streams that something was promised about."""
    return {str(of): latency_json(latency) for of, latency in view.signals.items()}


def signal_rows(view: ContractView) -> Iterator[tuple[str, str]]:
    for of, latency in view.signals.items():
        if latency.requests:
            yield NAMES[of], shown_latency(latency)


SPOKEN = {"failed": "could not be read"}
"""Of a page or a file, as the requests beside it did not fail."""


def traffic_series(views: Sequence[ContractView]) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "keeptime_traffic_requests",
        "Requests of real traffic that were counted since keeptime started.",
        labels=KIND,
    )
    results = CounterMetricFamily(
        "keeptime_traffic_results",
        "How often traffic was read or came, by what became of it: ok, or why nothing was taken.",
        labels=(*KIND, "result"),
    )
    last = GaugeMetricFamily(
        "keeptime_traffic_last_timestamp_seconds", "When the last of it came; absent before.", labels=KIND
    )
    problem = GaugeMetricFamily(
        "keeptime_traffic_problem", "1 while traffic of this kind cannot be had, else 0.", labels=KIND
    )
    for view in views:
        for kind in dict.fromkeys(each.kind for each in view.traffic):
            of, key = [each for each in view.traffic if each.kind == kind], (view.contract.name, kind)
            requests.add_metric(key, sum(each.requests for each in of))
            problem.add_metric(key, float(any(each.problem for each in of)))
            summed: Counter[str] = sum((Counter(each.results) for each in of), Counter())
            for result, count in sorted(summed.items()):
                results.add_metric((*key, result), count)
            came = [each.at for each in of if each.at is not None]
            if came:
                last.add_metric(key, max(came))
    yield from (requests, results, last, problem)


def _figures(one: TrafficView, now: float) -> str:
    """ "12,300 requests, last at 08:00:00 UTC; 3 refused"."""
    came = "nothing yet" if one.at is None else f"last at {shown_instant(one.at, now)}"
    left = ((name, count) for name, count in sorted(one.results.items()) if name != "ok" and count)
    other = "".join(f"; {count:,} {SPOKEN.get(name) or name.replace('_', ' ')}" for name, count in left)
    return f"{one.requests:,} requests, {came}{other}"
