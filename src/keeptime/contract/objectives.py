"""The fields of an objective, its short form, and what several objectives say together.

Guarantees: a short and a long form that say the same give equal objectives; a default name depends on the
objective alone, so that adding another one never renames it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from keeptime.contract.credits import CREDITS, check_credits
from keeptime.contract.effective import ALWAYS, FROM, UNTIL, Effective, effective
from keeptime.contract.exempting import OBJECTIVE_EXCLUDE, WHERE
from keeptime.contract.kinds import Choice, Duration, Label, Percent, text_of
from keeptime.contract.lists import Forms, ListOf, WithPlaces
from keeptime.contract.nodes import Node, Place, Scalar
from keeptime.contract.policies import PolicyShape
from keeptime.contract.report import Report, quote
from keeptime.contract.scope import Exclude, Where
from keeptime.contract.shapes import Field, Placed, Row, Schema, Table
from keeptime.contract.terms import Calendar, Credits, Objective, Policy, Rolling, Window
from keeptime.contract.warning import WARN, Warn, check_name, check_tighter, warning_name
from keeptime.contract.windows import UNITS, WindowShape
from keeptime.contract.zones import Zone
from keeptime.model.key import Signal
from keeptime.units import format_duration, format_percent

MOST_OBJECTIVES = 50
THRESHOLD = Duration(0.0001, 3600, "500ms")
_SHORT = re.compile(
    r"(?P<target>.+?)\s+of\s+(?P<of>\S+)\s+(?:under\s+(?P<under>.+?)|succeed)\s+over\s+(?P<over>.+)"
)
_EXAMPLES = "'99% of requests under 500ms over 28d' or '99.9% of requests succeed over calendar month'"


class Errors(StrEnum):
    BAD = "bad"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class Draft:
    """An objective before the contract's own policy and time zone are known."""

    name: str | None
    target: Fraction
    under: float | None
    over: Window
    of: Signal
    errors: Errors
    policy: Policy | None
    timezone: str | None
    effective: Effective = ALWAYS
    warn: Warn | None = None
    warns_of: str = ""
    credits: Credits | None = None
    where: Where = ()
    exclude: tuple[Exclude, ...] = ()

    def finished(self, policy: Policy, timezone: str) -> Objective:
        over = self.over
        if isinstance(over, Calendar):
            over = Calendar(over.unit, self.timezone or timezone)
        begins, ends = self.span(timezone)
        return Objective(
            name=self.label,
            target=self.target,
            under=self.under,
            over=over,
            policy=self.policy or policy,
            of=self.of,
            errors="bad" if self.errors is Errors.BAD else "excluded",
            warns_of=self.warns_of,
            begins=begins,
            ends=ends,
            credits=self.credits,
            where=self.where,
            exclude=self.exclude,
        )

    def span(self, zone: str) -> tuple[int | None, int | None]:
        """From when until when it is in force (Unix seconds); `zone`: the contract's."""
        return self.effective.span(self.timezone or zone)

    def warning(self) -> "Draft | None":
        """The internal objective before this one, if there is one."""
        if self.warn is None:
            return None
        return replace(
            self,
            name=warning_name(self.label),
            target=self.target if self.warn.target is None else self.warn.target,
            under=self.under if self.warn.under is None else self.warn.under,
            warn=None,
            warns_of=self.label,
            credits=None,
        )

    @property
    def label(self) -> str:
        """Its name, or the usual one: p99-500ms, success-99.9."""
        if self.name is not None:
            return self.name
        percent = format_percent(self.target).removesuffix("%")
        kind = "" if self.of is Signal.REQUESTS else f"{self.of.replace('_', '-')}-"
        if self.under is None:
            return f"{kind}success-{percent}"
        return f"{kind}p{percent}-{format_duration(self.under)}"


NAME = Field(
    "name",
    Label("name", dotted=True),
    "What the objective is called in messages and metrics.",
    default="made of target and threshold: p99-500ms, success-99.9",
)
OF = Field("of", Choice(Signal, "unknown-signal"), "The signal: what is measured.", default="requests")
TARGET = Field("target", Percent(), "The share of requests that must be good.", required=True)
UNDER = Field(
    "under", THRESHOLD, "The threshold: a good request takes at most this. Without it, success alone counts."
)
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
    draft = Draft(
        name=row.get(NAME, None),
        target=row.need(TARGET),
        under=row.get(UNDER, None),
        over=row.need(OVER),
        of=row.get(OF, Signal.REQUESTS),
        errors=row.get(ERRORS, Errors.BAD),
        policy=row.get(POLICY, None),
        timezone=row.get(TIMEZONE, None),
        effective=effective(row),
        warn=row.get(WARN, None),
        credits=row.get(CREDITS, None),
        where=row.get(WHERE, ()),
        exclude=row.get(OBJECTIVE_EXCLUDE, ()),
    )
    _check_signal(draft.of, row.place_of(OF), row.report, row.what)
    if draft.under is None and draft.errors is Errors.EXCLUDED:
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


def _check_signal(of: Signal, place: Place, report: Report, what: str) -> None:
    if of is not Signal.REQUESTS:
        message = f"{what}: a probe cannot measure '{of}' yet; so far only 'requests' can be judged"
        raise report.spoil(place, "not-built", message)


