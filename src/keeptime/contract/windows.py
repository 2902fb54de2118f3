"""The window of an objective: rolling (28d), or a calendar day, week, month or quarter."""

import re
from dataclasses import dataclass
from typing import Literal

from keeptime.contract.kinds import Duration, text_of
from keeptime.contract.nodes import Node, Place
from keeptime.contract.report import Report, quote
from keeptime.contract.shapes import Schema
from keeptime.contract.terms import Calendar, Rolling, Window

WINDOW = Duration(10, 366 * 86_400, "28d")
UNITS: tuple[Literal["day", "week", "month", "quarter"], ...] = ("day", "week", "month", "quarter")


_ADAPTIVE = re.compile(r"(?P<short>\S+)\s+if\s+(?P<least>[1-9]\d{0,8})\s+requests,\s+else\s+(?P<long>\S+)")
"""`1h if 1000 requests, else 24h`"""


@dataclass(frozen=True)
class WindowShape:
    """`28d`, or `calendar month`."""

    expected: str = "a duration such as 28d, or calendar day, week, month or quarter"

    def read(self, node: Node, report: Report, what: str) -> Window:
        scalar = text_of(node, report, what, self.expected)
        return self.parse(scalar.text, scalar.place, report, what)

    def parse(self, text: str, place: Place, report: Report, what: str) -> Window:
        first, _, rest = text.partition(" ")
        if first == "calendar" or text in UNITS:
            for unit in UNITS:
                if first == "calendar" and rest.strip() == unit:
                    return Calendar(unit)
            better = f"; write calendar {text}" if text in UNITS else ""
            message = f"{what}: {quote(text)} is no window; expected {self.expected}{better}"
            raise report.spoil(place, "bad-window", message)
        adaptive = _ADAPTIVE.fullmatch(text)
        if adaptive is None:
            return Rolling(WINDOW.parse(text, place, report, what))
        short, long = (WINDOW.parse(adaptive[name], place, report, what) for name in ("short", "long"))
        if short >= long:
            message = f"{what}: the window for much traffic, {adaptive['short']}, is not the shorter one"
            raise report.spoil(place, "windows-crossed", message)
        return Rolling(long, short, int(adaptive["least"]))

    def schema(self) -> Schema:
        calendar = {"type": "string", "pattern": f"^calendar +({'|'.join(UNITS)})$"}
        adaptive = {"type": "string", "pattern": r"^\S+ +if +\d+ +requests, +else +\S+$"}
        return {"anyOf": [WINDOW.schema(), calendar, adaptive]}
