"""What every receiver's address is read with: the part after the colon, and the same as a field of a long form.

Guarantees: an address holds a URL, a path or a reference to one, never a resolved secret. Knows no kind of
receiver.
"""

from collections.abc import Callable
from dataclasses import dataclass

from keeptime.contract.kinds import text_of
from keeptime.contract.nodes import Node, Place
from keeptime.contract.probed import SecretRef
from keeptime.contract.references import parse_ref
from keeptime.contract.report import Report, quote
from keeptime.contract.shapes import Schema, Table
from keeptime.contract.urls import Url
from keeptime.model.alert import Address

UNNAMED = ""
"""Audience of an address until its consumer is known."""

Target = Callable[[str, Place, Report, str], str]
"""Checks what names the place: (text, place, report, what) → target."""

Short = Callable[[str, Place, Report, str], Address]
"""Reads what follows the colon."""


@dataclass(frozen=True)
class Kind:
    """One kind of receiver: what follows its colon, and its long form."""

    short: Short
    table: Table[Address]


@dataclass(frozen=True)
class TargetShape:
    """A target as a field of a long form."""

    target: Target
    expected: str

    def read(self, node: Node, report: Report, what: str) -> str:
        scalar = text_of(node, report, what, self.expected)
        return self.target(scalar.text, scalar.place, report, what)

    def schema(self) -> Schema:
        return {"type": "string"}


def url_target(url: Url) -> Target:
    """A URL, or a reference to one."""

    def read(text: str, place: Place, report: Report, what: str) -> str:
        ref = parse_ref(text, place, report, what)
        return str(ref) if ref is not None else url.parse(text, place, report, what)

    return read


def secret_target(expected: str) -> Target:
    """A reference alone; anything else is a secret that stands in the file, and is not repeated."""

    def read(text: str, place: Place, report: Report, what: str) -> str:
        if not text:
            raise report.spoil(place, "bad-receiver", f"{what}: nothing is given; expected {expected}")
        ref = parse_ref(text, place, report, what)
        if ref is None:
            raise report.spoil(place, "literal-secret", f"{what}: a literal secret; expected {expected}")
        return str(ref)

    return read


def path_target(text: str, place: Place, report: Report, what: str) -> str:
    """A path; empty: keeptime's own log."""
    if len(text) > 1000 or not (text == "" or text.isprintable()):
        raise report.spoil(place, "bad-receiver", f"{what}: {quote(text)} is no path")
    return report.path(text) if text else ""


def plain(kind: str, target: Target) -> Short:
    """The short form of a kind that has a target and nothing else."""

    def read(text: str, place: Place, report: Report, what: str) -> Address:
        return Address(UNNAMED, kind, target(text, place, report, what))

    return read


def written_ref(ref: SecretRef | None) -> str:
    """A reference as an address keeps it."""
    return "" if ref is None else str(ref)
