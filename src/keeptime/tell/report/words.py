"""The figures of a report in words, the same in every form of it that people read.

Guarantees: instants are in UTC and say so; rounding never shows a missed target as met. Knows no markup.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

from keeptime.model.compliance import Basis, Compliance
from keeptime.tell.report.values import Credit, Incident, Kept, KeptTogether, LeftOut, Report, Sent, Told
from keeptime.units import format_percent, shown_interval

SIGNS = {Compliance.MET: "✓", Compliance.MISSED: "✗", Compliance.UNDECIDED: "?"}
"""Beside the word, so that a colour is never the only sign."""
FULL = 4
"""So many budgets of bad requests in a day take a bar down to its stump."""


def heading(report: Report) -> str:
    return f"{report.contract}, {report.period}"


def facts(report: Report) -> Iterator[tuple[str, str]]:
    """What the report is of, in a line each."""
    yield "Provider", report.provider
    yield "Model", report.model
    if report.consumer:
        yield "Consumer", report.consumer
    yield "Contract", f"version {report.version}"
    yield "Data up to", instant(report.as_of)


def standing(report: Report) -> str:
    """The verdict on all of it."""
    count = len(report.objectives)
    of = "the one promise" if count == 1 else f"{count} promises, taken together"
    return f"{SIGNS[report.state]} {report.state.value}{'' if report.over else ' so far'}: {of}"


def verdict(one: Kept) -> str:
    return f"{SIGNS[one.found.state]} {one.found.state.value}{'' if one.over else ' so far'}"


def rows(one: Kept) -> Iterator[tuple[str, str]]:
    """What a promise came to."""
    yield "Period", f"{span(one)}{'' if one.over else '; it is not over'}"
    if one.since > one.start:
        yield "Observed from", instant(one.since)
    yield "SLI", _sli(one)
    yield "Target", format_percent(one.target)
    yield "Why", one.found.reason
    yield "Counts", counts(one)
    if one.credit is not None:
        yield "Credit due", credit(one.credit)


def _sli(one: Kept) -> str:
    if one.sli is None:
        return "nothing was counted"
    said = shown_interval(one.found.low, one.found.high)
    return (
        f"{said} (every request was counted)" if one.basis is Basis.COUNTED else f"{said} (probes; 95% confidence)"
    )


def span(one: Kept) -> str:
    zone = "" if one.timezone == "UTC" else f" ({one.timezone})"
    return f"{instant(one.start)} to {instant(one.end)}{zone}"


def counts(one: Kept) -> str:
    """ "8,640 good, 12 bad, 3 missing"."""
    found = one.counts
    more = (("skipped", found.skipped), ("missing", found.missing), ("excluded", found.excluded))
    return ", ".join([f"{found.good:,} good", f"{found.bad:,} bad", *(f"{n:,} {name}" for name, n in more if n)])


def credit(due: Credit) -> str:
    """ "10% of monthly fee", "0% to 10%"."""
    figures = dict.fromkeys(format_percent(each.credit) for each in (due.least, due.most))
    return " to ".join(figures) + (f" of {due.of}" if due.of else "")


def left_out(one: LeftOut) -> str:
    return f"{one.events:,}: {one.reason}" + (f" ({one.author})" if one.author else "")


def together(one: KeptTogether) -> str:
    said = f"{SIGNS[one.state]} {one.state.value}: {one.name} ({', '.join(one.all)})"
    if one.credit is None:
        return said
    return f"{said}; credit due {' to '.join(dict.fromkeys(format_percent(each) for each in one.credit))}"


def incident(one: Incident) -> str:
    until = ", and it lasts" if one.ended is None else f" to {instant(one.ended)}"
    return f"{instant(one.began)}{until}: {', '.join(one.topics)}"


def told(one: Told) -> str:
    return f"{instant(one.at)} {one.topic}" + (f": {one.reason}" if one.reason else "")


def sent(one: Sent) -> str:
    by = f" ({one.receiver})" if one.receiver else ""
    return f"{one.audience}{by}: {one.state}" + ("" if one.at is None else f" {instant(one.at)}")


def instant(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True, slots=True)
class Bar:
    """A day: how high it stands (0–1; None: nothing was counted), whether it kept the target, and its sentence."""

    day: str
    height: Fraction | None
    kept: bool
    said: str


def bars(one: Kept) -> tuple[Bar, ...]:
    """Each day of the period: full without a bad request, lower the more of the budget a day's requests took."""
    return tuple(_bar(each.name, each.counts.good, each.counts.events, one.target) for each in one.days)


def _bar(day: str, good: int, events: int, target: Fraction) -> Bar:
    if not events:
        return Bar(day, None, False, f"{day}: nothing was counted")
    share = Fraction(good, events)
    taken = (1 - share) / (1 - target) / FULL
    height = max(Fraction(1, 10), 1 - taken)
    figure = shown_interval(float(share), float(share))
    return Bar(day, height, share >= target, f"{day}: {figure} of {events:,}")


def worst(one: Kept) -> str:
    """The bars in one sentence, for who does not see them."""
    counted = [each for each in one.days if each.counts.events]
    if not counted:
        return "on no day anything was counted"
    below = sum(Fraction(each.counts.good, each.counts.events) < one.target for each in counted)
    return f"{len(counted)} days counted, {below} of them below the target"
