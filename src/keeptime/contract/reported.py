"""The field `report`: who gets the report of each period that is over, of which periods, and in which form.

Guarantees: whoever asks for reports has a receiver that takes them; reports that would never come are warned of.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from keeptime.contract.kinds import Choice
from keeptime.contract.lists import Forms
from keeptime.contract.nodes import Node
from keeptime.contract.regular import Regular, ReportForm, ReportOf
from keeptime.contract.report import Report
from keeptime.contract.shapes import Field, Row, Schema, Table
from keeptime.contract.terms import Calendar, Contract
from keeptime.model.alert import OPERATORS, Address

ALERTING = frozenset({"alertmanager", "pagerduty"})
"""Receivers that take alerts, and no reports."""

_PERIODS = Choice(ReportOf, "unknown-period")
EACH = Field("each", _PERIODS, "Of which periods; a rolling window is accounted by months.", default="month")
FORM = Field("form", Choice(ReportForm, "unknown-form"), "What is attached to a mail.", default="html")
REPORT_TABLE = Table(
    "report",
    "The report of each period that is over.",
    (EACH, FORM),
    lambda row: Regular(row.get(EACH, ReportOf.MONTH), row.get(FORM, ReportForm.HTML)),
)


@dataclass(frozen=True)
class _ShortReport:
    """The periods alone."""

    expected: str = _PERIODS.expected

    def read(self, node: Node, report: Report, what: str) -> Regular:
        return Regular(_PERIODS.read(node, report, what))

    def schema(self) -> Schema:
        return _PERIODS.schema()


REPORT = Field(
    "report",
    Forms(_ShortReport(), REPORT_TABLE, or_else=f"{_PERIODS.expected}, or a mapping with each, form"),
    "The report of each period that is over, sent when it is.",
    default="none is sent",
)


def regular(row: Row, tell: Sequence[Address]) -> Regular | None:
    """What is asked for; reports where no receiver would take it."""
    found = row.get(REPORT, None)
    if found is not None and not reporting(tell):
        message = f"{row.what}.report: `tell` has no receiver that takes reports; add a webhook or an email"
        row.report.error(row.place_of(REPORT), "report-without-receiver", message)
    return found


def reporting(tell: Sequence[Address]) -> tuple[Address, ...]:
    """Those of these receivers that take reports."""
    return tuple(each for each in tell if each.kind not in ALERTING)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who gets reports. `consumer`: "" of the operators, who get the provider's."""

    consumer: str
    wants: Regular
    addresses: tuple[Address, ...]


def readers(contract: Contract) -> tuple[Reader, ...]:
    """Everybody who asks for reports: the consumers in their order, then the operators."""
    asked = [(each.name, each.report, each.tell) for each in contract.consumers]
    asked.append(("", contract.report, contract.operators))
    return tuple(Reader(name, wants, reporting(tell)) for name, wants, tell in asked if wants is not None)


def calendars(contract: Contract, each: ReportOf) -> Iterator[Calendar]:
    """Of the promised objectives that have periods of this unit, how they are told apart."""
    for one in contract.objectives:
        over = one.over if isinstance(one.over, Calendar) else Calendar("month", contract.timezone)
        if not one.internal and over.unit == each:
            yield over


def check_reports(contract: Contract, row: Row) -> None:
    """Warns of reports of periods that no objective has."""
    for reader in readers(contract):
        if not any(True for _ in calendars(contract, reader.wants.each)):
            each = reader.wants.each.value
            message = (
                f"report of each {each} for {reader.consumer or OPERATORS}: no objective is accounted by calendar "
                f"{each}s, so none is ever sent; a rolling window is accounted by months"
            )
            row.report.warning(row.place, "report-never", message)
