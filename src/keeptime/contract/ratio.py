"""An objective as two PromQL queries, good (or bad) and all events, for formats that hold such a ratio.

Guarantees: the same counting as `keeptime.contract.counting`; a contract that is observed by probes is told by
keeptime's own counters. Knows nothing of any format.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from keeptime.contract.counting import PerScrape, Term, counting
from keeptime.contract.sources import CounterPair, Counts
from keeptime.contract.terms import Contract, Objective

OWN_COUNTER = "keeptime_objective_requests_total"


@dataclass(frozen=True, slots=True)
class Ratio:
    """`kind` says what `part` counts. `counter`: it and `total` count up; else they count events of an instant."""

    kind: Literal["good", "bad"]
    part: tuple[Term, ...]
    total: tuple[Term, ...]
    counter: bool


def counts_of(contract: Contract, objective: Objective) -> Counts:
    """What counts this objective's requests in a Prometheus: the contract's source, or keeptime's own counters."""
    if contract.source is not None:
        return contract.source.counts
    labels = f'contract="{contract.name}",objective="{objective.name}"'
    return CounterPair(
        good=(f'{OWN_COUNTER}{{{labels},result="good"}}',),
        total=(f'{OWN_COUNTER}{{{labels},result=~"good|bad"}}',),
    )


def ratio(contract: Contract, objective: Objective) -> Ratio:
    counts = counts_of(contract, objective)
    found = counting(objective, counts)
    if isinstance(found, PerScrape):
        return Ratio("good", (Term(1, found.good, False),), (Term(1, found.events, False),), counter=False)
    if isinstance(counts, CounterPair) and not counts.good:
        bad = counting(objective, CounterPair(good=counts.bad, total=counts.total))
        assert not isinstance(bad, PerScrape)
        return Ratio("bad", bad.good, bad.total, counter=True)
    return Ratio("good", found.good, found.total, counter=True)


def instant(terms: Sequence[Term], *, counter: bool, whole: bool) -> str:
    """The sum now: of counters since they began, or of the events of this instant. `whole`: of all events, so that
    there is no number where there is no series; of a part of them there is 0."""
    if not counter:
        return joined([(term.sign, f"count({term.expression})") for term in terms], whole=whole)
    return joined([(term.sign, f"sum({term.expression})") for term in terms], whole=whole)


def joined(sums: Sequence[tuple[int, str]], *, whole: bool) -> str:
    """Sums and differences in one query; a sum without series is 0, but for the first of the whole.

    Without that, one kind of request that never came would leave no number at all.
    """
    first, *rest = sorted(sums, key=lambda each: -each[0])
    head = first[1] if whole else f"({first[1]} or vector(0))"
    return head + "".join(f" {'+' if sign > 0 else '-'} ({text} or vector(0))" for sign, text in rest)
