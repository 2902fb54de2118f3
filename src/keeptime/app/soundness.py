"""What is legal in a contract and yet will not work: references without a value here, secrets that cannot sign,
alert tiers that cannot fire, promises that so few requests cannot keep track of.

Guarantees: only warnings come of it; values of secrets are read and forgotten. For `check`, and for whoever
starts or reloads contracts.
"""

from keeptime.contract.calendar import usual_seconds
from keeptime.contract.load import Document
from keeptime.contract.machine import lacking
from keeptime.contract.people import everyone
from keeptime.contract.report import Reference
from keeptime.contract.secrets import resolve
from keeptime.contract.terms import Objective
from keeptime.errors import DeliveryError, Problem, SecretError
from keeptime.judge.design_interval import WATCHED_BURN, WIDEST, Slow, Uncertain, untracked
from keeptime.judge.plan import reach
from keeptime.tell.receivers.signing import headers
from keeptime.units import format_percent, speak_duration


def doubts(document: Document, tick_seconds: float, traffic: float | None = None) -> tuple[Problem, ...]:
    """Warnings about a valid document on this machine; none about an invalid one.

    `traffic`: requests per second, in place of the contract's probes."""
    return (
        *lacking(document),
        *unsigned(document),
        *unreachable(document, tick_seconds, traffic),
        *too_seldom(document, tick_seconds, traffic),
    )


def unsigned(document: Document) -> tuple[Problem, ...]:
    """A warning per signing secret that has a value here and cannot sign, so that every message would fail."""
    if document.contract is None:
        return ()
    secrets = {each for one in everyone(document.contract) if one.kind == "webhook" for each in one.secrets}
    out: list[Problem] = []
    for reference in document.references:
        if str(reference.ref) in secrets and (why := _cannot_sign(reference)):
            at = (document.file, reference.place.line, reference.place.column)
            out.append(Problem(*at, "warning", "bad-secret", f"{reference.what}: {why}"))
    return tuple(out)


def _cannot_sign(reference: Reference) -> str:
    """Why, in one sentence that shows nothing of the secret; "" if it can, or has no value here."""
    try:
        headers("check", b"{}", [resolve(reference.ref).strip()], 0)
    except SecretError:
        return ""
    except DeliveryError as error:
        return f"{error} ({reference.ref}, on this machine)"
    return ""


def unreachable(document: Document, tick_seconds: float, traffic: float | None = None) -> tuple[Problem, ...]:
    """A warning per alert tier that can never fire, at its objective's place."""
    out: list[Problem] = []
    if document.contract is None:
        return ()
    for objective, place in zip(document.contract.objectives, document.objectives, strict=True):
        rate = document.contract.slots(objective, traffic)
        for tier in reach(objective, rate, tick_seconds):
            if not tier.can_fire:
                message = f"{objective.name}: the tier '{tier.name}' can never fire: {tier.note}"
                at = (document.file, place.line, place.column)
                out.append(Problem(*at, "warning", "tier-unreachable", message))
    return tuple(out)


def too_seldom(document: Document, tick_seconds: float, traffic: float | None = None) -> tuple[Problem, ...]:
    """A warning per promise that more requests would keep track of, unless loading has warned of their number."""
    out: list[Problem] = []
    if document.contract is None:
        return ()
    warned = {(each.line, each.column) for each in document.problems if each.code == "too-few-events"}
    for objective, place in zip(document.contract.objectives, document.objectives, strict=True):
        rate = document.contract.slots(objective, traffic)
        known = (place.line, place.column) in warned or objective.each is not None
        found = None if known else untracked(objective, rate, tick_seconds)
        at = (document.file, place.line, place.column)
        if isinstance(found, Slow):
            out.append(Problem(*at, "warning", "burn-unnoticed", _slow(objective, rate, traffic, found)))
        elif isinstance(found, Uncertain):
            out.append(Problem(*at, "warning", "sli-uncertain", _uncertain(objective, rate, traffic, found)))
    return tuple(out)


def _slow(objective: Objective, rate: float, traffic: float | None, found: Slow) -> str:
    bad = float(objective.budget_ratio) * rate * usual_seconds(objective.over)
    noun = "probes" if traffic is None else "requests"
    soon = f", in {speak_duration(found.soon)}" if found.soon < found.seconds else ""
    return (
        f"{_pace(objective, rate, traffic)} has {bad:,.{0 if bad >= 10 else 1}f} bad {noun} in its budget over "
        f"{objective.over}, and cannot notice a burn of {WATCHED_BURN:g} in {speak_duration(found.seconds)}; "
        f"{_wish(found.interval, traffic)} would{soon}"
    )


def _uncertain(objective: Objective, rate: float, traffic: float | None, found: Uncertain) -> str:
    return (
        f"{_pace(objective, rate, traffic)} is known to ±{found.half_width * 100:.0f} % of its budget at the end "
        f"of {objective.over}; {_wish(found.interval, traffic)} would bring ±{WIDEST * 100:.0f} % or better"
    )


def _pace(objective: Objective, rate: float, traffic: float | None) -> str:
    pace = f"one probe per {speak_duration(1 / rate)}" if traffic is None else f"{rate:.3g} requests a second"
    return f"{objective.name}: at {pace} a {format_percent(objective.target)} objective"


def _wish(interval: float, traffic: float | None) -> str:
    """What would be enough."""
    if traffic is None:
        return f"a probe every {speak_duration(interval)}"
    return f"{1 / interval:.3g} a second"
