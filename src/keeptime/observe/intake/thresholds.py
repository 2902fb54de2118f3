"""Which thresholds a contract asks for: what a sender counts exactly."""

from keeptime.contract.terms import Contract


def thresholds_of(contract: Contract) -> dict[str, tuple[float, ...]]:
    """Seconds, ascending, by signal; of objectives on single requests."""
    found: dict[str, set[float]] = {}
    for each in contract.objectives:
        if each.under is not None:
            found.setdefault(str(each.of), set()).add(each.under)
    return {signal: tuple(sorted(those)) for signal, those in found.items()}
