"""What one message says of one objective, as a typed, frozen value.

Guarantees: a `Notice` holds what message.schema.json and docs/webhook.md say, and nothing that they forbid; what is
not known is None. Times are aware datetimes in UTC. Must not know how a message came.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from keeptime.consumer.fields import Fields
from keeptime.consumer.numbers import Numbers, read_numbers
from keeptime.errors import MessageRefused
from keeptime.model.alert import AlertState, Topic
from keeptime.model.key import ObjectiveKey, Signal
from keeptime.model.verdict import Budget, Condition, Severity, TierReport, TierState, WindowCount

PREFIX = "keeptime.objective."
"""What the `type` of a message about an objective begins with."""


@dataclass(frozen=True, slots=True)
class Promise:
    """The objective. `begins`, `ends` (exclusive): the terms are in force. `text`: as the contract says it."""

    name: str
    text: str
    signal: Signal
    target: float
    threshold_seconds: float | None
    window: str
    window_seconds: float
    internal: bool
    begins: datetime | None
    ends: datetime | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Events of the objective's window; `sli`: good / (good + bad), None without events."""

    good: int
    bad: int
    skipped: int
    excluded: int
    sli: float | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """How the budget is likely to end: the body's `forecast`, whose words these are."""

    miss_chance: float
    until: datetime
    ends_at: datetime | None
    ends_between: tuple[datetime, datetime | None] | None
    days: float


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Somebody of the provider has taken the alert on. `note`: "" where they left none."""

    author: str
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """One transition of one objective. `numbers`: None where the sender does not number its messages. `incident`:
    the id of what it is part of, "" where an older keeptime does not write it.
    """

    id: str
    topic: Topic
    contract: str
    contract_version: str
    provider: str
    model: str
    promise: Promise
    state: AlertState
    condition: Condition
    severity: Severity | None
    previous_condition: Condition
    previous_severity: Severity | None
    at: datetime
    since: datetime
    started: datetime
    reason: str
    next: str
    links: Mapping[str, str]
    counts: Counts
    burn_rate: float | None
    tiers: tuple[TierReport, ...]
    budget: Budget
    exhausted_in: float | None
    forecast: Outlook | None
    duties: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    vantage: str | None = None
    token_basis: str | None = None
    acknowledged: Acknowledged | None = None
    audience: str = ""
    numbers: Numbers | None = None
    incident: str = ""

    @property
    def key(self) -> ObjectiveKey:
        return ObjectiveKey(self.contract, self.promise.name)

    @property
    def sequence(self) -> int | None:
        return None if self.numbers is None else self.numbers.sequence

    @property
    def epoch(self) -> str | None:
        return None if self.numbers is None else self.numbers.epoch

    @property
    def previous_id(self) -> str | None:
        """The message before it on its route."""
        return None if self.numbers is None else self.numbers.previous_id

    @property
    def missing(self) -> int:
        """How many messages the sender gave up before this one, and had not named yet."""
        return 0 if self.numbers is None else self.numbers.missing


def is_notice(kind: str) -> bool:
    """Is a message of this `type` about an objective? Others may come, and are no mistake."""
    return kind.startswith(PREFIX) and kind.removeprefix(PREFIX) in set(Topic)


def read_notice(body: Mapping[str, object]) -> Notice:
    """The value of a body. Raises MessageRefused, naming the field."""
    of = Fields(body)
    kind = of.text("type")
    if not is_notice(kind):
        raise MessageRefused("malformed", f"the body's type: expected {PREFIX}… and one of {', '.join(Topic)}")
    previous = of.part("previous")
    stated = of.newer(of.part, "stated", Fields({}))
    return Notice(
        id=of.text("id"),
        topic=Topic(kind.removeprefix(PREFIX)),
        contract=of.text("contract"),
        contract_version=of.text("contract_version"),
        provider=of.text("provider"),
        model=of.text("model"),
        promise=_promise(of.part("objective")),
        state=_state(of),
        condition=of.choice("condition", Condition),
        severity=_severity(of),
        previous_condition=previous.choice("condition", Condition),
        previous_severity=_severity(previous),
        at=of.instant("at"),
        since=of.instant("since"),
        started=of.instant("started"),
        reason=of.text("reason"),
        next=of.text("next"),
        links=of.texts("links"),
        counts=_counts(of.part("counts")),
        burn_rate=of.nullable(of.least_zero, "burn_rate"),
        tiers=tuple(map(_tier, of.parts("tiers"))),
        budget=_budget(of.part("budget")),
        exhausted_in=of.nullable(of.least_zero, "exhausted_in_seconds"),
        forecast=of.nullable(lambda name: _outlook(of.part(name)), "forecast"),
        duties=stated.newer(stated.texts, "duties", MappingProxyType({})),
        vantage=stated.optional(stated.text, "vantage"),
        token_basis=stated.optional(stated.text, "token_basis"),
        acknowledged=of.optional(lambda name: _acknowledged(of.part(name)), "acknowledged"),
        audience=of.newer(of.text, "audience", ""),
        numbers=read_numbers(body),
        incident=of.newer(of.text, "incident", ""),
    )


def _acknowledged(of: Fields) -> Acknowledged:
    return Acknowledged(of.text("author"), of.optional(of.text, "note") or "", of.instant("at"))


def _promise(of: Fields) -> Promise:
    target = of.number("target")
    if not 0 < target < 1:
        raise MessageRefused("malformed", "the body's objective.target: expected more than 0 and less than 1")
    return Promise(
        name=of.text("name"),
        text=of.text("promise"),
        signal=of.choice("signal", Signal),
        target=target,
        threshold_seconds=of.nullable(of.number, "threshold_seconds"),
        window=of.text("window"),
        window_seconds=of.positive("window_seconds"),
        internal=of.newer(of.flag, "internal", False),
        begins=of.optional(of.instant, "from"),
        ends=of.optional(of.instant, "until"),
    )


def _state(of: Fields) -> AlertState:
    state = of.choice("state", AlertState)
    if state not in (AlertState.FIRING, AlertState.RESOLVED):
        raise MessageRefused("malformed", "the body's state: expected firing or resolved")
    return state


def _severity(of: Fields) -> Severity | None:
    return of.nullable(lambda name: of.choice(name, Severity), "severity")


def _counts(of: Fields) -> Counts:
    good, bad, skipped, excluded = map(of.count, ("good", "bad", "skipped", "excluded"))
    return Counts(good, bad, skipped, excluded, of.nullable(of.ratio, "sli"))


def _budget(of: Fields) -> Budget:
    of.number("left")  # follows from the others
    return Budget(of.least_zero("total"), of.count("spent"))


def _outlook(of: Fields) -> Outlook:
    return Outlook(
        miss_chance=of.ratio("miss_chance"),
        until=of.instant("until"),
        ends_at=of.nullable(of.instant, "ends_at"),
        ends_between=of.nullable(of.instants, "ends_between"),
        days=of.least_zero("days"),
    )


def _tier(of: Fields) -> TierReport:
    return TierReport(
        name=of.text("name"),
        severity=of.choice("severity", Severity),
        state=of.choice("state", TierState),
        burn_limit=of.least_zero("burn_limit"),
        windows=tuple(map(_window, of.parts("windows"))),
        run=of.optional(lambda name: _window(of.part(name)), "run"),
        cleared=of.optional(of.least_zero, "cleared"),
    )


def _window(of: Fields) -> WindowCount:
    burn_rate = of.nullable(of.least_zero, "burn_rate")
    return WindowCount(of.positive("seconds"), of.count("good"), of.count("bad"), burn_rate)
