"""Do the metrics that a contract scrapes say what its objectives ask?

Guarantees: what they cannot say at all is an error at the objective's own place, in the preset's own words where it
has any; a threshold between two bucket bounds is a warning, which says what then happens to the requests between
them. Where something else observes requests too, only warnings are given.
"""

from collections.abc import Sequence
from typing import NamedTuple

from keeptime.contract.draft import Draft, Errors
from keeptime.contract.eligibility import fits
from keeptime.contract.matching import around
from keeptime.contract.presets.preset import Asked, Fidelity, Metric, Preset
from keeptime.contract.report import Report
from keeptime.contract.shapes import Placed
from keeptime.contract.terms import Contract
from keeptime.contract.traffic.scrape import Scrape
from keeptime.model.batch import same_bound
from keeptime.model.key import Signal
from keeptime.units import format_duration

SCRAPED = "scrape"
"""The observer of requests that are scraped."""


class Wrong(NamedTuple):
    """Why an objective cannot be judged."""

    code: str
    message: str


def check_scrapes(contract: Contract, drafts: Sequence[Placed[Draft]], report: Report) -> None:
    """Report what no metric tells; nothing for a contract that scrapes nothing."""
    presets = [each.definition for each in contract.traffic if isinstance(each, Scrape)]
    alone = len(presets) == len(contract.traffic) and not contract.probes
    for draft in drafts if presets else ():
        if draft.value.of is not Signal.TOKEN_RATE:
            _check_if_asked(draft, presets, report, alone)
    if alone and presets:
        _check_failures(drafts, presets, report)


def _check_if_asked(draft: Placed[Draft], presets: Sequence[Preset], report: Report, alone: bool) -> None:
    """One that is about other observers alone asks nothing of a scrape; one about scrapes asks nothing else."""
    observers = tuple(each for each in draft.value.where if each.attribute == "observer")
    if fits(observers, {"observer": SCRAPED}):
        _check(draft, presets, report, alone or bool(observers))


def _check(draft: Placed[Draft], presets: Sequence[Preset], report: Report, alone: bool) -> None:
    wrong = [_wrong(draft.value, each) for each in presets]
    if all(wrong):
        if draft.value.warns_of:
            return  # said of the objective that it warns of
        code, message = next(each for each in wrong if each)
        say = report.error if alone else report.warning
        say(draft.place, code, f"{draft.value.label}: {message}")
        return
    for each, found in zip(presets, wrong, strict=True):
        metric = each.metric(draft.value.of)
        if not found and metric is not None and draft.value.under is not None and metric.buckets:
            _check_bound(draft, each, metric, report)


def _check_failures(drafts: Sequence[Placed[Draft]], presets: Sequence[Preset], report: Report) -> None:
    """Say once that a failure is not bad where nobody counts it."""
    metrics = [found for each in presets if (found := each.metric(Signal.REQUESTS)) is not None]
    if not metrics or any(each.tells_failures for each in metrics):
        return
    for draft in drafts:
        one = draft.value
        if one.of is Signal.REQUESTS and one.under is not None and one.errors is Errors.BAD:
            message = (
                f"{one.label}: {presets[0].title}'s metrics do not tell which requests failed, so a failure is "
                "not bad here; expected a probe beside it, or 'errors: excluded' to say so"
            )
            report.warning(draft.place, "failures-unknown", message)
            return


def _wrong(one: Draft, preset: Preset) -> Wrong | None:
    """A code and why this objective cannot be judged by this preset; None if it can."""
    metric = preset.metric(one.of)
    if one.bounds:
        return Wrong(
            "counts-not-requests", "counts tell no phases of single requests; expected one duration as 'under'"
        )
    if one.each is not None and one.each.share is None:
        return Wrong(
            "mean-unknown",
            f"a mean cannot be had from {preset.title}'s counts; expected a percentile such as p95",
        )
    if metric is None:
        told = ", ".join(str(each.signal) for each in preset.metrics) or "no signal at all"
        own = preset.refusals.get(Asked(str(one.of)), "")
        return Wrong(
            "signal-unmeasured", f"{preset.title}'s metrics do not tell of '{one.of}', but of {told}{_own(own)}"
        )
    if one.under is not None and metric.fidelity is not Fidelity.HISTOGRAM:
        own = preset.refusals.get(Asked.PERCENTILES, "")
        said = f"a {metric.kind} of {preset.title} cannot tell how many were under {format_duration(one.under)}"
        return Wrong("percentiles-unknown", f"{said}: its fidelity is '{metric.fidelity}'{_own(own)}")
    if metric.fidelity is Fidelity.LAST_VALUE:
        return Wrong(
            "percentiles-unknown",
            f"a gauge of {preset.title} holds the last value alone; nothing can be counted",
        )
    if one.under is None and not metric.tells_failures:
        own = preset.refusals.get(Asked.FAILURES, "")
        return Wrong("failures-unknown", f"{preset.title}'s metrics do not tell which requests failed{_own(own)}")
    return None if one.under is None else _out_of_bounds(one.under, preset, metric)


def _out_of_bounds(under: float, preset: Preset, metric: Metric) -> Wrong | None:
    """Below its first bound no request is known to be good, beyond its last one none to be bad."""
    if not metric.buckets or _nearly(under, metric.buckets) or metric.buckets[0] < under < metric.buckets[-1]:
        return None
    first = under < metric.buckets[0]
    end, known = ("first", "good") if first else ("last", "bad")
    bound = format_duration(metric.buckets[0 if first else -1])
    return Wrong(
        "threshold-out-of-bounds",
        f"the {end} bucket bound of {preset.title}'s {metric.names[0]} is {bound}, so no request would ever be "
        f"known to be {known}; expected a threshold of {bound} or {'more' if first else 'less'}",
    )


def _nearly(under: float, buckets: Sequence[float]) -> bool:
    return any(same_bound(each, under) for each in buckets)


def _own(words: str) -> str:
    """The preset's own words after ours."""
    return f": {words}" if words else ""


def _check_bound(draft: Placed[Draft], preset: Preset, metric: Metric, report: Report) -> None:
    under = draft.value.under
    assert under is not None, "objectives on success have no threshold"
    if _nearly(under, metric.buckets):
        return
    near = [format_duration(each) for each in around(under, metric.buckets) if each is not None]
    message = (
        f"{draft.value.label}: the threshold {format_duration(under)} is no bucket bound of {preset.title}'s "
        f"{metric.names[0]}: the nearest are {' and '.join(near)}, and requests between may lie on either side "
        "of it, so they are left out as undecided"
    )
    report.warning(draft.place, "threshold-not-a-bound", message)
