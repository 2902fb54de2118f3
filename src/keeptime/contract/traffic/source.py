"""What all ways to observe real traffic have in common, as a frozen value of a contract.

Guarantees: two of different kinds are never equal. Knows no particular kind.
"""

from dataclasses import dataclass

from keeptime.model.key import Signal


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests that others send. `kind`: the key of `observe` that asks for it, and the `observer` of requests."""

    kind: str

    def tells(self, of: Signal) -> bool:  # noqa: ARG002 - most may tell of anything
        """Could a request say what this signal is about?"""
        return True

    @property
    def said(self) -> str:
        """What is observed, in words, without any query or secret."""
        return self.kind
