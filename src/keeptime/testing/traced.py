"""Traces that were put in: stands in wherever a `Traced` is wanted.

Guarantees: those of a contract come, whatever time is asked for, and what is asked for is noted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from keeptime.app.tracing import Traces


@dataclass(slots=True)
class FakeTraced:
    """`kept`: by contract. `asked`: contract, start and end of each call."""

    kept: Mapping[str, Traces] = field(default_factory=dict)
    asked: list[tuple[str, float, float]] = field(default_factory=list)

    async def traces(self, contract: str, start: float, end: float) -> Traces:
        self.asked.append((contract, start, end))
        return self.kept.get(contract, Traces())

    def known(self, contract: str, start: float, end: float) -> Traces:  # noqa: ARG002
        return self.kept.get(contract, Traces())
