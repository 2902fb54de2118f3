"""Where an export does not decide as the contract says: sentences for the person who exports, and for the file.

Guarantees: pure; contracts in, sentences out.
"""

from collections.abc import Callable, Mapping, Sequence

from keeptime.contract.terms import Contract, Objective, Policy, PolicyKind
from keeptime.contract.written import policy
from keeptime.export.leaving_out import unsaid

BURN_RATE = Policy(PolicyKind.BURN_RATE)


def departures(kind: str, contracts: Sequence[Contract]) -> tuple[str, ...]:
    """A sentence for each objective that this kind of export leaves out or judges otherwise: by a policy, or in
    maintenance.
    """
    asked = _KINDS.get(kind, ())
    said: list[str] = []
    for each, one in _objectives(contracts):
        out = unsaid(kind, one)
        said += [_of(each, out)] if out else [_of(each, says(each, one)) for says in asked]
    return tuple(filter(None, said))


def sloths_own(one: Objective) -> str:
    """What Sloth does instead of the objective's policy; "" where that is the same."""
    if one.policy == BURN_RATE:
        return ""
    said = policy(one.policy) or str(one.policy.kind)
    named = said if isinstance(said, str) else ", ".join(said)
    return f"{one.name}: its policy is {named}; Sloth's own alerts are used instead."


def maintenance(contract: Contract, one: Objective) -> str:
    """`where` and `exclude` need no sentence: of probes and traffic the rules read what keeptime has counted."""
    if not contract.maintained(one):
        return ""
    if contract.source is not None:
        return f"{one.name}: its maintenance is not known to the rules; what comes in during it counts for them."
    return f"{one.name}: its maintenance is not known to the rules; they take it for silence, and say no_data."


def segments(_: Contract, one: Objective) -> str:
    """The rules read what keeptime has counted for the objective itself."""
    return f"{one.name}: its segments (per) are judged by keeptime alone; this is of the whole." if one.per else ""


def _objectives(contracts: Sequence[Contract]) -> list[tuple[Contract, Objective]]:
    return [(contract, one) for contract in contracts for one in contract.objectives]


def _of(contract: Contract, sentence: str) -> str:
    return f"{contract.name}/{sentence}" if sentence else ""


_KINDS: Mapping[str, tuple[Callable[[Contract, Objective], str], ...]] = {
    "prometheus": (maintenance, segments),
    "sloth": (lambda _, one: sloths_own(one), maintenance, segments),
}
