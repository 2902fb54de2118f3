"""What a promise of several objectives comes to: it holds when each of them does.

Guarantees: nothing is judged anew; a member of which nothing is known leaves the promise undecided at best.
"""

from collections.abc import Sequence
from fractions import Fraction

from keeptime.model.compliance import Compliance
from keeptime.model.verdict import Condition

_WORST_FIRST = (Condition.BROKEN, Condition.AT_RISK, Condition.NO_DATA)


def condition_of(members: Sequence[Condition | None]) -> Condition | None:
    """The worst of its members' conditions (None: no verdict yet); None while not all are known to be ok."""
    worst = next((each for each in _WORST_FIRST if each in members), None)
    if worst is not None or None in members or not members:
        return worst
    return Condition.OK


def compliance_of(members: Sequence[Compliance | None]) -> Compliance:
    """Met when each member is, missed when one is missed, else undecided."""
    if Compliance.MISSED in members:
        return Compliance.MISSED
    met = bool(members) and all(each is Compliance.MET for each in members)
    return Compliance.MET if met else Compliance.UNDECIDED


def credit_of(credit: Fraction | None, state: Compliance) -> tuple[Fraction, Fraction] | None:
    """The least and the most that is due; None where the promise has no credit."""
    if credit is None:
        return None
    least = credit if state is Compliance.MISSED else Fraction(0)
    return least, Fraction(0) if state is Compliance.MET else credit
