"""The critical path of a trace: for each instant of a request the one piece of work that its end waited for.

Guarantees: the pieces follow one another without a hole or an overlap, and add up to what the request took. Walks
backwards from the end, always to the child that ended last, as Yang and Miller's critical path analysis does
("Critical path analysis for the execution of parallel and distributed programs", ICDCS 1988); of children that
overlap, the earlier one counts until the later one began. Clocks of other machines are off: a span that is not
within the one that asked for it is moved there, no further than it must be. Pure.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from keeptime.model.trace import Trace, TraceSpan

DEEPEST = 200
"""Spans within one another: as many as are kept of a trace."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The end waited for this span from `start_ns` on, for `took_ns`."""

    span: TraceSpan
    start_ns: int
    took_ns: int


@dataclass(frozen=True, slots=True)
class Tree:
    """`root`: the request. `children`: by span id, those within it, moved to where they can have been."""

    root: TraceSpan
    children: Mapping[str, Sequence[TraceSpan]]

    def spans(self) -> Iterator[tuple[TraceSpan, int]]:
        """Each span and how deep it lies, as a waterfall shows them."""
        waiting = [(self.root, 0)]
        while waiting:
            span, depth = waiting.pop()
            yield span, depth
            below = sorted(self.children.get(span.span, ()), key=lambda each: each.start_ns, reverse=True)
            waiting += [(each, depth + 1) for each in below]


def tree_of(trace: Trace) -> Tree | None:
    """The request and all that was done for it; None where the request's own span is not there."""
    root = _request(trace)
    if root is None:
        return None
    by_parent: dict[str, list[TraceSpan]] = defaultdict(list)
    for each in trace.spans:
        if each.span != root.span:
            by_parent[each.parent].append(each)
    return Tree(root, _placed(root, by_parent))


def critical_path(tree: Tree) -> tuple[Piece, ...]:
    """Its pieces, from the request's start to its end."""
    pieces = list(_backwards(tree, tree.root, tree.root.start_ns, _end(tree.root), 0))
    return tuple(reversed(pieces))


def _request(trace: Trace) -> TraceSpan | None:
    """The span that was counted; else the longest of those that nothing here asked for."""
    exact = (each for each in trace.spans if each.took_ns == trace.took_ns and _end(each) == trace.at_ns)
    return next(exact, None) or longest_first(trace.spans)


def longest_first(spans: Sequence[TraceSpan]) -> TraceSpan | None:
    """The longest of those that no other of these asked for; None where there is none."""
    known = {each.span for each in spans}
    return max((each for each in spans if each.parent not in known), key=lambda each: each.took_ns, default=None)


def _placed(root: TraceSpan, by_parent: Mapping[str, list[TraceSpan]]) -> dict[str, list[TraceSpan]]:
    """Each child within its parent; what lies below one that is moved goes with it."""
    placed: dict[str, list[TraceSpan]] = {}
    waiting, shifts = [root], {root.span: 0}
    while waiting:
        parent = waiting.pop()
        if parent.span in placed:
            continue  # two spans of one id: the first is meant
        placed[parent.span] = []
        for each in by_parent.get(parent.span, ()):
            moved = replace(each, start_ns=each.start_ns + shifts[parent.span])
            by = 0 if each.service == parent.service else _into(moved, parent)
            shifts.setdefault(each.span, shifts[parent.span] + by)
            there = replace(moved, start_ns=moved.start_ns + by)
            placed[parent.span].append(there)
            waiting.append(there)
    return placed


def _into(child: TraceSpan, parent: TraceSpan) -> int:
    """Nanoseconds by which the child must be moved to lie within; one that is longer begins with its parent."""
    if child.took_ns >= parent.took_ns or child.start_ns < parent.start_ns:
        return parent.start_ns - child.start_ns
    return min(0, _end(parent) - _end(child))


def _backwards(tree: Tree, span: TraceSpan, start: int, end: int, depth: int) -> Iterator[Piece]:
    """What of `span` between these instants the end waited for, the last piece first."""
    until = end
    below = tree.children.get(span.span, ()) if depth < DEEPEST else ()
    for each in sorted(below, key=_end, reverse=True):
        first, last = max(each.start_ns, start), min(_end(each), until)
        if first >= last:
            continue
        if last < until:
            yield Piece(span, last, until - last)
        yield from _backwards(tree, each, first, last, depth + 1)
        until = first
    if start < until:
        yield Piece(span, start, until - start)


def _end(span: TraceSpan) -> int:
    return span.start_ns + span.took_ns
