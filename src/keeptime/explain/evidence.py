"""Requests as columns, so that a million of them can be looked through at once.

Guarantees: every column has one entry for each request; what is not known is absent (code -1, NaN), never 0 or "".
How a request ended (its status, its failure) is no column: it is what is to be explained.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from keeptime.model.exemplar import Exemplar
from keeptime.model.key import Signal

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]
Flags = NDArray[np.bool_]
ABSENT = -1
SECOND = 1e9

OUTCOMES = frozenset({"status", "failure", "grpc_status", "observer", "trace_id", "span_id"})
"""Attributes that say how a request ended, who saw it, or which one it was."""
WHOLE = frozenset({"total", "app", "request"})
"""Timings of a server that hold all the others."""
WAIT = "wait"
GC, COLLECTION = "gc", "garbage collection"
"""What the middleware calls the time in which garbage was collected, and what it is called here."""


@dataclass(frozen=True, slots=True)
class Column:
    """One attribute: the value of request i is labels[codes[i]], absent where the code is -1. `numbers`: the labels
    as ascending numbers, where all of them are numbers and they are many; else None."""

    codes: Codes
    labels: tuple[str, ...]
    numbers: Floats | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """`at`: Unix seconds when each ended [n]; `weight`: how many requests each stands for [n]; `bad`: [n];
    `attributes`: columns by name; `phases`: seconds by name [n], NaN where not known."""

    at: Floats
    weight: Floats
    bad: Flags
    attributes: Mapping[str, Column] = field(default_factory=dict)
    phases: Mapping[str, Floats] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.at)

    def where(self, chosen: Flags | NDArray[np.int64]) -> "Evidence":
        """These alone."""
        columns = {
            name: Column(each.codes[chosen], each.labels, each.numbers) for name, each in self.attributes.items()
        }
        phases = {name: each[chosen] for name, each in self.phases.items()}
        return Evidence(self.at[chosen], self.weight[chosen], self.bad[chosen], columns, phases)


MOST = 60_000
"""Requests of either kind that are looked at; more of them would tell no more."""
MANY_NUMBERS = 8
"""Distinct numbers from which on an attribute is a quantity; fewer are names, such as of versions."""


def evidence_of(exemplars: Sequence[Exemplar], threshold_ns: int | None, of: Signal = Signal.REQUESTS) -> Evidence:
    """Exemplars of one contract as columns; bad: failed, or this signal took longer than the threshold."""
    names = sorted({name for each in exemplars for name in each.attributes} - OUTCOMES)
    phases = [_phases(each) for each in exemplars]
    return Evidence(
        np.array([each.at_ns / SECOND for each in exemplars], dtype=np.float64),
        np.array([each.weight for each in exemplars], dtype=np.float64),
        np.array([each.bad(threshold_ns, of) for each in exemplars], dtype=np.bool_),
        {name: column([each.attributes.get(name) for each in exemplars]) for name in names},
        {
            name: np.array([each.get(name, np.nan) for each in phases], dtype=np.float64)
            for name in sorted({name for each in phases for name in each})
        },
    )


def paused_of(exemplars: Sequence[Exemplar], threshold_ns: int | None) -> Evidence:
    """Those whose server says how long it collected garbage meanwhile; that and all else are their phases. Who says
    so of some requests collected none in the others."""
    say = {each.observer for each in exemplars if GC in each.timings}
    told = [each for each in exemplars if each.observer in say]
    pause = np.array([each.timings.get(GC, 0) / SECOND for each in told], dtype=np.float64)
    whole = np.array([each.latency_ns / SECOND for each in told], dtype=np.float64)
    return Evidence(
        np.array([each.at_ns / SECOND for each in told], dtype=np.float64),
        np.array([each.weight for each in told], dtype=np.float64),
        np.array([each.bad(threshold_ns) for each in told], dtype=np.bool_),
        {},
        {COLLECTION: np.minimum(pause, whole), "all else": np.maximum(whole - pause, 0.0)},
    )


def thinned(evidence: Evidence) -> Evidence:
    """At most so many bad ones and others, drawn evenly, the same ones each time."""
    draw = np.random.default_rng(0)
    places = [np.flatnonzero(each) for each in (evidence.bad, ~evidence.bad)]
    if max(map(len, places)) <= MOST:
        return evidence
    kept = [draw.choice(each, MOST, replace=False) if len(each) > MOST else each for each in places]
    return evidence.where(np.sort(np.concatenate(kept)))


def column(values: Sequence[str | None]) -> Column:
    """One attribute of all requests; None where it is absent."""
    labels = sorted({each for each in values if each is not None})
    numbers = [_number(each) for each in labels]
    quantity = len(set(numbers)) >= MANY_NUMBERS and None not in numbers
    if quantity:
        labels = [label for _, label in sorted(zip(numbers, labels, strict=True), key=lambda each: each[0] or 0.0)]
    places: dict[str | None, int] = {label: place for place, label in enumerate(labels)}
    codes = np.array([places.get(each, ABSENT) for each in values], dtype=np.int32)
    ascending = np.array([float(label) for label in labels], dtype=np.float64) if quantity else None
    return Column(codes, tuple(labels), ascending)


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if np.isfinite(found) else None


def _phases(one: Exemplar) -> dict[str, float]:
    """Its phases in seconds. Where the server says where its time went, that stands in place of waiting for it,
    and what it does not account for is `wait`."""
    phases = {name: took / SECOND for name, took in one.phases.items()}
    inside = {name: took / SECOND for name, took in one.timings.items()}
    if len(inside) > 1:
        inside = {name: took for name, took in inside.items() if name.lower() not in WHOLE}
    if not inside:
        return phases
    waited = phases.get(WAIT, one.latency_ns / SECOND)
    return {**phases, WAIT: max(0.0, waited - sum(inside.values())), **inside}
