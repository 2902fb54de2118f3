"""A contract's version as it is kept: what it says, and from when to when it was in force.

Guarantees: `written` holds references to secrets, never their values, and no query of a URL. Knows nothing of YAML.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ContractVersion:
    """What a contract says. `written`: in the form that its version is computed from, but for queries; `file`:
    where it was read.
    """

    contract: str
    version: str
    file: str
    written: str


@dataclass(frozen=True, slots=True)
class VersionUse:
    """`since`, `until`: Unix seconds; `until` is None while it is in force."""

    of: ContractVersion
    since: float
    until: float | None
