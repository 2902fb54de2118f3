"""What the alerts of a rule were worth, against what really happened.

An alert is about the first incident in which it began, or that had ended at most SLACK before; without one it is
false. An incident is caught by the first alert that is about it. Medians are over all incidents: one that was never
caught counts as infinitely late, so a rule cannot look fast by catching only what is easy.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.alert_quality.judging import Alert
from bench.alert_quality.streams import TICK, Incident, Stream, ticks

SLACK = ticks(6 * 3600)
"""The longest short window of the rules compared: what fires until then still is about the incident."""
MONTH_DAYS = 30.0
SPENDS = ((0.003, 0.01), (0.01, 0.02), (0.02, 0.05), (0.05, math.inf))
COUNTED_SPEND = 0.02
"""Incidents of at least this share of the budget are those that must be found."""


@dataclass(frozen=True, slots=True)
class Caught:
    """One incident and what a rule made of it. `delay`: minutes to the first alert, infinite where there was none.

    `spent`: share of the 28-day budget gone in the incident by then; `clear`: minutes from its end to the end of
    the last alert about it, where there was one; `steps`: how often somebody was told something worse.
    """

    incident: Incident
    delay: float
    spent: float
    clear: float
    alerts: int
    steps: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """All of one rule on one stream."""

    stream_days: float
    false: int
    caught: tuple[Caught, ...]


def outcome(stream: Stream, found: Sequence[Alert]) -> Outcome:
    about: list[list[Alert]] = [[] for _ in stream.incidents]
    false = 0
    for alert in found:
        place = next((i for i, each in enumerate(stream.incidents) if _concerns(alert, each)), None)
        if place is None:
            false += 1
        else:
            about[place].append(alert)
    caught = tuple(_caught(stream, each, own) for each, own in zip(stream.incidents, about, strict=True))
    return Outcome(stream.days, false, caught)


def _concerns(alert: Alert, incident: Incident) -> bool:
    return incident.start <= alert.start < incident.end + SLACK


def _caught(stream: Stream, incident: Incident, about: Sequence[Alert]) -> Caught:
    if not about:
        return Caught(incident, math.inf, math.inf, math.nan, 0, 0)
    first, last = about[0], about[-1]
    bad = stream.bad[incident.start : incident.end].sum()
    until = stream.bad[incident.start : min(first.start + 1, incident.end)].sum()
    return Caught(
        incident=incident,
        delay=(first.start + 1 - incident.start) * TICK / 60,
        spent=incident.spend * float(until / max(1, bad)),
        clear=max(0, last.end - incident.end) * TICK / 60,
        alerts=len(about),
        steps=sum(each.steps for each in about),
    )


@dataclass(frozen=True, slots=True)
class Row:
    """Figures of one rule over some streams; NaN where nothing of the kind was there to be measured."""

    rule: str
    months: float
    incidents: int
    false_per_month: float
    precision: float
    recall: tuple[float, ...]
    detect_median: float
    detect_p95: float
    detect_mean_log: float
    spent_median: float
    clear_median: float
    alerts_per_incident: float
    told_per_incident: float


def row(rule: str, outcomes: Sequence[Outcome]) -> Row:
    """`detect_mean_log`: the geometric mean of the delays of caught incidents, in minutes."""
    months = sum(each.stream_days for each in outcomes) / MONTH_DAYS
    every = [caught for each in outcomes for caught in each.caught]
    found = [each for each in every if each.alerts]
    false, true = sum(each.false for each in outcomes), sum(each.alerts for each in every)
    counted = [each for each in every if each.incident.spend >= COUNTED_SPEND]
    delays = [each.delay for each in counted]
    soon = [each.delay for each in counted if each.alerts]
    return Row(
        rule=rule,
        months=months,
        incidents=len(counted),
        false_per_month=false / months,
        precision=true / (true + false) if true + false else math.nan,
        recall=tuple(_recall(every, low, high) for low, high in SPENDS),
        detect_median=_quantile(delays, 0.5),
        detect_p95=_quantile(delays, 0.95),
        detect_mean_log=math.exp(float(np.mean(np.log(soon)))) if soon else math.nan,
        spent_median=_quantile([each.spent for each in counted], 0.5),
        clear_median=_quantile([each.clear for each in found], 0.5),
        alerts_per_incident=true / len(found) if found else math.nan,
        told_per_incident=sum(each.steps for each in found) / len(found) if found else math.nan,
    )


def _recall(every: Sequence[Caught], low: float, high: float) -> float:
    inside = [each.alerts > 0 for each in every if low <= each.incident.spend < high]
    return sum(inside) / len(inside) if inside else math.nan


def _quantile(values: Sequence[float], q: float) -> float:
    """An observed value, so that infinite ones need no arithmetic."""
    return sorted(values)[min(len(values) - 1, math.floor(q * len(values)))] if values else math.nan
