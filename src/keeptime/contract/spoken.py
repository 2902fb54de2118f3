"""What an objective asks of a request, in the words of a contract.

Guarantees: one wording for messages, pages and exports. Knows no counts.
"""

from keeptime.contract.terms import Objective
from keeptime.units import format_duration, format_rate


def asked(objective: Objective) -> str:
    """ "under 500ms", "under 2s, wait under 500ms and at least 30 tokens/s", or "succeed"."""
    parts = [] if objective.under is None else [f"under {format_duration(objective.under)}"]
    parts += [f"{each.phase} under {format_duration(each.under)}" for each in objective.bounds]
    parts += [] if objective.at_least is None else [f"at least {format_rate(objective.at_least)} tokens/s"]
    if not parts:
        return "succeed"
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
