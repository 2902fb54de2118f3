"""An objective's segments, as rows below it and as series.

Guarantees: the judge's condition and reason are shown as they are, the worst first. Knows nothing of HTTP.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from keeptime.app.view import ContractView, Snapshot
from keeptime.contract.segments import shown
from keeptime.contract.terms import Objective
from keeptime.model.verdict import Condition, Verdict
from keeptime.web.figures import shown_ratio
from keeptime.web.marks import shown_marks

MOST_SEGMENTS = 10
"""So many are shown at once, the worst; the rest is a click away."""
WORST_FIRST = (Condition.BROKEN, Condition.AT_RISK, Condition.NO_DATA, Condition.OK)


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """`condition`: "" while there is no verdict."""

    values: str
    condition: str
    figures: str
    reason: str
    marks: tuple[tuple[str, str], ...]


def segment_rows(view: ContractView, of: Objective, snapshot: Snapshot) -> tuple[SegmentRow, ...]:
    """The segments of an objective, the worst first."""
    found = [
        (one, verdict)
        for one, verdict in zip(view.contract.objectives, view.verdicts, strict=True)
        if one.segment_of == of.name
    ]
    found.sort(key=lambda each: _rank(each[1]))
    return tuple(_row(view, one, verdict, snapshot) for one, verdict in found)


def segment_series(views: Sequence[ContractView]) -> Iterator[Metric]:
    """What each segment is of, to be joined with the series of objectives."""
    series = GaugeMetricFamily(
        "keeptime_objective_segment",
        "1 for each attribute of a segment: of which objective it is, and the value that its requests have.",
        labels=("contract", "objective", "of", "attribute", "value"),
    )
    for view in views:
        for one in view.contract.objectives:
            for attribute, value in one.segment:
                series.add_metric((view.contract.name, one.name, one.segment_of, attribute, value), 1)
    yield series


def _rank(verdict: Verdict | None) -> tuple[int, float]:
    if verdict is None:
        return len(WORST_FIRST), 0.0
    return WORST_FIRST.index(verdict.condition), -verdict.bad


def _row(view: ContractView, one: Objective, verdict: Verdict | None, snapshot: Snapshot) -> SegmentRow:
    marks = shown_marks(snapshot, view.contract.key(one))
    values = shown(one.segment)
    if verdict is None:
        return SegmentRow(values, "", "", "not judged yet", marks)
    events = verdict.good + verdict.bad
    sli = shown_ratio(verdict.good, events, verdict.target) if events else "no events"
    return SegmentRow(
        values, verdict.condition.value, f"{sli}, {verdict.bad:,} bad of {events:,}", verdict.reason, marks
    )
