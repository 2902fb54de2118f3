"""Objectives whose terms no export has words for: they are left out, and that is said.

Guarantees: pure; what is exported is what the contract says, or is not there.
"""

from collections.abc import Sequence
from dataclasses import replace

from keeptime.contract.terms import Contract, Objective, Rolling
from keeptime.errors import UsageError

KINDS = frozenset({"prometheus", "grafana", "openslo", "sloth"})


def unsaid(kind: str, one: Objective) -> str:
    """Which of its terms cannot be said in this kind of export, as a sentence; "" where all can."""
    term = _term(kind, one) if kind in KINDS else ""
    return f"{one.name}: {kind} cannot say {term}; it is left out." if term else ""


def sayable(kind: str, contracts: Sequence[Contract]) -> tuple[Contract, ...]:
    """The contracts without what cannot be said. Raises UsageError where nothing is left."""
    kept = [
        replace(each, objectives=tuple(one for one in each.objectives if not unsaid(kind, one)))
        for each in contracts
    ]
    left = tuple(each for each in kept if each.objectives)
    if contracts and not left:
        first = contracts[0]
        raise UsageError(f"{first.file}: {first.name}/{unsaid(kind, first.objectives[0])} Nothing else is there")
    return left


def _term(kind: str, one: Objective) -> str:
    if (one.bounds or one.at_least is not None) and kind in ("openslo", "sloth"):
        return "bounds on phases, or a rate of tokens"
    if one.each is not None:
        return "statistics of intervals (each)"
    if isinstance(one.over, Rolling) and one.over.least:
        return "a window that follows the traffic (over: … if … requests, else …)"
    return "a least number of events (min_events)" if one.min_events else ""
