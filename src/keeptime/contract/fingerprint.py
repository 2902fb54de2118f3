"""The version of a contract: a hash of what it says, not of how it is written.

Guarantees: `written` is what the version is computed from, but for the queries of URLs: without any the version is
the beginning of its SHA-256. References to secrets stand in it as such, never their values.
"""

import hashlib
import json
import re
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from pathlib import Path

from keeptime.contract.terms import Contract

LENGTH = 16
"""Hex digits kept of SHA-256."""

_LEFT_OUT = frozenset({"file", "version", "ordered"})
_LATER = frozenset({"report"})
"""Fields that older keeptimes did not know: what does not use them keeps its version."""


def fingerprint(contract: Contract, base: Path) -> Contract:
    """The same contract with its version. Paths under `base` count as relative, so a moved directory keeps it."""
    return replace(contract, version=hashlib.sha256(_text(contract, base).encode()).hexdigest()[:LENGTH])


def written(contract: Contract) -> str:
    """What a contract says, in one canonical line of JSON, to be kept: without the queries of URLs that it connects
    to, in which a secret may stand against all warnings.
    """
    base = Path(contract.file).absolute().parent
    return _QUERY.sub(r"\1?***", _text(contract, base))


_QUERY = re.compile(r'("(?:url|target)":"https?://[^"?\\]*)\?(?:[^"\\]|\\.)*')


def _text(contract: Contract, base: Path) -> str:
    return json.dumps(_canonical(contract, str(base)), sort_keys=True, separators=(",", ":"))


def _canonical(value: object, base: str) -> object:
    if is_dataclass(value):
        names = [each.name for each in fields(value) if each.name not in _LEFT_OUT]
        given = {name: getattr(value, name) for name in names}
        return {name: _canonical(each, base) for name, each in given.items() if not _unsaid(name, each)}
    if isinstance(value, dict):
        return {str(key): _canonical(each, base) for key, each in value.items()}
    if isinstance(value, frozenset):
        return sorted(map(str, value))
    if isinstance(value, tuple | list):
        return [_canonical(each, base) for each in value]
    return _canonical_scalar(value, base)


def _unsaid(name: str, value: object) -> bool:
    """A field that came later, of which a contract says nothing."""
    return name in _LATER and value is None


def _canonical_scalar(value: object, base: str) -> object:
    if isinstance(value, Fraction):
        return [str(value.numerator), str(value.denominator)]
    if isinstance(value, bytes):
        return value.hex()
    if value is ...:
        return {"any": True}
    if isinstance(value, str):
        return value.replace(f"{base}/", "")
    return value
