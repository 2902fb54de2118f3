"""What one consumer is shown of the promises that were made to them.

Guarantees: only of contracts that name this consumer, and of those nothing but what was promised: no internal
objective, no segment, no endpoint, no receiver, nothing that is the operators' alone. No sentence is passed on that
people wrote or a machine answered: each is made here of figures. Knows nothing of HTML and HTTP.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from keeptime.app.view import ContractView, Showable, Snapshot
from keeptime.contract.terms import Contract, Objective
from keeptime.judge.reason import noun_of, promise
from keeptime.model.incident import How, Incident, IncidentQuery
from keeptime.model.verdict import Condition, Severity, Verdict
from keeptime.units import format_percent
from keeptime.web.days import DAYS, Day, days_of, first_day, summed
from keeptime.web.figures import shown_age, shown_instant, shown_ratio, shown_since

WAITING = "waiting"
MOST = 50
"""Incidents that are shown, the newest."""

WORDS = {"broken": "broken", "at_risk": "at risk", "no_data": "no data", WAITING: "waiting", "ok": "kept"}
"""The worst first."""
_SAID = {
    "ok": "This promise is kept.",
    "at_risk": "At this pace this promise will be missed.",
    "broken": "This promise is not kept now.",
    "no_data": "Nothing was observed lately, so nobody can say whether it is kept.",
    WAITING: "Nothing is known of it yet.",
}
_HOW = {
    How.RECOVERED: "over after",
    How.WITHDRAWN: "ended with a change of the contract, after",
    How.TERMS_ENDED: "ended with the terms' own dates, after",
}


@dataclass(frozen=True, slots=True)
class Happening:
    """An incident. `urn`: the same for ever, as a feed needs it; `began` in words; `since`, `updated`: RFC 3339."""

    urn: str
    condition: str
    word: str
    contract: str
    promise: str
    began: str
    lasted: str
    since: str
    updated: str
    started: float
    open: bool


@dataclass(frozen=True, slots=True)
class Promised:
    """One promise, and its days."""

    contract: str
    model: str
    provider: str
    promise: str
    condition: str
    word: str
    said: str
    since: str
    figures: str
    days: tuple[Day, ...]
    summed: str


@dataclass(frozen=True, slots=True)
class Status:
    """All that is shown to one consumer. `condition`: the worst."""

    consumer: str
    at: float
    condition: str
    headline: str
    promises: tuple[Promised, ...]
    incidents: tuple[Happening, ...]

    @property
    def word(self) -> str:
        return WORDS[self.condition]

    @property
    def providers(self) -> str:
        """Whoever promised something, in words."""
        return " or ".join(dict.fromkeys(each.provider for each in self.promises))

    @property
    def urn(self) -> str:
        return f"urn:uuid:{uuid5(NAMESPACE_URL, f'keeptime:status:{self.consumer}')}"

    @property
    def updated(self) -> str:
        """When something last happened; it stands still where nothing does."""
        return max((each.updated for each in self.incidents), default="1970-01-01T00:00:00Z")


async def status_of(consumer: str, daemon: Showable) -> Status | None:
    """None: no contract names this consumer. Raises StoreError."""
    now = daemon.snapshot()
    views = [view for view in now.contracts if any(each.name == consumer for each in view.contract.consumers)]
    if not views:
        return None
    promises: list[Promised] = []
    incidents: list[Happening] = []
    for view in views:
        for objective, verdict in zip(view.contract.objectives, view.verdicts, strict=True):
            if not objective.internal:
                promises.append(await _promised(view, objective, verdict, now, daemon))
                incidents += await _happened(view.contract, objective, now, daemon)
    newest = sorted(incidents, key=lambda each: each.started, reverse=True)[:MOST]
    count = Counter(each.condition for each in promises)
    worst = next((each for each in WORDS if count[each]), WAITING)
    headline = _headline(worst, count[worst], len(promises))
    return Status(consumer, now.at, worst, headline, tuple(promises), tuple(newest))


async def _promised(
    view: ContractView, objective: Objective, verdict: Verdict | None, now: Snapshot, daemon: Showable
) -> Promised:
    contract, condition = view.contract, _condition(verdict)
    found = await daemon.past.counts(contract.key(objective), first_day(now.at), now.at, DAYS)
    days = days_of(found, now.tick_seconds, now.at, objective.target, noun_of(objective))
    as_judged = verdict is not None and verdict.condition.value == condition
    return Promised(
        contract=contract.name,
        model=contract.model,
        provider=contract.provider,
        promise=promise(objective),
        condition=condition,
        word=WORDS[condition],
        said=_SAID[condition],
        since=shown_since(verdict.since, now.at) if verdict is not None and as_judged else "",
        figures="" if verdict is None else _figures(objective, verdict),
        days=days,
        summed=summed(days, objective.target),
    )


def _condition(verdict: Verdict | None) -> str:
    """As consumers are told: what only opens a ticket is the operators' own."""
    if verdict is None:
        return WAITING
    heard = _heard(verdict.condition, verdict.severity)
    return (verdict.condition if heard else Condition.OK).value


def _heard(condition: Condition, severity: Severity | None) -> bool:
    return condition is not Condition.AT_RISK or severity is Severity.PAGE


def _figures(objective: Objective, verdict: Verdict) -> str:
    events, promised = verdict.good + verdict.bad, format_percent(verdict.target)
    if not events:
        return f"No {noun_of(objective)} yet; promised {promised}."
    share = shown_ratio(verdict.good, events, verdict.target)
    return f"{share} of {events:,} {noun_of(objective)} over {objective.over}; promised {promised}."


def _headline(worst: str, count: int, promises: int) -> str:
    if worst == Condition.OK.value:
        return "All promises are kept" if promises > 1 else "The promise is kept"
    noun = "promise is" if promises == 1 else f"of {promises} promises {'is' if count == 1 else 'are'}"
    return f"{f'{count} ' if promises > 1 else 'The '}{noun} {_STANDING[worst]}"


_STANDING = {"broken": "broken", "at_risk": "at risk", "no_data": "without data", WAITING: "not known yet"}


async def _happened(
    contract: Contract, objective: Objective, now: Snapshot, daemon: Showable
) -> Sequence[Happening]:
    asked = IncidentQuery(contract.name, objective.name, since=first_day(now.at), most=MOST)
    found = await daemon.happened.incidents(asked)
    return [_happening(each, objective, now.at) for each in found if _heard(each.condition, each.severity)]


def _happening(one: Incident, objective: Objective, now: float) -> Happening:
    if one.ended is None:
        lasted = f"lasts, for {shown_age(max(0.0, now - one.started))} by now"
    else:
        lasted = f"{_HOW[one.how or How.WITHDRAWN]} {shown_age(one.ended - one.started)}"
    return Happening(
        urn=f"urn:uuid:{uuid5(NAMESPACE_URL, f'keeptime:incident:{one.id}')}",
        condition=one.condition.value,
        word=WORDS[one.condition.value],
        contract=one.key.contract,
        promise=promise(objective),
        began=shown_instant(one.started, now),
        lasted=lasted,
        since=_rfc3339(one.started),
        updated=_rfc3339(one.started if one.ended is None else one.ended),
        started=one.started,
        open=one.ended is None,
    )


def _rfc3339(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
