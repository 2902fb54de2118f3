"""The traces of an incident as a page: slow requests against usual ones, one of them as a waterfall, all by name.

Guarantees: decides nothing. Pure: knows no daemon.
"""

from dataclasses import dataclass
from urllib.parse import quote

from keeptime.app.tracing import Traces
from keeptime.model.incident import Incident
from keeptime.model.trace import Trace, Why
from keeptime.units import speak_duration
from keeptime.web.figures import shown_instant
from keeptime.web.pages.frame import Frame, rendered
from keeptime.web.pages.waterfall import waterfall


@dataclass(frozen=True, slots=True)
class TraceRow:
    trace: str
    query: str
    why: str
    at: str
    took: str
    chosen: bool


def page(one: Incident, found: Traces, asked: str, now: float) -> str:
    """As HTML. `asked`: the id of the trace that is shown whole; else the slowest."""
    traces = waterfall(found, asked)
    return rendered(
        "traces.html",
        Frame(f"Traces of {one.key.objective}", "/incidents", shown_instant(now, now), live=False),
        incident=one,
        back=f"/incidents/{quote(one.id)}",
        problem=found.problem,
        traces=traces,
        rows=[_row(each, traces.trace, now) for each in found.found],
    )


def _row(one: Trace, chosen: str, now: float) -> TraceRow:
    return TraceRow(
        trace=one.trace,
        query=f"?trace={quote(one.trace)}",
        why="usual" if one.why is Why.USUAL else one.why.value,
        at=shown_instant(one.at_ns / 1e9, now),
        took=speak_duration(one.took_ns / 1e9),
        chosen=one.trace == chosen,
    )
