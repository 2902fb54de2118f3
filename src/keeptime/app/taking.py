"""What programs send to the one port to have it counted: who takes it.

Guarantees: a body is refused whole by one IntakeRefused, or answered with what became of each of its parts.
"""

from typing import Protocol

from keeptime.observe.intake.push import Posted
from keeptime.observe.intake.refusing import Taken


class Intake(Protocol):
    """Counts what is sent; `keeptime.testing` ships a fake."""

    async def push(self, posted: Posted) -> Taken:
        """Requests, or totals, of one contract. Raises IntakeRefused."""
        ...
