"""Time zones by their IANA names."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo, available_timezones

from keeptime.contract.kinds import text_of
from keeptime.contract.nodes import Node
from keeptime.contract.report import Report, nearest, quote
from keeptime.contract.shapes import Schema


@dataclass(frozen=True)
class Zone:
    """The name of a zone that this machine (or the package tzdata) knows."""

    expected: str = "an IANA time zone such as Europe/Berlin"

    def read(self, node: Node, report: Report, what: str) -> str:
        scalar = text_of(node, report, what, self.expected)
        try:
            if len(scalar.text) > 64:
                raise ValueError("too long")
            ZoneInfo(scalar.text)
        except (ValueError, OSError, KeyError):
            hint = nearest(scalar.text, sorted(available_timezones())) or _by_city(scalar.text)
            message = f"{what}: {quote(scalar.text)} is no time zone; expected {self.expected}{hint}"
            raise report.spoil(scalar.place, "bad-timezone", message) from None
        return scalar.text

    def schema(self) -> Schema:
        return {"type": "string", "examples": ["Europe/Berlin"], "maxLength": 64}


def _by_city(text: str) -> str:
    found = sorted(zone for zone in available_timezones() if zone.rpartition("/")[2].lower() == text.lower())
    return f"; did you mean '{found[0]}'?" if found else ""
