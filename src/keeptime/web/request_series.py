"""The series whose names such set-ups already use: `model_requests_total`, `model_request_latency_seconds`.

Guarantees: a failed request is in the histogram's `_count` and `+Inf` and in no bound below, whatever it took, so
a rule that divides a bucket by the count is right when the model is down; bounds are written as Prometheus clients
write them ("0.5", "1.0").
"""

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

from keeptime.app.view import ContractView
from keeptime.model.counters import RequestCounters
from keeptime.model.phases import PHASES
from keeptime.model.sample import Failure


def request_series(views: Sequence[ContractView]) -> Iterator[Metric]:
    """Requests of every contract, by result and by latency (seconds), since keeptime started."""
    requests = CounterMetricFamily(
        "model_requests",
        "Requests sent to the model, by how they ended: ok, or the class of failure.",
        labels=("contract", "model", "result"),
    )
    latency = HistogramMetricFamily(
        "model_request_latency_seconds",
        "Latency of requests in seconds; a failed request counts as slower than every bound.",
        labels=("contract", "model"),
    )
    phases = CounterMetricFamily(
        "model_request_phase_seconds",
        "Seconds that requests spent in each phase; a failed one in the phases that it reached.",
        labels=("contract", "model", "phase"),
    )
    for view in [each for each in views if each.contract.probes]:
        labels = (view.contract.name, view.contract.model)
        requests.add_metric((*labels, "ok"), sum(view.counters.within))
        for failure in Failure:
            requests.add_metric((*labels, failure.value), view.counters.failures[failure])
        latency.add_metric(labels, buckets(view.counters), view.counters.seconds)
        for phase, seconds in zip(PHASES, view.counters.phases, strict=True):
            phases.add_metric((*labels, phase), seconds)
    yield requests
    yield latency
    yield phases


def buckets(counters: RequestCounters) -> list[tuple[str, float]]:
    """(le, requests that succeeded within it) in ascending order; +Inf holds every request, failed ones too."""
    bounds = (*counters.bounds, math.inf)
    cumulative = list(accumulate(counters.within))
    cumulative[-1] += counters.failures.total()
    return [(_le(bound), float(count)) for bound, count in zip(bounds, cumulative, strict=True)]


def _le(bound: float) -> str:
    return "+Inf" if bound == math.inf else repr(bound)
