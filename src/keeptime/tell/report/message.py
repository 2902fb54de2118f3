"""The message with which a report goes to whoever asked for it, once its period is over.

Guarantees: pure; equal for equal (contract, period, reader), whatever the contract's version and whoever makes it,
so that a period's report is stored, and sent, once; it fits message.schema.json and cannot be taken for news of an
objective. What would be too large for a receiver is left out of it, and that is said. Knows no receiver.
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

LARGEST = 512 * 1024
"""Bytes of a body: receivers refuse what is much larger. `keeptime.consumer` takes 1 MiB."""

MOST_NAMED = 20
"""Promises that the sentence tells of, one by one."""

KINDS = {
    "html": "text/html",
    "pdf": "application/pdf",
    "md": "text/markdown",
    "csv": "text/csv",
    "json": "application/json",
}
"""What each form is called in a mail."""


def report_id(contract: str, period: str, consumer: str) -> str:
    """`consumer`: "" of the operators."""
    return str(uuid5(NAMESPACE, "\n".join((contract, REPORTED, period, consumer))))


def compose(contract: Contract, report: Report, reader: Reader, tick_seconds: float) -> Message:
    """Of a period that is over. Raises UsageError where what the form needs is not installed."""
    name = report_id(contract.name, report.period, reader.consumer)
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
    told = {**body(name, contract, said), "period": report.period, "compliance": report.state.value}
    key = ObjectiveKey(contract.name, REPORTED)
    fitting = _fitting(told, report, reader)
    return Message(name, key, Aside.REPORT, round(end / tick_seconds), fitting, reader.addresses)


def sentence(report: Report) -> str:
    """ "2026-10: missed. p99-500ms: missed; p50-200ms: met"."""
    named = [f"{each.name}: {each.found.state}" for each in report.objectives[:MOST_NAMED]]
    rest = len(report.objectives) - len(named)
    more = f"; and {rest} more" if rest else ""
    return f"{report.period}: {report.state}. {'; '.join(named)}{more}"


def _fitting(told: Mapping[str, Json], report: Report, reader: Reader) -> bytes:
    """The body with all that there is room for; what is left out is null."""
    mailed = any(each.kind == "email" for each in reader.addresses)
    attached = _attached(report, reader) if mailed else None
    whole: dict[str, Json] = {**told, "report": plain(report), "attachment": attached}
    for left_out in ("attachment", "report"):
        made = canonical(whole)
        if len(made) <= LARGEST:
            return made
        whole[left_out] = None
    return canonical(whole)


def _attached(report: Report, reader: Reader) -> Json:
    form = reader.wants.form.value
    parts = (report.contract, report.period, report.consumer)
    return {
        "name": "-".join(each for each in parts if each) + f".{form}",
        "type": KINDS[form],
        "base64": b64encode(render(report, form)).decode(),
    }
