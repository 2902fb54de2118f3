"""What a contract refers to outside itself: secrets by `env:NAME` or `file:PATH`, and files by their paths.

Guarantees: a secret's literal value is never put into a message; every reference is noted in the report.
"""

import re
from dataclasses import dataclass
from typing import Literal

from keeptime.contract.kinds import Text, text_of
from keeptime.contract.nodes import Node, Place
from keeptime.contract.probed import SecretRef
from keeptime.contract.report import Reference, Report, quote
from keeptime.contract.shapes import Schema


@dataclass(frozen=True)
class FilePath:
    """A path of the file system, made absolute: relative ones start at the contract's directory. `needed`: the file
    must be there when the contract is used."""

    expected: str = "a path, relative to this file or absolute"
    needed: bool = True

    def read(self, node: Node, report: Report, what: str) -> str:
        path = report.path(Text(self.expected, most=1000).read(node, report, what))
        if self.needed:
            report.references.append(Reference(what, SecretRef("file", path), node.place, secret=False))
        return path

    def schema(self) -> Schema:
        return Text(most=1000).schema()


def parse_ref(text: str, place: Place, report: Report, what: str) -> SecretRef | None:
    """The reference that a text is, None if it is something else. Raises Spoiled if its name is wrong."""
    source, colon, name = text.partition(":")
    if not colon or source not in ("env", "file"):
        return None
    kind: Literal["env", "file"] = "env" if source == "env" else "file"
    if kind == "env" and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,199}", name) is None:
        message = f"{what}: {quote(text)}; expected env:NAME with a name of letters, digits and '_'"
        raise report.spoil(place, "bad-reference", message)
    if kind == "file" and (not name or not name.isprintable() or len(name) > 1000):
        raise report.spoil(place, "bad-reference", f"{what}: {quote(text)}; expected file:PATH")
    ref = SecretRef(kind, name if kind == "env" else report.path(name))
    report.references.append(Reference(what, ref, place))
    return ref


@dataclass(frozen=True)
class Ref:
    """A secret by reference only. A literal is refused, and not repeated in the message."""

    expected: str = "env:NAME or file:PATH, which say where the secret is found"

    def read(self, node: Node, report: Report, what: str) -> SecretRef:
        scalar = text_of(node, report, what, self.expected)
        ref = parse_ref(scalar.text, scalar.place, report, what)
        if ref is None:
            raise report.spoil(
                scalar.place, "literal-secret", f"{what}: a literal secret; expected {self.expected}"
            )
        return ref

    def schema(self) -> Schema:
        return {"type": "string", "pattern": "^(env|file):."}


@dataclass(frozen=True)
class OneRef:
    """A single reference in the place of several."""

    expected: str = Ref.expected

    def read(self, node: Node, report: Report, what: str) -> tuple[SecretRef, ...]:
        return (Ref(self.expected).read(node, report, what),)

    def schema(self) -> Schema:
        return Ref().schema()
