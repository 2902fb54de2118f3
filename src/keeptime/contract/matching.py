"""Do the series that a contract names say what its objectives ask?

Guarantees: an objective that the series cannot answer at all is an error at its own place; a threshold between two
bucket bounds is a warning, for an export may still give a lower and an upper bound.
"""

from collections.abc import Sequence

from keeptime.contract.draft import Draft
from keeptime.contract.report import Report
from keeptime.contract.shapes import Placed
from keeptime.contract.sources import ClassicHistogram, CounterPair, Counts, NativeHistogram
from keeptime.contract.terms import Contract
from keeptime.units import format_duration


def check_series(contract: Contract, drafts: Sequence[Placed[Draft]], report: Report) -> None:
    """Report what the contract's series cannot say; nothing for a contract that is observed by probes."""
    if contract.source is None:
        return
    counts = contract.source.counts
    for draft in drafts:
        _check_interval(draft, report)
    if isinstance(counts, CounterPair):
        _check_counters(drafts, report)
        return
    for draft in drafts:
        _check_objective(draft, counts, report)


def _check_counters(drafts: Sequence[Placed[Draft]], report: Report) -> None:
    """Counters know one kind of good request: versions of one objective and a higher internal target share them."""
    for draft in drafts[1:]:
        one = draft.value
        if not one.warns_of and one.label != drafts[0].value.label:
            message = "counters count for one objective; write a contract for each of the others"
            report.error(draft.place, "counters-once", message)
            return
        if one.warns_of and one.under != drafts[0].value.under:
            message = "counters cannot tell a smaller threshold; expected a 'warn' with a target alone"
            report.error(draft.place, "counters-once", message)


def _check_interval(draft: Placed[Draft], report: Report) -> None:
    """Counts at a threshold give percentiles; a mean needs each request's latency, and bounds its phases."""
    if draft.value.bounds:
        message = f"{draft.value.label}: counts tell no phases of single requests; expected one duration as 'under'"
        report.error(draft.place, "counts-not-requests", message)
    if draft.value.each is not None and draft.value.each.share is None:
        message = f"{draft.value.label}: a mean cannot be had from counts; expected a percentile such as p95"
        report.error(draft.place, "mean-unknown", message)


def _check_objective(draft: Placed[Draft], counts: Counts, report: Report) -> None:
    name, under = draft.value.label, draft.value.under
    if under is None and isinstance(counts, ClassicHistogram | NativeHistogram) and not counts.failed:
        message = f"{name}: the histogram does not say which requests failed; expected 'failed' matchers beside it"
        report.error(draft.place, "failures-unknown", message)
    if (
        under is not None
        and isinstance(counts, ClassicHistogram)
        and counts.buckets
        and under not in counts.buckets
    ):
        report.warning(draft.place, "threshold-not-a-bound", f"{name}: {off_bound(under, counts.buckets)}")


def off_bound(under: float, buckets: Sequence[float]) -> str:
    """A sentence: this threshold is no bucket bound, and which are the nearest."""
    near = [format_duration(each) for each in around(under, buckets) if each is not None]
    return (
        f"the threshold {format_duration(under)} is no bucket bound of the histogram, so it cannot be judged "
        f"exactly; the nearest are {' and '.join(near)}"
    )


def around(under: float, buckets: Sequence[float]) -> tuple[float | None, float | None]:
    """The largest bound up to `under` and the smallest from it on; None where there is none."""
    low = max((each for each in buckets if each <= under), default=None)
    high = min((each for each in buckets if each >= under), default=None)
    return low, high
