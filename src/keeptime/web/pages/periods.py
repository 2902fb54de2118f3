"""The periods of a contract that are over, as rows of its page: how each stands, and its report.

Guarantees: newest first, a row for each name of a period; what is said is what `compliance` says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import urlencode

from keeptime.app.periods import PeriodView
from keeptime.web.report import FORMS

MOST_PERIODS = 24
"""So many are shown, the newest."""


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """`stand`: each promise and how it stands; `links`: the report's forms and where they are."""

    name: str
    stand: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]


def period_rows(contract: str, found: Sequence[PeriodView]) -> tuple[PeriodRow, ...]:
    """Of these periods, as the store gives them."""
    newest = sorted(found, key=lambda each: (-each.end, each.name, each.promise))
    named: dict[str, list[PeriodView]] = {}
    for each in newest:
        named.setdefault(each.name, []).append(each)
    return tuple(
        PeriodRow(
            name,
            tuple((each.promise, each.assess().state.value) for each in those),
            tuple((form, f"/api/v1/report?{urlencode(_asked(contract, name, form))}") for form in forms()),
        )
        for name, those in list(named.items())[:MOST_PERIODS]
    )


def forms() -> tuple[str, ...]:
    """Those that can be made here."""
    return tuple(each for each in FORMS if each != "pdf" or find_spec("fpdf") is not None)


def _asked(contract: str, period: str, form: str) -> dict[str, str]:
    return {"contract": contract, "period": period, "format": form}
