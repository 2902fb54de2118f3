"""What several objectives say together: names and meanings that are there twice, thresholds the wrong way round.

Guarantees: each mistake is reported at the objective that makes it, and names the other's line.
"""

from collections.abc import Mapping, Sequence

from keeptime.contract.draft import Draft
from keeptime.contract.nodes import Place
from keeptime.contract.report import Report
from keeptime.contract.shapes import Placed
from keeptime.units import format_duration, format_percent


def together(drafts: Sequence[Placed[Draft]], report: Report, _: str) -> None:
    """What is wrong between objectives: names and meanings that are there twice, thresholds the wrong way round."""
    names: dict[str, Place] = {}
    terms: dict[object, tuple[str, Place]] = {}
    versions: dict[str, bool] = {}
    for draft in drafts:
        one, place = draft.value, draft.place
        same = (*one.scope, one.target, one.under, one.errors, one.timezone, one.exclude)
        if same in terms:
            name, first = terms[same]
            message = f"this objective says the same as '{name}' in line {first.line}"
            report.error(place, "same-objective", message)
        elif one.label in names and not (one.effective or versions[one.label]):
            report.error(place, "duplicate-name", _name_twice(one, names[one.label]))
        terms.setdefault(same, (one.label, place))
        names.setdefault(one.label, place)
        versions[one.label] = versions.get(one.label, False) or bool(one.effective)
    _check_warnings(drafts, names, report)
    _check_order(drafts, report)


def _check_warnings(drafts: Sequence[Placed[Draft]], names: Mapping[str, Place], report: Report) -> None:
    """No objective may have the name of another's internal one."""
    for draft in drafts:
        warned = draft.value.warning()
        if warned is not None and warned.label in names:
            place = names[warned.label]
            message = f"'{warned.label}' is the internal objective of '{draft.value.label}'; give it another name"
            report.error(place, "duplicate-name", message)


def with_warnings(drafts: Sequence[Placed[Draft]]) -> tuple[Placed[Draft], ...]:
    """Each objective, followed by the internal one before it, which stands where its `warn` does."""
    out: list[Placed[Draft]] = []
    for draft in drafts:
        out.append(draft)
        warned = draft.value.warning()
        if warned is not None and draft.value.warn is not None:
            out.append(Placed(warned, draft.value.warn.place))
    return tuple(out)


def _name_twice(draft: Draft, first: Place) -> str:
    cure = "give one another name" if draft.name else "write one as a mapping with a 'name' of its own"
    return f"two objectives are named '{draft.label}' (the first in line {first.line}); {cure}"


def _check_order(drafts: Sequence[Placed[Draft]], report: Report) -> None:
    """A lower target with a threshold that is no smaller can never be missed alone."""
    timed = [each for each in drafts if each.value.under is not None]
    for low in timed:
        for high in timed:
            if _idle(low.value, high.value):
                report.warning(low.place, "thresholds-crossed", _crossed(low.value, high.value, high.place))
                break


def _idle(low: Draft, high: Draft) -> bool:
    if low.under is None or high.under is None or low.scope != high.scope:
        return False
    return low.target < high.target and low.under >= high.under


def _crossed(low: Draft, high: Draft, place: Place) -> str:
    given = f"{format_percent(low.target)} under {format_duration(low.under or 0)}"
    other = f"{format_percent(high.target)} under {format_duration(high.under or 0)}"
    return f"{given} is already promised by {other} in line {place.line}; expected a smaller threshold here"