LONG_TABLE = Table(
    "objective",
    "One promise.",
    (NAME, OF, TARGET, UNDER, OVER, ERRORS, POLICY, TIMEZONE, WARN, FROM, UNTIL, CREDITS, WHERE, OBJECTIVE_EXCLUDE),
    _long_form,
)


@dataclass(frozen=True)
class ShortForm:
    """`99% of requests under 500ms over 28d`."""

    expected: str = f"{_EXAMPLES}, or a mapping with target and over"

    def read(self, node: Node, report: Report, what: str) -> Draft:
        scalar = text_of(node, report, what, self.expected)
        found = _SHORT.fullmatch(scalar.text) if len(scalar.text) <= 200 else None
        if found is None:
            message = f"{what}: {quote(scalar.text)} is no objective; expected {_EXAMPLES}"
            raise report.spoil(scalar.place, "bad-objective", message)
        return self._parts(found, scalar, report, what)

    def _parts(self, found: "re.Match[str]", scalar: Scalar, report: Report, what: str) -> Draft:
        def part(name: str) -> Scalar:
            return Scalar(found[name], True, scalar.at(found.start(name)))

        of = OF.shape.read(part("of"), report, f"{what}.of")
        _check_signal(of, part("of").place, report, what)
        target = TARGET.shape.read(part("target"), report, f"{what}.target")
        under = None if found["under"] is None else UNDER.shape.read(part("under"), report, f"{what}.under")
        over = OVER.shape.read(part("over"), report, f"{what}.over")
        return Draft(None, target, under, over, of, Errors.BAD, None, None)

    def schema(self) -> Schema:
        signals = "|".join(Signal)
        under = r"(under +(\d+(\.\d+)?(us|ms|s|m|h|d|w))+|succeed)"
        over = rf"((\d+(\.\d+)?(us|ms|s|m|h|d|w))+|calendar +({'|'.join(UNITS)}))"
        return {"type": "string", "pattern": rf"^\d+(\.\d+)? ?% +of +({signals}) +{under} +over +{over}$"}


def _together(drafts: Sequence[Placed[Draft]], report: Report, _: str) -> None:
    """What is wrong between objectives: names and meanings that are there twice, thresholds the wrong way round."""
    names: dict[str, Place] = {}
    terms: dict[object, tuple[str, Place]] = {}
    versions: dict[str, bool] = {}
    for draft in drafts:
        one, place = draft.value, draft.place
        same = (
            one.of,
            one.target,
            one.under,
            one.over,
            one.errors,
            one.timezone,
            one.effective,
            one.where,
            one.exclude,
        )
        if same in terms:
            name, first = terms[same]
            message = f"this objective says the same as '{name}' in line {first.line}"
            report.error(place, "same-objective", message)
        elif one.label in names and not (one.effective or versions[one.label]):
            report.error(place, "duplicate-name", _name_twice(one, names[one.label]))
        terms.setdefault(same, (one.label, place))
        names.setdefault(one.label, place)
        versions[one.label] = versions.get(one.label, False) or bool(one.effective)
    _check_warnings(drafts, names, report)
    _check_order(drafts, report)


def _check_warnings(drafts: Sequence[Placed[Draft]], names: Mapping[str, Place], report: Report) -> None:
    """No objective may have the name of another's internal one."""
    for draft in drafts:
        warned = draft.value.warning()
        if warned is not None and warned.label in names:
            place = names[warned.label]
            message = f"'{warned.label}' is the internal objective of '{draft.value.label}'; give it another name"
            report.error(place, "duplicate-name", message)


def with_warnings(drafts: Sequence[Placed[Draft]]) -> tuple[Placed[Draft], ...]:
    """Each objective, followed by the internal one before it, which stands where its `warn` does."""
    out: list[Placed[Draft]] = []
    for draft in drafts:
        out.append(draft)
        warned = draft.value.warning()
        if warned is not None and draft.value.warn is not None:
            out.append(Placed(warned, draft.value.warn.place))
    return tuple(out)


def _name_twice(draft: Draft, first: Place) -> str:
    cure = "give one another name" if draft.name else "write one as a mapping with a 'name' of its own"
    return f"two objectives are named '{draft.label}' (the first in line {first.line}); {cure}"


def _check_order(drafts: Sequence[Placed[Draft]], report: Report) -> None:
    """A lower target with a threshold that is no smaller can never be missed alone."""
    timed = [each for each in drafts if each.value.under is not None]
    for low in timed:
        for high in timed:
            if _idle(low.value, high.value):
                report.warning(low.place, "thresholds-crossed", _crossed(low.value, high.value, high.place))
                break


def _idle(low: Draft, high: Draft) -> bool:
    if low.under is None or high.under is None or (low.of, low.over) != (high.of, high.over):
        return False
    if (low.effective, low.where) != (high.effective, high.where):
        return False
    return low.target < high.target and low.under >= high.under


def _crossed(low: Draft, high: Draft, place: Place) -> str:
    given = f"{format_percent(low.target)} under {format_duration(low.under or 0)}"
    other = f"{format_percent(high.target)} under {format_duration(high.under or 0)}"
    return f"{given} is already promised by {other} in line {place.line}; expected a smaller threshold here"


OBJECTIVE = Forms(ShortForm(), mapping=LONG_TABLE)
OBJECTIVES_SHAPE = WithPlaces(ListOf(OBJECTIVE, "objectives", MOST_OBJECTIVES, across=_together))
