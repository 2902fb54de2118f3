"""Why requests were slow, as far as the evidence tells.

Guarantees: a cause is named only where it stands out; else `causes` is empty, and `lines` say so. Standard library
alone.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """`kind`: what was found; `sentence`: what stands out, with its figures."""

    kind: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Of one incident, as of an instant (Unix seconds). `lines`: the cause in at most two lines."""

    incident: str
    at: float
    lines: tuple[str, ...]
    causes: tuple[Cause, ...] = ()
