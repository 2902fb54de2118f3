"""The fields of an objective, and its short forms.

Guarantees: a short and a long form that say the same give equal objectives.
"""

import re
from dataclasses import dataclass
from typing import TypeVar

from keeptime.contract.between import together
from keeptime.contract.bounds import AT_LEAST, UNDER, measured
from keeptime.contract.credits import CREDITS, check_credits
from keeptime.contract.draft import Draft, Errors
from keeptime.contract.effective import FROM, UNTIL, effective
from keeptime.contract.exempting import OBJECTIVE_EXCLUDE, WHERE
from keeptime.contract.intervals import EACH, MIN_EVENTS, STATISTIC, interval
from keeptime.contract.intervals import FIELDS as INTERVALS
from keeptime.contract.kinds import Choice, Label, Percent, text_of
from keeptime.contract.limits import Interval
from keeptime.contract.lists import Forms, ListOf, WithPlaces
from keeptime.contract.nodes import Node, Scalar
from keeptime.contract.policies import PolicyShape
from keeptime.contract.report import Report, quote
from keeptime.contract.shapes import Field, Row, Schema, Table
from keeptime.contract.splitting import PER
from keeptime.contract.terms import Rolling
from keeptime.contract.warning import WARN, check_name, check_tighter
from keeptime.contract.windows import UNITS, WindowShape
from keeptime.contract.zones import Zone
from keeptime.model.key import Signal

T = TypeVar("T")

MOST_OBJECTIVES = 50
_SHORT = re.compile(
    r"(?P<target>.+?)\s+of\s+(?P<of>\S+)\s+(?:under\s+(?P<under>.+?)|at\s+least\s+(?P<at_least>.+?)|succeed)\s+over\s+(?P<over>.+)"
)
_INTERVALS = re.compile(
    r"(?P<target>.+?)\s+of\s+(?P<each>\S+)\s+intervals\s+with\s+(?P<statistic>\S+)"
    r"\s+under\s+(?P<under>.+?)\s+over\s+(?P<over>.+)"
)
_EXAMPLES = "'99% of requests under 500ms over 28d' or '99.9% of requests succeed over calendar month'"


NAME = Field(
    "name",
    Label("name", dotted=True),
    "What the objective is called in messages and metrics.",
    default="made of target and threshold: p99-500ms, success-99.9",
)
OF = Field("of", Choice(Signal, "unknown-signal"), "The signal: what is measured.", default="requests")
TARGET = Field("target", Percent(), "The share of requests that must be good.", required=True)
OVER = Field(
    "over", WindowShape(), "The window: rolling (28d) or a calendar day, week, month, quarter.", required=True
)
ERRORS = Field(
    "errors",
    Choice(Errors),
    "Failed requests are bad, or left out (where another clause covers them).",
    default="bad",
)
POLICY = Field("policy", PolicyShape(), "The decision rule for this objective.", default="the contract's")
TIMEZONE = Field("timezone", Zone(), "Time zone of a calendar window and of dates.", default="the contract's")


def _long_form(row: Row) -> Draft:
    under, at_least = row.get(UNDER, None), row.get(AT_LEAST, None)
    whole, bounds = (None, ()) if under is None else (under.whole, under.bounds)
    draft = Draft(
        name=row.get(NAME, None),
        target=row.need(TARGET),
        under=whole,
        over=row.need(OVER),
        of=measured(row.get(OF, Signal.REQUESTS), under, at_least, row),
        errors=row.get(ERRORS, Errors.BAD),
        policy=row.get(POLICY, None),
        timezone=row.get(TIMEZONE, None),
        effective=effective(row),
        warn=row.get(WARN, None),
        credits=row.get(CREDITS, None),
        where=row.get(WHERE, ()),
        exclude=row.get(OBJECTIVE_EXCLUDE, ()),
        each=interval(row, whole),
        min_events=row.get(MIN_EVENTS, 0),
        bounds=bounds,
        at_least=at_least,
        per=row.get(PER, None),
    )
    if draft.each is not None and draft.per is not None:
        message = f"{row.what}: intervals are of all requests; expected no 'per' beside 'each'"
        raise row.report.spoil(row.place_of(PER), "segments-of-intervals", message)
    if draft.each is not None and (bounds or at_least is not None):
        message = f"{row.what}: intervals have one threshold; expected 'under' with a duration alone"
        raise row.report.spoil(row.place_of(EACH), "interval-incomplete", message)
    if not draft.timed and draft.errors is Errors.EXCLUDED:
        message = f"{row.what}: without a threshold and without errors nothing could be bad; add 'under'"
        raise row.report.spoil(row.place_of(ERRORS), "nothing-to-judge", message)
    if draft.warn is not None:
        check_tighter(draft.warn, draft.target, draft.under, row.report, row.what)
        check_name(draft.warn, draft.label, row.report, row.what)
    if draft.credits is not None:
        check_credits(draft.credits, draft.target, row.place_of(CREDITS), row.report, row.what)
    if draft.timezone is not None and isinstance(draft.over, Rolling) and not draft.effective:
        message = f"{row.what}: a rolling window has no time zone; this one is not used"
        row.report.warning(row.place_of(TIMEZONE), "unused-timezone", message)
    return draft


