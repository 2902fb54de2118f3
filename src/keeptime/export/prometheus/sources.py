"""Which series each contract is exported on, and what is done about thresholds that are no bucket bound.

Guarantees: a contract is exported on series that it names or that keeptime itself gives, never on a guess; a
threshold between two bounds is refused, or becomes two objectives that hold the truth between them.
"""

from collections.abc import Sequence
from dataclasses import replace

from keeptime.contract.matching import around, off_bound
from keeptime.contract.sources import ClassicHistogram, CounterPair, Counts, NativeHistogram, ProbeGauges
from keeptime.contract.terms import Contract, Objective
from keeptime.errors import UsageError
from keeptime.export.settings import Settings, Source

OWN_INTERVAL = 10
"""Seconds between evaluations on keeptime's own counters: the length of its ticks."""
USUAL_INTERVAL = 30
"""The same on series of others, which are scraped every 15 to 60 s."""

KINDS: dict[Source, type[Counts]] = {
    Source.HISTOGRAM: ClassicHistogram,
    Source.NATIVE_HISTOGRAM: NativeHistogram,
    Source.BLACKBOX: ProbeGauges,
    Source.COUNTERS: CounterPair,
}
WRITTEN = {
    Source.HISTOGRAM: "histogram: {metric: NAME}",
    Source.NATIVE_HISTOGRAM: "native_histogram: {metric: NAME}",
    Source.BLACKBOX: "gauges: {selector: 'job=\"blackbox\"'}",
    Source.COUNTERS: "counters: {good: PROMQL, total: PROMQL}",
}


def prepared(contracts: Sequence[Contract], settings: Settings) -> tuple[Contract, ...]:
    """The contracts as they are exported. Raises UsageError for one that does not name the wanted series."""
    return tuple(_prepared(contract, settings) for contract in contracts)


def interval_of(contracts: Sequence[Contract], settings: Settings) -> int:
    """Seconds between evaluations."""
    if settings.interval:
        return settings.interval
    return USUAL_INTERVAL if any(each.source is not None for each in contracts) else OWN_INTERVAL


def _prepared(contract: Contract, settings: Settings) -> Contract:
    wanted = settings.source
    if wanted is Source.KEEPTIME:
        return replace(contract, source=None)
    if wanted is not Source.AUTO and not _names(contract, KINDS[wanted]):
        raise UsageError(
            f"{contract.file}: {contract.name} names no series for --source {wanted}; "
            f"expected `observe: - prometheus: {{{WRITTEN[wanted]}}}`"
        )
    if contract.source is None or not isinstance(contract.source.counts, ClassicHistogram):
        return contract
    buckets = contract.source.counts.buckets
    objectives = [found for each in contract.objectives for found in _bounded(contract, each, buckets, settings)]
    return replace(contract, objectives=tuple(objectives))


def _names(contract: Contract, kind: type[Counts]) -> bool:
    return contract.source is not None and isinstance(contract.source.counts, kind)


def _bounded(
    contract: Contract, objective: Objective, buckets: Sequence[float], settings: Settings
) -> Sequence[Objective]:
    under = objective.under
    if under is None or not buckets or under in buckets:
        return (objective,)
    if not settings.bounds:
        raise UsageError(
            f"{contract.file}: {contract.name}/{objective.name}: {off_bound(under, buckets)}; "
            "choose one of them, or say --bounds for a lower and an upper bound"
        )
    low, high = around(under, buckets)
    pair = ((f"{objective.name}.lower", low), (f"{objective.name}.upper", high))
    return [replace(objective, name=name, under=bound) for name, bound in pair if bound is not None]
