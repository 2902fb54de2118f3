"""A report as CSV: one row for each promise and period, for a spreadsheet.

Guarantees: RFC 4180; no text begins as a formula would, whatever it says.
"""

import csv
import io

from keeptime.tell.report.values import Kept, Report
from keeptime.tell.report.words import instant

COLUMNS = (
    "contract", "consumer", "period", "start", "end", "over", "objective", "promise", "compliance", "good", "bad",
    "skipped", "missing", "excluded", "sli", "sli_low", "sli_high", "target", "basis", "credit_due",
    "credit_due_at_most", "credit_of", "incidents", "reason", "ledger_head",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render(report: Report) -> bytes:
    out = io.StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for each in report.objectives:
        rows.writerow(_row(report, each))
    return out.getvalue().encode("utf-8", "replace")


def _row(report: Report, one: Kept) -> tuple[object, ...]:
    counts, found, due = one.counts, one.found, one.credit
    credit = ("", "", "") if due is None else (float(due.least.credit), float(due.most.credit), _text(due.of))
    return (
        _text(report.contract), _text(report.consumer), one.period, instant(one.start), instant(one.end),
        "yes" if one.over else "no", _text(one.name), _text(one.promise), found.state.value, counts.good,
        counts.bad, counts.skipped, counts.missing, counts.excluded, "" if one.sli is None else one.sli,
        found.low, found.high,
        float(one.target), one.basis.value, *credit, len(one.incidents), _text(found.reason), report.head,
    )  # fmt: skip


def _text(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
