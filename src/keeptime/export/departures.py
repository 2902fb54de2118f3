"""Where an export does not decide as the contract says: sentences for the person who exports, and for the file.

Guarantees: pure; contracts in, sentences out.
"""

from collections.abc import Callable, Mapping, Sequence

from keeptime.contract.terms import Contract, Objective, Policy, PolicyKind
from keeptime.contract.written import policy

BURN_RATE = Policy(PolicyKind.BURN_RATE)


def departures(kind: str, contracts: Sequence[Contract]) -> tuple[str, ...]:
    """One sentence for each objective that this kind of export judges by another policy than its own."""
    found = _KINDS.get(kind)
    return () if found is None else tuple(filter(None, (found(each, one) for each, one in _objectives(contracts))))


def sloths_own(one: Objective) -> str:
    """What Sloth does instead of the objective's policy; "" where that is the same."""
    if one.policy == BURN_RATE:
        return ""
    said = policy(one.policy) or str(one.policy.kind)
    named = said if isinstance(said, str) else ", ".join(said)
    return f"{one.name}: its policy is {named}; Sloth's own alerts are used instead."


def _objectives(contracts: Sequence[Contract]) -> list[tuple[Contract, Objective]]:
    return [(contract, one) for contract in contracts for one in contract.objectives]


def _of(contract: Contract, sentence: str) -> str:
    return f"{contract.name}/{sentence}" if sentence else ""


_KINDS: Mapping[str, Callable[[Contract, Objective], str]] = {
    "sloth": lambda contract, one: _of(contract, sloths_own(one)),
}
