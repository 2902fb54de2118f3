"""OpenSLO's time windows, rolling or aligned to the calendar, as windows of a contract.

Guarantees: a window of another length or alignment than a contract can say is an error at its place.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from keeptime.contract.given import Terms
from keeptime.contract.importing.fields import Fields
from keeptime.contract.importing.found import Context
from keeptime.contract.importing.promised import usual_window
from keeptime.contract.importing.promised import window as rolling
from keeptime.contract.nodes import Place, Scalar
from keeptime.contract.report import Spoiled, quote

_SIZES = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_CALENDAR: Mapping[str, str] = {
    "1d": "day",
    "1w": "week",
    "7d": "week",
    "1M": "month",
    "1Q": "quarter",
    "3M": "quarter",
}
_UNITS = {"Minute": "m", "Hour": "h", "Day": "d", "Week": "w", "Month": "M", "Quarter": "Q", "Year": "Y"}
"""Of v1alpha."""


def window(spec: Fields, context: Context, alpha: bool) -> Terms:
    """`over`, and `timezone` of a calendar window. Raises Spoiled."""
    key = "timeWindows" if alpha and spec.has("timeWindows") else "timeWindow"
    found = spec.tables(key)
    if not found:
        return {"over": usual_window(context, "", spec.path(key), spec.place)}
    if len(found) > 1:
        raise spec.report.spoil(found[1].place, "bad-window", f"{spec.path(key)}: expected one time window")
    (one,) = found
    length = _alpha_length(one) if one.has("unit") else one.need("duration", "a duration such as 28d")
    calendar = one.table("calendar")
    turning = one.text("isRolling")
    is_rolling = calendar is None if turning is None else turning.text.lower() == "true"
    if is_rolling != (calendar is None):
        message = f"{one.what}: a calendar belongs to a window that does not roll, and to no other"
        raise spec.report.spoil(one.place, "bad-window", message)
    over = _aligned(length, calendar) if calendar is not None else _rolling(length, one)
    one.name_the_rest()
    return over


def _alpha_length(one: Fields) -> Scalar:
    """`{unit: Day, count: 28}` as 28d."""
    unit, count = one.need("unit", "Day"), one.need("count", "a number")
    if unit.text not in _UNITS or re.fullmatch(r"[1-9]\d{0,5}", count.text) is None:
        given = quote(f"{count.text} {unit.text}")
        raise one.report.spoil(unit.place, "bad-window", f"{one.what}: {given} is no window; expected 28 of Day")
    return Scalar(f"{count.text}{_UNITS[unit.text]}", True, count.place)


def _rolling(length: Scalar, one: Fields) -> Terms:
    if length.text.endswith(("M", "Q", "Y")):
        message = f"{one.what}: a rolling {quote(length.text)} has no fixed length; write it in days"
        raise one.report.spoil(length.place, "bad-window", message)
    return {"over": rolling(length, _SIZES, one.report, one.path("duration"))}


def _aligned(length: Scalar, calendar: Fields) -> Terms:
    unit = _CALENDAR.get(length.text)
    start, zone = calendar.need("startTime", "a time"), calendar.need("timeZone", "an IANA name")
    if unit is None or not _begins(unit, start, calendar):
        what = f"a calendar {unit}" if unit else f"a calendar window of {quote(length.text)}"
        message = (
            f"{calendar.what}: {what} from {quote(start.text)} on cannot be said; "
            "expected calendar days, weeks from Monday, months or quarters, each from midnight"
        )
        raise calendar.report.spoil(length.place, "bad-window", message)
    calendar.name_the_rest()
    return {"over": f"calendar {unit}", "timezone": zone.text}


def _begins(unit: str, start: Scalar, calendar: Fields) -> bool:
    """Does a period of the calendar begin at this time?"""
    try:
        at = datetime.strptime(start.text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - local to timeZone, by its definition
    except ValueError:
        what = f"{calendar.path('startTime')}: {quote(start.text)} is no time"
        raise _bad_time(start.place, calendar, what) from None
    aligned = {
        "day": True,
        "week": at.weekday() == 0,
        "month": at.day == 1,
        "quarter": at.day == 1 and at.month in (1, 4, 7, 10),
    }
    return aligned[unit] and (at.hour, at.minute, at.second) == (0, 0, 0)


def _bad_time(place: Place, calendar: Fields, what: str) -> Spoiled:
    return calendar.report.spoil(place, "bad-window", f"{what}; expected one such as 2024-01-01 00:00:00")
