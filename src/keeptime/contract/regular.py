"""Reports that somebody gets of each period that is over, as frozen values.

Guarantees: a value of these types is legal. Knows nothing of how it is written, made or sent.
"""

from dataclasses import dataclass
from enum import StrEnum


class ReportOf(StrEnum):
    """Of which periods; the units of a calendar window."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


class ReportForm(StrEnum):
    """A form of `tell.report.formats`."""

    HTML = "html"
    PDF = "pdf"
    MARKDOWN = "md"
    CSV = "csv"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Regular:
    """`form`: of what a mail has attached."""

    each: ReportOf = ReportOf.MONTH
    form: ReportForm = ReportForm.HTML
