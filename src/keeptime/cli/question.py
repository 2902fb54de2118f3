"""What `keeptime check` is asked beyond validity.

Guarantees: one answer to which rate of events an objective has. Knows neither tables nor JSON.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keeptime.contract.terms import Contract, Objective


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked beyond validity. `traffic`: requests per second in place of the contract's probes; `burn`: the
    burn rate, and the seconds in which it is to be noticed."""

    traffic: float | None = None
    burn: tuple[float, float] | None = None

    def rate(self, contract: "Contract", objective: "Objective | None" = None) -> float:
        """Events per second, of this objective if one is given; 0: not known."""
        from keeptime.judge.design_words import rate_of

        return rate_of(contract, objective, self.traffic)
