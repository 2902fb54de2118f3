"""What was found in another tool's file, on its way to be a contract, and the text of all of them.

Guarantees: names are valid and differ; every contract says where it came from. Knows no format.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from keeptime.contract.importing.fields import Fields
from keeptime.contract.kinds import LABEL_PATTERN
from keeptime.contract.layout import block
from keeptime.contract.nodes import Place
from keeptime.contract.report import Report
from keeptime.contract.starter import label

NOBODY = "# nobody is told yet: add operators or consumers"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says. `window`: of objectives that name none, as in a contract; "" for none."""

    url: str = ""
    window: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One contract to be. `wanted`: its name, as any text; `terms`: the rest, in the contract's own language.

    `origin`: where it came from, with its names there, for a comment; `notes`: more of what the other file said, a
    line each.
    """

    wanted: str
    origin: str
    place: Place
    terms: Mapping[str, object]
    notes: tuple[str, ...] = ()
    file: str = ""


@dataclass(slots=True)
class Context:
    """One file that is being read: where its mistakes go, and what was asked for.

    `assumed`: it was said that a usual window is taken.
    """

    report: Report
    settings: Settings
    found: list[Found] = field(default_factory=list)
    assumed: bool = False

    def keep(self, found: Found) -> None:
        self.found.append(replace(found, file=self.report.file))


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document and the file that it is in."""

    fields: Fields
    context: Context


def named(found: Sequence[Found]) -> list[tuple[str, Found]]:
    """Each with a name of its own: the wanted one as an RFC 1123 label, with a number where it is taken."""
    taken: set[str] = set()
    out = []
    for each in found:
        name = base = each.wanted if re.fullmatch(LABEL_PATTERN, each.wanted) else label(each.wanted)
        number = 1
        while name in taken:
            number += 1
            name = f"{base[: 62 - len(str(number))].rstrip('-')}-{number}"
        taken.add(name)
        out.append((name, each))
    return out


def text(found: Sequence[Found]) -> str:
    """The contract file: one YAML document for each."""
    return "---\n".join(_document(name, each) for name, each in named(found))


def _document(name: str, found: Found) -> str:
    head = [f"Imported from {found.file}:{found.place.line}: {found.origin}.", *found.notes]
    comments = "".join(f"# {_line(each)}\n" for each in head)
    told = "consumers" in found.terms or "operators" in found.terms
    return comments + block({"contract": name, **found.terms}) + ("" if told else f"{NOBODY}\n")


def _line(comment: str) -> str:
    """Fit for one line of a comment, whatever the other file held."""
    return "".join(c if "\x20" <= c <= "\x7e" else "?" for c in " ".join(comment.split()))[:200]
