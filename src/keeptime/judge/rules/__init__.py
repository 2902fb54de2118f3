"""The decision rules. One line registers one."""

from collections.abc import Mapping

from keeptime.contract.terms import PolicyKind
from keeptime.judge.rules.buckets import Buckets
from keeptime.judge.rules.burn_rate import BurnRate
from keeptime.judge.rules.rule import Rule
from keeptime.judge.rules.sustained import Sustained

RULES: Mapping[PolicyKind, Rule] = {
    PolicyKind.BUCKETS: Buckets(),
    PolicyKind.BURN_RATE: BurnRate(),
    PolicyKind.SUSTAINED: Sustained(),
}


def rule_for(kind: PolicyKind, rules: Mapping[PolicyKind, Rule] = RULES) -> Rule:
    """The rule of this kind; burn-rate stands in for kinds that are not built yet."""
    return rules.get(kind, RULES[PolicyKind.BURN_RATE])
