"""`keeptime check --json`: the object that scripts read. Its fields are documented in docs/check.md.

Guarantees: fields may be added, none is renamed; a figure that is not known is null, and beside it stands why.
"""

from dataclasses import asdict
from fractions import Fraction

from keeptime.cli.check_maintenance import as_json as maintenance
from keeptime.cli.question import Question
from keeptime.contract.calendar import usual_seconds
from keeptime.contract.load import Document
from keeptime.contract.terms import Contract, Objective
from keeptime.judge.design import TierFigures, design
from keeptime.judge.design_figures import AtMost, Burn, Figure, Known, NotKnown, Unnoticed
from keeptime.judge.design_interval import Impossible, ask
from keeptime.judge.plan import reach
from keeptime.model.key import DEFAULT_TICK_SECONDS

Json = dict[str, object]


def as_json(document: Document, question: Question, now_ns: int) -> Json:
    contract = document.contract
    problems = [
        {"line": p.line, "column": p.column, "severity": p.severity, "code": p.code, "message": p.message}
        for p in document.problems
    ]
    objectives = [] if contract is None else [_objective(contract, each, question) for each in contract.objectives]
    return {
        "file": document.file,
        "contract": document.name or None,
        "valid": contract is not None,
        "problems": problems,
        "objectives": objectives,
        "maintenance": [] if contract is None else [maintenance(each, now_ns) for each in contract.maintenance],
    }


def _objective(contract: Contract, objective: Objective, question: Question) -> Json:
    rate = question.rate(contract, objective)
    over = usual_seconds(objective.over)
    return {
        "name": objective.name,
        "target": float(objective.target),
        "threshold_seconds": objective.under,
        "internal": objective.internal,
        "from": objective.begins,
        "until": objective.ends,
        "window_seconds": over,
        "budget_events": float(objective.budget_ratio * Fraction(rate * over)) if rate else None,
        "tiers": [asdict(tier) for tier in reach(objective, rate, DEFAULT_TICK_SECONDS)],
        "design": _design(objective, rate, question),
    }


def _design(objective: Objective, rate: float, question: Question) -> Json:
    found = design(objective, rate, DEFAULT_TICK_SECONDS)
    out: Json = {
        "events_per_second": rate or None,
        "events": _value(found.events),
        "half_width": _value(found.half_width),
        "false_alarms_per_month": _figure(found.false_alarms),
        "tiers": [_tier(tier) for tier in found.tiers],
        "smallest_burns": [_smallest(seconds, burn) for seconds, burn in found.smallest_burns],
    }
    if question.burn is not None:
        out["asked"] = _asked(objective, rate, *question.burn)
    return out


def _value(figure: Figure) -> float | None:
    return None if isinstance(figure, NotKnown) else figure.value


def _figure(figure: Figure) -> Json:
    match figure:
        case Known(value):
            return {"value": value, "is": "estimate", "why": ""}
        case AtMost(value):
            return {"value": value, "is": "at_most", "why": ""}
        case NotKnown(why):
            return {"value": None, "is": "not_known", "why": why}


def _smallest(seconds: float, burn: Burn) -> Json:
    match burn:
        case Unnoticed():
            return {"within_seconds": seconds, "burn": None, "is": "unnoticed", "why": "not even total failure"}
        case NotKnown(why):
            return {"within_seconds": seconds, "burn": None, "is": "not_known", "why": why}
        case _:
            return {"within_seconds": seconds, "burn": burn, "is": "noticed", "why": ""}


def _tier(tier: TierFigures) -> Json:
    return {"name": tier.name, **asdict(tier.needs), "false_alarms_per_month": _figure(tier.false_alarms)}


def _asked(objective: Objective, rate: float, burn: float, seconds: float) -> Json:
    asked: Json = {"burn": burn, "within_seconds": seconds}
    found = ask(objective, rate, DEFAULT_TICK_SECONDS, burn, seconds)
    if isinstance(found, Impossible):
        why = f"total failure is a burn of {found.total:.4g}"
        return {**asked, "chance": None, "tiers": [], "longest_interval_seconds": None, "why": why}
    longest = found.longest_interval
    whys = [each.why for each in (found.chance, longest) if isinstance(each, NotKnown)]
    whys += ["no interval is short enough"] if isinstance(longest, Unnoticed) else []
    return {
        **asked,
        "chance": None if isinstance(found.chance, NotKnown) else found.chance,
        "tiers": [{"name": name, "chance": each} for name, each in found.tiers if not isinstance(each, NotKnown)],
        "longest_interval_seconds": longest if isinstance(longest, float) else None,
        "why": whys[0] if whys else "",
    }
