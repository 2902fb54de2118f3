"""The decision rules. One line registers one."""

from keeptime.contract.terms import PolicyKind
from keeptime.judge.rules.burn_rate import BurnRate
from keeptime.judge.rules.rule import Rule
from keeptime.judge.rules.sustained import Sustained

RULES: dict[PolicyKind, Rule] = {
    PolicyKind.BURN_RATE: BurnRate(),
    PolicyKind.SUSTAINED: Sustained(),
}


def rule_for(kind: PolicyKind) -> Rule:
    """The rule of this kind; burn-rate stands in for kinds that are not built yet."""
    return RULES.get(kind, RULES[PolicyKind.BURN_RATE])
