"""The traces of an incident as a page: slow requests against usual ones, and one of them as a waterfall.

Guarantees: decides nothing; what the end of a request waited for is marked by more than its colour.
"""

from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import quote

from keeptime.app.tracing import Traces
from keeptime.explain.traces.compare import Compared, compare
from keeptime.explain.traces.critical import Piece, Tree, critical_path, tree_of
from keeptime.model.incident import Incident
from keeptime.model.trace import Trace, TraceSpan, Why
from keeptime.units import speak_duration
from keeptime.web.figures import shown_instant
from keeptime.web.pages.frame import Frame, rendered

WIDE = 1000
"""Units across a waterfall's bars."""
DEEPEST = 12
"""Steps that a name is moved to the right at most."""


@dataclass(frozen=True, slots=True)
class GrownRow:
    name: str
    usual: str
    slow: str
    more: str
    width: float
    longer: bool


@dataclass(frozen=True, slots=True)
class SpanRow:
    """`x`, `width` and `waited` (each x and width): of WIDE. `own`: how long the end waited for itself."""

    name: str
    service: str
    depth: int
    took: str
    own: str
    failed: bool
    x: float
    width: float
    waited: tuple[tuple[float, float], ...]
    attributes: str


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
    chosen = next((each for each in found.found if each.trace == asked), None)
    if chosen is None:
        chosen = max(found.slow or found.found, key=lambda each: each.took_ns, default=None)
    compared = compare(found.found)
    tree = None if chosen is None else tree_of(chosen)
    return rendered(
        "traces.html",
        Frame(f"Traces of {one.key.objective}", "/incidents", shown_instant(now, now), live=False),
        incident=one,
        back=f"/incidents/{quote(one.id)}",
        problem=found.problem,
        sentence="" if compared is None else compared.sentence,
        counts="" if compared is None else _counts(compared),
        grown=[] if compared is None else grown_rows(compared),
        rows=[_row(each, chosen, now) for each in found.found],
        chosen=chosen,
        took="" if chosen is None else speak_duration(chosen.took_ns / 1e9),
        spans=[] if tree is None else span_rows(tree),
        wide=WIDE,
    )


def _counts(one: Compared) -> str:
    return f"{one.slow} slow or failed, {one.usual} usual"


def grown_rows(of: Compared) -> list[GrownRow]:
    """Each work that a request's end waited for, what grew most first."""
    most = max((abs(each.more_ns) for each in of.grown), default=0) or 1
    several = len({each.service for each in of.grown}) > 1
    return [
        GrownRow(
            name=f"{each.service}: {each.name}" if several else each.name,
            usual=speak_duration(each.usual_ns / 1e9),
            slow=speak_duration(each.slow_ns / 1e9),
            more=f"{'+' if each.more_ns >= 0 else '−'}{speak_duration(abs(each.more_ns) / 1e9)}",
            width=abs(each.more_ns) / most * WIDE,
            longer=each.more_ns >= 0,
        )
        for each in of.grown
    ]


def span_rows(tree: Tree) -> list[SpanRow]:
    """The waterfall, in the order of a reader."""
    waited: dict[str, list[Piece]] = defaultdict(list)
    for piece in critical_path(tree):
        waited[piece.span.span].append(piece)
    return [_span(tree.root, span, depth, waited.get(span.span, [])) for span, depth in tree.spans()]


def _span(root: TraceSpan, span: TraceSpan, depth: int, waited: list[Piece]) -> SpanRow:
    def across(start_ns: int, took_ns: int) -> tuple[float, float]:
        scale = WIDE / max(1, root.took_ns)
        x = min(max((start_ns - root.start_ns) * scale, 0.0), float(WIDE))
        return x, max(min(took_ns * scale, WIDE - x), 0.0)

    x, width = across(span.start_ns, span.took_ns)
    own = sum(each.took_ns for each in waited)
    return SpanRow(
        name=span.name,
        service=span.service,
        depth=min(depth, DEEPEST),
        took=speak_duration(span.took_ns / 1e9),
        own=speak_duration(own / 1e9) if own else "",
        failed=span.failed,
        x=x,
        width=max(width, 2.0),
        waited=tuple(across(each.start_ns, each.took_ns) for each in waited),
        attributes=", ".join(f"{name}={text}" for name, text in span.attributes.items()),
    )


def _row(one: Trace, chosen: Trace | None, now: float) -> TraceRow:
    return TraceRow(
        trace=one.trace,
        query=f"?trace={quote(one.trace)}",
        why="usual" if one.why is Why.USUAL else one.why.value,
        at=shown_instant(one.at_ns / 1e9, now),
        took=speak_duration(one.took_ns / 1e9),
        chosen=chosen is not None and one.trace == chosen.trace,
    )
