"""The newest incidents of each contract as the first page shows them.

Guarantees: the sentences are the judge's; nothing is decided. Knows nothing of HTML.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keeptime.model.incident import Incident
from keeptime.web.figures import shown_age, shown_instant


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """`lasted`: how long, and how it ended."""

    id: str
    condition: str
    objective: str
    began: str
    lasted: str
    reason: str


Rows = Mapping[str, tuple[IncidentRow, ...]]
"""By contract, newest first."""
NOTHING: Rows = {}


def incident_rows(newest: Sequence[Incident], now: float) -> Rows:
    found: dict[str, tuple[IncidentRow, ...]] = {}
    for each in newest:
        found[each.key.contract] = (*found.get(each.key.contract, ()), _row(each, now))
    return found


def _row(one: Incident, now: float) -> IncidentRow:
    began = shown_instant(one.started, now)
    return IncidentRow(one.id, one.condition.value, one.key.objective, began, lasted(one, now), one.reason)


def lasted(one: Incident, now: float) -> str:
    """ "lasts, for 5 min by now", "recovered after 12 min"."""
    if one.ended is None:
        return f"lasts, for {shown_age(max(0.0, now - one.started))} by now"
    how = "" if one.how is None else one.how.value.replace("_", " ")
    return f"{how} after {shown_age(one.ended - one.started)}"