TERMS = (NAME, OF, TARGET, UNDER, AT_LEAST, OVER, ERRORS, POLICY, TIMEZONE)
LONG_TABLE = Table(
    "objective",
    "One promise.",
    (*TERMS, WARN, FROM, UNTIL, CREDITS, *INTERVALS, WHERE, OBJECTIVE_EXCLUDE, PER),
    _long_form,
)


@dataclass(frozen=True, slots=True)
class _Said:
    """A sentence taken apart: each part is read as the field of its name is, at its own place."""

    found: "re.Match[str]"
    scalar: Scalar
    report: Report
    what: str

    def part(self, field: Field[T]) -> Scalar:
        return Scalar(self.found[field.key], True, self.scalar.at(self.found.start(field.key)))

    def read(self, field: Field[T]) -> T:
        return field.shape.read(self.part(field), self.report, f"{self.what}.{field.key}")

    def find(self, field: Field[T]) -> T | None:
        """None where the sentence does not have it."""
        return None if self.found[field.key] is None else self.read(field)


@dataclass(frozen=True)
class ShortForm:
    """`99% of requests under 500ms over 28d`."""

    expected: str = f"{_EXAMPLES}, or a mapping with target and over"

    def read(self, node: Node, report: Report, what: str) -> Draft:
        scalar = text_of(node, report, what, self.expected)
        for form, draft in ((_INTERVALS, self._of_intervals), (_SHORT, self._of_requests)):
            found = form.fullmatch(scalar.text) if len(scalar.text) <= 200 else None
            if found is not None:
                return draft(_Said(found, scalar, report, what))
        message = f"{what}: {quote(scalar.text)} is no objective; expected {_EXAMPLES}"
        raise report.spoil(scalar.place, "bad-objective", message)

    def _of_intervals(self, said: "_Said") -> Draft:
        target, under, over = said.read(TARGET), said.read(UNDER), said.read(OVER)
        each = Interval(said.read(EACH), said.read(STATISTIC))
        return Draft(None, target, under.whole, over, Signal.REQUESTS, Errors.BAD, None, None, each=each)

    def _of_requests(self, said: "_Said") -> Draft:
        of = said.read(OF)
        target, under, at_least = said.read(TARGET), said.find(UNDER), said.find(AT_LEAST)
        if (of is Signal.TOKEN_RATE) != (at_least is not None):
            message = f"{said.what}: {quote(said.scalar.text)}; write 99% of token_rate at least 30/s over 28d"
            raise said.report.spoil(said.scalar.place, "one-measure", message)
        whole = None if under is None else under.whole
        return Draft(None, target, whole, said.read(OVER), of, Errors.BAD, None, None, at_least=at_least)

    def schema(self) -> Schema:
        signals = "|".join(Signal)
        under = r"(under +(\d+(\.\d+)?(us|ms|s|m|h|d|w))+|at +least +\S+|succeed)"
        over = (
            rf"((\d+(\.\d+)?(us|ms|s|m|h|d|w))+|calendar +({'|'.join(UNITS)})|\S+ +if +\d+ +requests, +else +\S+)"
        )
        intervals = r"\S+ +intervals +with +\S+ +under +\S+"
        of = rf"(({signals}) +{under}|{intervals})"
        return {"type": "string", "pattern": rf"^\d+(\.\d+)? ?% +of +{of} +over +{over}$"}


OBJECTIVE = Forms(ShortForm(), mapping=LONG_TABLE)
OBJECTIVES_SHAPE = WithPlaces(ListOf(OBJECTIVE, "objectives", MOST_OBJECTIVES, across=together))
