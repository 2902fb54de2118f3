"""Slow requests against usual ones: which work took longer, of what each request's end waited for.

Guarantees: the differences add up to how much longer the slow ones took; work that a request did not do counts as 0
for it. With no usual one nothing is compared. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from keeptime.explain.traces.critical import critical_path, tree_of
from keeptime.model.trace import Trace, Why
from keeptime.units import speak_duration

LEAST_SHARE = 0.01
"""Of all that is more, what is less than this is not said."""
SAID = 3
"""Pieces of work in one sentence at most."""

Work = tuple[str, str]
"""(service, name of the span)."""


@dataclass(frozen=True, slots=True)
class Grown:
    """Mean nanoseconds of a request that its end waited for this work, of slow and of usual ones."""

    service: str
    name: str
    slow_ns: float
    usual_ns: float

    @property
    def more_ns(self) -> float:
        return self.slow_ns - self.usual_ns


@dataclass(frozen=True, slots=True)
class Compared:
    """`slow`, `usual`: how many traces. `grown`: the most first; what became shorter comes last."""

    slow: int
    usual: int
    grown: tuple[Grown, ...]

    @property
    def sentence(self) -> str:
        """ "queue +310 ms, forward +12 ms, tokenizer +5 ms"; "" where there is nothing to say."""
        return ", ".join(_said(each, self._several()) for each in self._told())

    def _told(self) -> list[Grown]:
        whole = sum(each.more_ns for each in self.grown if each.more_ns > 0)
        return [each for each in self.grown if each.more_ns > 0 and each.more_ns >= LEAST_SHARE * whole][:SAID]

    def _several(self) -> bool:
        return len({each.service for each in self.grown}) > 1


def compare(traces: Sequence[Trace]) -> Compared | None:
    """Of the traces of one contract; None where none is slow, or none is usual."""
    slow = [found for each in traces if each.why is not Why.USUAL and (found := waited_for(each))]
    usual = [found for each in traces if each.why is Why.USUAL and (found := waited_for(each))]
    if not slow or not usual:
        return None
    of_slow, of_usual = _mean(slow), _mean(usual)
    grown = [
        Grown(*work, of_slow.get(work, 0.0), of_usual.get(work, 0.0)) for work in sorted({*of_slow, *of_usual})
    ]
    return Compared(len(slow), len(usual), tuple(sorted(grown, key=lambda each: -each.more_ns)))


def waited_for(trace: Trace) -> dict[Work, int]:
    """Nanoseconds that the request's end waited for each work; empty where its own span is not there."""
    tree = tree_of(trace)
    found: dict[Work, int] = defaultdict(int)
    for piece in critical_path(tree) if tree is not None else ():
        found[piece.span.service, piece.span.name] += piece.took_ns
    return dict(found)


def _mean(of: Sequence[Mapping[Work, int]]) -> dict[Work, float]:
    works: Iterable[Work] = {work for each in of for work in each}
    return {work: sum(each.get(work, 0) for each in of) / len(of) for work in works}


def _said(one: Grown, several: bool) -> str:
    name = f"{one.service}: {one.name}" if several and one.service else one.name
    return f"{name} +{speak_duration(one.more_ns / 1e9)}"
