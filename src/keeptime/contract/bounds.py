"""What one request must keep to: the fields `under`, in its short and its long form, and `at_least`.

Guarantees: a rate is exact; a bound on a phase that the whole request's threshold makes idle is warned of. Knows
nothing of how phases and tokens are measured.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from keeptime.contract.kinds import Duration, text_of
from keeptime.contract.limits import PHASES, Bound
from keeptime.contract.lists import Forms
from keeptime.contract.nodes import Node
from keeptime.contract.report import Report, quote
from keeptime.contract.shapes import Field, Row, Schema, Table
from keeptime.model.key import Signal
from keeptime.units import format_duration

THRESHOLD = Duration(0.0001, 3600, "500ms")
_RATE = re.compile(r"(\d{1,7}(?:\.\d{1,3})?)(?: ?tokens)?/s", re.ASCII)


@dataclass(frozen=True, slots=True)
class Under:
    """`whole`: of the whole request, in seconds; None: only of phases."""

    whole: float | None
    bounds: tuple[Bound, ...] = ()


@dataclass(frozen=True)
class _Whole:
    """`under: 500ms`."""

    expected: str = "a duration such as 500ms, or a mapping of requests and phases to such"

    def read(self, node: Node, report: Report, what: str) -> Under:
        return Under(THRESHOLD.read(node, report, what))

    def schema(self) -> Schema:
        return THRESHOLD.schema()


WHOLE = Field("requests", THRESHOLD, "The whole request.")
_ABOUT = {
    "dns": "Looking up the host's name.",
    "connect": "Opening the connection.",
    "tls": "The TLS handshake.",
    "write": "Sending the request.",
    "wait": "From then to the first byte of the answer.",
    "transfer": "From the first byte to the last.",
}
OF_PHASES = tuple(Field(name, THRESHOLD, _ABOUT[name]) for name in PHASES)


def _under(row: Row) -> Under:
    whole = row.get(WHOLE, None)
    found = [(field, row.find(field)) for field in OF_PHASES]
    bounds = tuple(Bound(field.key, each.value) for field, each in found if each is not None)
    if whole is None and not bounds:
        message = f"{row.what}: an empty mapping; expected {_Whole.expected}"
        raise row.report.spoil(row.place, "empty-value", message)
    for field in OF_PHASES:
        part = row.get(field, None)
        if whole is not None and part is not None and part >= whole:
            message = (
                f"{row.what}: {field.key} under {format_duration(part)} is already promised by requests under "
                f"{format_duration(whole)}; expected a smaller threshold here"
            )
            row.report.warning(row.place_of(field), "thresholds-crossed", message)
    return Under(whole, bounds)


UNDER_TABLE = Table("under", "Thresholds that a good request keeps, all of them.", (WHOLE, *OF_PHASES), _under)


@dataclass(frozen=True)
class _Several:
    """`under: {requests: 2s, wait: 500ms}`, with one key at least."""

    expected: str = "a mapping of requests and phases to durations"

    def read(self, node: Node, report: Report, what: str) -> Under:
        return UNDER_TABLE.read(node, report, what)

    def tables(self) -> tuple[Table[object], ...]:
        return (UNDER_TABLE,)

    def schema(self) -> Schema:
        return {**UNDER_TABLE.schema(), "minProperties": 1}


UNDER = Field(
    "under",
    Forms(_Whole(), mapping=_Several()),
    "The threshold: a good request takes at most this. Or several, of the whole request and of its phases, which "
    "must all be kept. Without it, success alone counts.",
)


@dataclass(frozen=True)
class TokenRate:
    """`30/s`, also written `30 tokens/s`."""

    expected: str = "tokens per second such as 30/s"

    def read(self, node: Node, report: Report, what: str) -> Fraction:
        scalar = text_of(node, report, what, self.expected)
        found = _RATE.fullmatch(scalar.text)
        if found is None or not Fraction(found[1]):
            message = f"{what}: {quote(scalar.text)} is no rate of tokens; expected {self.expected}"
            raise report.spoil(scalar.place, "bad-rate", message)
        return Fraction(found[1])

    def schema(self) -> Schema:
        return {"type": "string", "pattern": r"^\d{1,7}(\.\d{1,3})?( ?tokens)?/s$", "examples": ["30/s"]}


AT_LEAST = Field(
    "at_least",
    TokenRate(),
    "A good answer gives at least so many tokens per second: those that it says it gave (the endpoint's `tokens`), "
    "by the time from when the request was sent to the last byte.",
)


def measured(of: Signal, under: Under | None, at_least: Fraction | None, row: Row) -> Signal:
    """The signal of an objective with these bounds; one that has a rate alone is on the rate. Raises Spoiled."""
    if of is Signal.TOKEN_RATE and at_least is None:
        message = f"{row.what}: a rate needs a lower bound; add 'at_least', such as at_least: 30/s"
        raise row.report.spoil(row.place, "missing-key", message)
    if of is Signal.TOKEN_RATE and under is not None:
        message = f"{row.what}: a rate is not 'under'; remove it, or write 'of: requests', which may have both"
        raise row.report.spoil(row.place_of(UNDER), "one-measure", message)
    return of if at_least is None or under is not None else Signal.TOKEN_RATE
