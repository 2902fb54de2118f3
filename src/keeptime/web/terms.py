"""What a contract says around its objectives, as plain JSON values: dates, internal ones, credits, promises held
together, and what is stated without being judged.

Guarantees: shares are numbers in 0–1; instants are Unix seconds; what is not said is null. Knows nothing of HTTP.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from keeptime.app.periods import PeriodView
from keeptime.app.view import ContractView
from keeptime.contract.credits import Due, credit_for
from keeptime.contract.effective import times
from keeptime.contract.terms import Contract, Credits, Objective, Together
from keeptime.judge.reason import promise
from keeptime.judge.together import compliance_of, condition_of, credit_of
from keeptime.model.compliance import Assessment, Compliance
from keeptime.model.verdict import Condition
from keeptime.units import format_percent

Json = dict[str, "Json"] | Sequence["Json"] | str | float | int | bool | None


def objective_json(one: Objective) -> dict[str, Json]:
    """Its dates, whether it is internal or a segment, and its credits."""
    return {
        "internal": one.internal,
        "segment": _segment(one),
        "from": one.begins,
        "until": one.ends,
        "credits": None if one.credits is None else _credits(one.credits),
    }


def _segment(one: Objective) -> Json:
    """Of which objective it is a segment, and its values; null of one that is none."""
    return {"of": one.segment_of, "values": dict(one.segment)} if one.segment else None


def other_terms_json(view: ContractView) -> list[Json]:
    """The terms that are not in force now: superseded ones, and those to come."""
    return [{"name": one.name, "promise": promise(one), **objective_json(one)} for one in view.other_terms]


def stated_json(contract: Contract) -> dict[str, Json]:
    """What is stated and not judged."""
    return {
        "duties": dict(contract.duties),
        "vantage": contract.vantage or None,
        "token_basis": contract.token_basis or None,
    }


def stated_rows(contract: Contract) -> Iterator[tuple[str, str]]:
    """The same with headings."""
    yield from ((f"Duty: {name}", text) for name, text in contract.duties.items())
    if contract.vantage:
        yield "Vantage", contract.vantage
    if contract.token_basis:
        yield "Tokens", contract.token_basis


@dataclass(frozen=True, slots=True)
class Promise:
    """How a promise of several objectives stands, by those of them that are in force."""

    name: str
    all: tuple[str, ...]
    condition: Condition | None
    compliance: Compliance


def together_of(view: ContractView) -> tuple[Promise, ...]:
    """The contract's promises of several objectives."""
    return tuple(_together(each, view) for each in view.contract.together)


def together_json(view: ContractView) -> list[Json]:
    return [
        {"name": each.name, "all": list(each.all), "condition": each.condition, "compliance": each.compliance}
        for each in together_of(view)
    ]


def _together(one: Together, view: ContractView) -> Promise:
    conditions, states = [], []
    for objective, verdict, kept in zip(view.contract.objectives, view.verdicts, view.compliance, strict=True):
        if objective.name in one.all:
            conditions.append(None if verdict is None else verdict.condition)
            states.append(None if kept.present is None else kept.present.assess().state)
    return Promise(one.name, one.all, condition_of(conditions), compliance_of(states))


def together_periods(contract: Contract, periods: Sequence[PeriodView]) -> list[Json]:
    """The promises of several objectives in each period that all of these have, newest first."""
    states: defaultdict[str, defaultdict[str, list[Compliance]]] = defaultdict(lambda: defaultdict(list))
    for each in periods:
        states[each.name][each.objective].append(each.assess().state)
    return [
        _period(one, name, of)
        for name, of in states.items()
        for one in contract.together
        if all(member in of for member in one.all)
    ]


def _period(one: Together, name: str, of: Mapping[str, list[Compliance]]) -> Json:
    state = compliance_of([each for member in one.all for each in of[member]])
    due = credit_of(one.credit, state)
    credit: Json = None if due is None else {"due": float(due[0]), "due_at_most": float(due[1])}
    return {"promise": one.name, "name": name, "all": list(one.all), "state": state, "credit": credit}


def credit_json(view: PeriodView, found: Assessment) -> dict[str, Json] | None:
    """What is due for a period that is over; null where the objective has no credits."""
    if view.credits is None:
        return None
    least, most = due_for(view, view.credits, found)
    return {
        "due": float(least.credit),
        "due_at_most": float(most.credit),
        "tier": _tier(least),
        "tier_at_most": _tier(most),
        "of": view.credits.of or None,
    }


def due_for(view: PeriodView, credits: Credits, found: Assessment) -> tuple[Due, Due]:
    """The least and the most that is due: exact where every request was counted."""
    return credit_for(credits, view.counts, view.basis, found)


def shown_credit(view: PeriodView, found: Assessment) -> str:
    """ "credit 10% of monthly fee", "credit 0% to 10%"; "" where the objective has none."""
    if view.credits is None:
        return ""
    least, most = due_for(view, view.credits, found)
    figures = list(dict.fromkeys([format_percent(least.credit), format_percent(most.credit)]))
    return f"credit {' to '.join(figures)}" + (f" of {view.credits.of}" if view.credits.of else "")


def shown_terms(one: Objective) -> str:
    """ "internal, before p99-500ms; from 2026-07-01T00:00Z"; "" for what was always promised."""
    parts = [f"internal, before {one.warns_of}"] if one.warns_of else []
    return "; ".join([*parts, *filter(None, [times(one)])])


def shown_others(view: ContractView) -> Iterator[str]:
    """One line for each of the terms that are not in force now."""
    for one in view.other_terms:
        if not one.internal:
            yield f"{one.name}: {promise(one)}, {times(one)}"


def _credits(credits: Credits) -> dict[str, Json]:
    tiers: list[Json] = [{"below": float(each.below), "credit": float(each.credit)} for each in credits.tiers]
    return {
        "tiers": tiers,
        "cap": None if credits.cap is None else float(credits.cap),
        "of": credits.of or None,
    }


def _tier(due: Due) -> Json:
    return None if due.tier is None else {"below": float(due.tier.below), "credit": float(due.tier.credit)}
