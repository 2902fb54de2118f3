"""The field `repeat` of a maintenance window: an RRULE (RFC 5545) that is quick to follow and does happen.

Guarantees: a rule that is accepted has a start within few years wherever one looks, so that nobody seeks in vain
for long; its text has one form, in which UNTIL is wall-clock time.
"""

import re
from dataclasses import dataclass

from keeptime.contract.kinds import text_of
from keeptime.contract.maintenance import MOST_COUNT, parts_of
from keeptime.contract.nodes import Node
from keeptime.contract.report import Report, one_of, quote
from keeptime.contract.shapes import Schema

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_MOST_INTERVAL = 366
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY = r"(?:[+-]?[1-9]\d?)?(?:MO|TU|WE|TH|FR|SA|SU)"
_NUMBER = r"[+-]?[1-9]\d?"
_HOUR = r"[01]?\d|2[0-3]"


def _list_of(item: str) -> str:
    return rf"(?:{item})(?:,(?:{item}))*"


_PARTS = {
    "FREQ": "|".join(FREQUENCIES),
    "INTERVAL": r"[1-9]\d{0,2}",
    "COUNT": r"[1-9]\d{0,3}",
    "UNTIL": r"\d{8}(?:T\d{6})?",
    "BYDAY": _list_of(_DAY),
    "BYMONTHDAY": _list_of(_NUMBER),
    "BYMONTH": _list_of(r"[1-9]|1[0-2]"),
    "BYHOUR": _list_of(_HOUR),
    "WKST": "MO|TU|WE|TH|FR|SA|SU",
}
"""What may stand in a rule, and how. Parts that can make a rule that is hardly ever true are left out."""


@dataclass(frozen=True)
class Recurrence:
    """`FREQ=WEEKLY;BYDAY=SU`."""

    expected: str = "an RRULE such as FREQ=WEEKLY;BYDAY=SU"

    def read(self, node: Node, report: Report, what: str) -> str:
        scalar = text_of(node, report, what, self.expected)
        text = scalar.text.upper().removeprefix("RRULE:")
        if wrong := _wrong(text) if len(text) <= 200 else "is too long":
            raise report.spoil(scalar.place, "bad-recurrence", f"{what}: {quote(scalar.text)} {wrong}")
        return text

    def schema(self) -> Schema:
        return {"type": "string", "examples": ["FREQ=WEEKLY;BYDAY=SU"], "maxLength": 200}


def _wrong(text: str) -> str:
    """What is wrong with a rule, or ""."""
    names = [part.partition("=")[0] for part in text.split(";")]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        return f"says {twice} twice"
    parts = parts_of(text)
    for name, value in parts.items():
        if wrong := _wrong_part(name, value):
            return wrong
    if "FREQ" not in parts:
        return "has no FREQ; expected an RRULE such as FREQ=WEEKLY;BYDAY=SU"
    return _never(parts)


def _wrong_part(name: str, value: str) -> str:
    if name == "FREQ" and value in ("SECONDLY", "MINUTELY", "HOURLY"):
        return f"repeats too often; expected {one_of(FREQUENCIES)} (several times a day: BYHOUR)"
    if name not in _PARTS:
        return f"has a part {quote(name)} that keeptime does not follow; expected {one_of(tuple(_PARTS))}"
    if re.fullmatch(_PARTS[name], value, re.ASCII) is None:
        also = "; it is wall-clock time, without Z" if name == "UNTIL" and value.endswith("Z") else ""
        return f"has {name}={value}, which is no value for it{also}"
    most = {"INTERVAL": _MOST_INTERVAL, "COUNT": MOST_COUNT}.get(name)
    return f"has {name}={value}; expected at most {most}" if most is not None and int(value) > most else ""


def _never(parts: dict[str, str]) -> str:
    """What makes the rule empty, or hard to follow; "" for a good one."""
    frequency, by = parts["FREQ"], {name for name in parts if name.startswith("BY")} - {"BYHOUR"}
    if parts.get("INTERVAL", "1") != "1" and _far_apart(frequency, by):
        return "has an INTERVAL together with days or months that it may never meet; expected another FREQ instead"
    days = [each[:-2] for each in parts.get("BYDAY", "").split(",") if len(each) > 2]
    if days and (frequency in ("DAILY", "WEEKLY") or "BYMONTHDAY" in by):
        return "counts weekdays of a month (such as 1SU); expected FREQ=MONTHLY or YEARLY, without BYMONTHDAY"
    most = 5 if frequency == "MONTHLY" or "BYMONTH" in by else 52
    if any(abs(int(each)) > most for each in days):
        return f"counts to more weekdays than there always are; expected at most {most}"
    return _no_such_day(parts)


def _far_apart(frequency: str, by: set[str]) -> bool:
    return bool(by - ({"BYDAY"} if frequency == "WEEKLY" else set())) if frequency != "MONTHLY" else "BYMONTH" in by


def _no_such_day(parts: dict[str, str]) -> str:
    if "BYMONTHDAY" not in parts:
        return ""
    if parts["FREQ"] == "WEEKLY":
        return "has BYMONTHDAY, which a weekly rule cannot; expected FREQ=MONTHLY"
    months = [int(each) for each in parts["BYMONTH"].split(",")] if "BYMONTH" in parts else range(1, 13)
    days = [abs(int(each)) for each in parts["BYMONTHDAY"].split(",")]
    longest = max(_MONTH_DAYS[month - 1] for month in months)
    return "" if min(days) <= longest else "names a day that its months do not have"
