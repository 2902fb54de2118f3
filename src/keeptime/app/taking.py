"""What programs send to the one port to have it counted: who takes it.

Guarantees: a body is refused whole by one IntakeRefused, or answered with what became of each of its parts.
"""

from collections.abc import Sequence
from typing import Protocol

from keeptime.model.trace import Trace
from keeptime.observe.intake.push import Posted, Pushes
from keeptime.observe.intake.refusing import Taken
from keeptime.observe.otlp.exported import Exported
from keeptime.observe.otlp.receive import Otlps


class Intake(Protocol):
    """Counts what is sent; `keeptime.testing` ships a fake."""

    async def push(self, posted: Posted) -> Taken:
        """Requests, or totals, of one contract. Raises IntakeRefused."""
        ...

    async def metrics(self, body: bytes, as_json: bool = False) -> Exported:
        """An export of OTLP. Raises IntakeRefused."""
        ...

    async def traces(self, body: bytes, as_json: bool = False) -> Exported:
        """An export of OTLP. Raises IntakeRefused."""
        ...

    def traces_of(self, contract: str) -> Sequence[Trace]:
        """Of its requests that were slow or failed, and a few others, newest first."""
        ...


class Taking:
    """The ways in which requests are sent, as one."""

    def __init__(self, pushes: Pushes, otlps: Otlps) -> None:
        self.push = pushes.push
        self.metrics, self.traces, self.traces_of = otlps.metrics, otlps.traces, otlps.kept
