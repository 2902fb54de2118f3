"""The message with which a report goes to whoever asked for it, once its period is over.

Guarantees: pure; equal for equal (contract, period, reader), whatever the contract's version and whoever makes it,
so that a period's report is stored, and sent, once; it fits message.schema.json and cannot be taken for news of an
objective. What would be too large for a receiver is left out of it, and that is said; so it
holds up nothing behind it. Knows no receiver.
"""

from base64 import b64encode
from collections.abc import Mapping
from uuid import uuid5

from keeptime.contract.reported import Reader
from keeptime.contract.terms import Contract
from keeptime.model.alert import REPORTED, AlertState, Aside, Message
from keeptime.model.key import ObjectiveKey
from keeptime.tell.aside import Saying, body
from keeptime.tell.message import NAMESPACE, Json, canonical
from keeptime.tell.report.as_json import plain
from keeptime.tell.report.formats import render
from keeptime.tell.report.values import Report
from keeptime.tell.wording import REPORT

LARGEST = 60_000
"""Bytes of a body to a program: `keeptime.consumer` takes 64 KiB, and what it refuses would hold up the alerts
behind. Of a larger report the days and incidents, and then all of it, are left out."""

LARGEST_MAIL = 8 * 1024 * 1024
"""Bytes of a body from which a mail is made: servers refuse what is much larger."""

MOST_NAMED = 20
"""Promises that the sentence tells of, one by one."""

MAIL = "email"

KINDS = {
    "html": "text/html",
    "pdf": "application/pdf",
    "md": "text/markdown",
    "csv": "text/csv",
    "json": "application/json",
}
"""What each form is called in a mail."""


def report_ids(contract: str, period: str, reader: Reader) -> tuple[str, ...]:
    """Of the messages of `compose`."""
    kinds = {each.kind == MAIL for each in reader.addresses}
    return tuple(_id(contract, period, reader.consumer, mailed) for mailed in (False, True) if mailed in kinds)


def compose(contract: Contract, report: Report, reader: Reader, tick_seconds: float) -> tuple[Message, ...]:
    """Of a period that is over: one with the report for programs, one with a file for mails. Raises UsageError
    where what the form needs is not installed."""
    end = max(each.end for each in report.objectives)
    said = Saying(
        type=REPORT,
        objective=REPORTED,
        promise="none: this is the report of a period",
        state=AlertState.RESOLVED,
        reason=sentence(report),
        next=f"Nothing is to be done. The next report comes when the next {reader.wants.each} is over.",
        at=end,
    )
    key, tick, made = ObjectiveKey(contract.name, REPORTED), round(end / tick_seconds), list[Message]()
    for mailed in (False, True):
        to = tuple(each for each in reader.addresses if (each.kind == MAIL) is mailed)
        if to:
            name = _id(contract.name, report.period, reader.consumer, mailed)
            told = {**body(name, contract, said), "period": report.period, "compliance": report.state.value}
            whole = _mail(told, report, reader) if mailed else _fitting(told, report)
            made.append(Message(name, key, Aside.REPORT, tick, whole, to))
    return tuple(made)


def _id(contract: str, period: str, consumer: str, mailed: bool) -> str:
    """`consumer`: "" of the operators."""
    return str(uuid5(NAMESPACE, "\n".join((contract, REPORTED, period, consumer, *([MAIL] if mailed else [])))))


def sentence(report: Report) -> str:
    """ "2026-10: missed. p99-500ms: missed; p50-200ms: met"."""
    named = [f"{each.name}: {each.found.state}" for each in report.objectives[:MOST_NAMED]]
    rest = len(report.objectives) - len(named)
    more = f"; and {rest} more" if rest else ""
    return f"{report.period}: {report.state}. {'; '.join(named)}{more}"


def _fitting(told: Mapping[str, Json], report: Report) -> bytes:
    """The body with as much of the report as there is room for."""
    whole = plain(report)
    short = {**whole, "objectives": [{**each, "days": [], "alerts": []} for each in whole["objectives"]]}
    for held, left_out in ((whole, []), (short, ["days", "alerts"]), (None, ["report"])):
        made = canonical({**told, "report": held, "left_out": left_out, "attachment": None})
        if len(made) <= LARGEST:
            break
    return made


def _mail(told: Mapping[str, Json], report: Report, reader: Reader) -> bytes:
    """The body with the file, if there is room for it."""
    form = reader.wants.form.value
    parts = (report.contract, report.period, report.consumer)
    file: Json = {
        "name": "-".join(each for each in parts if each) + f".{form}",
        "type": KINDS[form],
        "base64": b64encode(render(report, form)).decode(),
    }
    made = canonical({**told, "report": None, "left_out": [], "attachment": file})
    if len(made) <= LARGEST_MAIL:
        return made
    return canonical({**told, "report": None, "left_out": ["attachment"], "attachment": None})
