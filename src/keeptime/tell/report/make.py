"""From rows of a store to a report. Pure: the same rows give the same report.

Guarantees: a period that is not over is met or missed only where nothing that may still come can change that. A
report for a consumer has their promises and what they were told, and nothing of anybody else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from keeptime.contract.credits import credit_for
from keeptime.contract.terms import Together
from keeptime.judge.compliance import assess
from keeptime.judge.together import compliance_of, credit_of
from keeptime.model.compliance import Assessment, Basis, Compliance
from keeptime.tell.report.given import Given, Stretch
from keeptime.tell.report.incidents import incidents
from keeptime.tell.report.values import Credit, Incident, Kept, KeptTogether, LeftOut, Report

_ATTRIBUTE = "consumer"
"""By this attribute real traffic says whose request it is: an objective on another's requests is theirs alone."""


def report_of(given: Given, consumer: str = "") -> Report:
    """For this consumer alone; "" for the provider."""
    told = incidents(given.rows, consumer)
    mine = [each for each in given.stretches if not consumer or concerns(each, consumer)]
    kept = tuple(_kept(each, told.get(each.objective, ()), bool(consumer)) for each in mine)
    return Report(
        contract=given.contract,
        provider=given.provider,
        model=given.model,
        version=given.version,
        consumer=consumer,
        period=given.period,
        as_of=given.as_of,
        state=compliance_of([each.found.state for each in kept]),
        objectives=kept,
        together=tuple(_together(given.together, kept)),
        head=str(given.head),
    )


def concerns(stretch: Stretch, consumer: str) -> bool:
    """Is it promised to this consumer too?"""
    asked = [each.any_of for each in stretch.where if each.attribute == _ATTRIBUTE]
    return all(any(fnmatchcase(consumer, pattern) for pattern in any_of) for any_of in asked)


def assess_stretch(stretch: Stretch) -> Assessment:
    """What is certain of it. While it lasts, what is still to come may be good or bad, as what nobody saw."""
    now = assess(stretch.counts, stretch.target, stretch.basis, min_events=stretch.min_events)
    if stretch.over:
        return now
    certain = Compliance.UNDECIDED
    if stretch.basis is Basis.SAMPLED and stretch.to_come is not None:
        whole = replace(stretch.counts, missing=stretch.counts.missing + stretch.to_come)
        certain = assess(whole, stretch.target, stretch.basis, min_events=stretch.min_events).state
    said = "so far" if certain is Compliance.UNDECIDED else "so far, and whatever is still to come"
    return replace(now, state=certain, needed=None, reason=f"{said}: {now.reason.partition('; at this share')[0]}")


def _kept(one: Stretch, told: Sequence[Incident], for_consumer: bool) -> Kept:
    found = assess_stretch(one)
    credit = None
    if one.credits is not None and one.over:
        credit = Credit(*credit_for(one.credits, one.counts, one.basis, found), one.credits.of)
    left_out = (
        LeftOut(why.kind.value, why.reason, "" if for_consumer else why.author, events)
        for why, events in one.excluded
    )
    return Kept(
        name=one.objective,
        promise=one.promise,
        period=one.name,
        timezone=one.timezone,
        start=one.start,
        end=one.end,
        since=one.since,
        over=one.over,
        target=one.target,
        basis=one.basis,
        counts=one.counts,
        found=found,
        credit=credit,
        days=tuple(one.days),
        left_out=tuple(left_out),
        incidents=tuple(each for each in told if _within(each, one)),
    )


def _within(incident: Incident, one: Stretch) -> bool:
    """Did it last in some of this period?"""
    return incident.began < one.end and (incident.ended is None or incident.ended > one.start)


def _together(promises: Sequence[Together], kept: Sequence[Kept]) -> Iterator[KeptTogether]:
    """Those of which every member is here."""
    states: Mapping[str, list[Compliance]] = {each.name: [] for each in kept}
    for each in kept:
        states[each.name].append(each.found.state)
    over = all(each.over for each in kept)
    for promise in promises:
        if all(member in states for member in promise.all):
            state = compliance_of([state for member in promise.all for state in states[member]])
            yield KeptTogether(promise.name, promise.all, state, credit_of(promise.credit, state) if over else None)
