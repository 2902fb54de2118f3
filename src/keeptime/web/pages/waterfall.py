"""What traces say of an incident: slow requests against usual ones, and one of them span by span.

Guarantees: decides nothing; what the end of a request waited for is marked by more than its colour. Pure: knows no
daemon.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from keeptime.app.tracing import Traces
from keeptime.explain.traces.compare import Compared, compare
from keeptime.explain.traces.critical import Piece, Tree, critical_path, tree_of
from keeptime.model.trace import Trace, TraceSpan
from keeptime.units import speak_duration

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
class Waterfall:
    """`sentence`, `counts`, `grown`: what takes longer, empty where there is nothing to compare. `one`: the request
    that is shown whole, in words; `trace`: its id; `spans`: its waterfall, none where the span of the request
    itself is not there; `left_out`: spans of it that were too many."""

    sentence: str = ""
    counts: str = ""
    grown: Sequence[GrownRow] = ()
    one: str = ""
    trace: str = ""
    spans: Sequence[SpanRow] = ()
    left_out: int = 0
    wide: int = WIDE


def waterfall(found: Traces, asked: str = "") -> Waterfall:
    """`asked`: the id of the trace that is shown whole; else the slowest."""
    chosen, compared = _chosen(found, asked), compare(found.found)
    if chosen is None:
        return Waterfall()
    tree = tree_of(chosen)
    return Waterfall(
        sentence="" if compared is None else compared.sentence,
        counts="" if compared is None else f"{compared.slow} slow or failed, {compared.usual} usual",
        grown=[] if compared is None else grown_rows(compared),
        one=f"{chosen.why.value.capitalize()} request, {speak_duration(chosen.took_ns / 1e9)}",
        trace=chosen.trace,
        spans=[] if tree is None else span_rows(tree),
        left_out=chosen.left_out,
    )


def _chosen(found: Traces, asked: str) -> Trace | None:
    named = next((each for each in found.found if each.trace == asked), None)
    return named or max(found.slow or found.found, key=lambda each: each.took_ns, default=None)


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
