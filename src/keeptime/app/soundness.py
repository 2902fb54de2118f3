"""What is legal in a contract and yet will not work: references without a value here, alert tiers that cannot fire.

Guarantees: only warnings come of it; values of secrets are read and forgotten. For `check`, and for whoever
starts or reloads contracts.
"""

from keeptime.contract.load import Document
from keeptime.contract.machine import lacking
from keeptime.errors import Problem
from keeptime.judge.plan import reach


def doubts(document: Document, tick_seconds: float) -> tuple[Problem, ...]:
    """Warnings about a valid document on this machine; none about an invalid one."""
    return (*lacking(document), *unreachable(document, tick_seconds))


def unreachable(document: Document, tick_seconds: float) -> tuple[Problem, ...]:
    """A warning per alert tier that can never fire, at its objective's place."""
    out: list[Problem] = []
    if document.contract is None:
        return ()
    rate = document.contract.events_per_second
    for objective, place in zip(document.contract.objectives, document.objectives, strict=True):
        for tier in reach(objective, rate, tick_seconds):
            if not tier.can_fire:
                message = f"{objective.name}: the tier '{tier.name}' can never fire: {tier.note}"
                at = (document.file, place.line, place.column)
                out.append(Problem(*at, "warning", "tier-unreachable", message))
    return tuple(out)
