"""Where traces are looked up that others keep, as a frozen value of a contract.

Guarantees: secrets stand in it as references. Knows nothing of HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from keeptime.contract.probed import SecretRef


class TraceStore(StrEnum):
    """What keeps the traces."""

    JAEGER = "jaeger"
    TEMPO = "tempo"


@dataclass(frozen=True, slots=True)
class Tracing:
    """`timeout`: seconds of one look."""

    kind: TraceStore
    url: str
    headers: Mapping[str, str | SecretRef] = field(default_factory=dict)
    timeout: float = 5.0
