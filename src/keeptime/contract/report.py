"""Where the mistakes of one file are gathered while it is read.

Guarantees: at most MOST errors and MOST warnings are kept, and then a last one says so; many warnings never hide
an error nor become one. Knows nothing of YAML or of contracts.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from keeptime.contract.nodes import Place
from keeptime.contract.probed import SecretRef
from keeptime.errors import Problem

MOST = 100
"""Errors, and warnings, kept per document: beyond that a person mends the first ones first."""

LONGEST_QUOTE = 60


class Spoiled(Exception):
    """A value could not be read; why is already in the report. Never leaves keeptime.contract."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Something outside the file that it needs. `what` names the field; `secret`: it must have a value, a text."""

    what: str
    ref: SecretRef
    place: Place
    secret: bool = True


@dataclass(slots=True)
class Report:
    """`base`: the directory that relative paths in the file start from."""

    file: str
    base: Path
    problems: list[Problem] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)

    def error(self, place: Place, code: str, message: str) -> None:
        self._add(place, "error", code, message)

    def warning(self, place: Place, code: str, message: str) -> None:
        self._add(place, "warning", code, message)

    def spoil(self, place: Place, code: str, message: str) -> Spoiled:
        """Report an error; the caller raises what this returns."""
        self.error(place, code, message)
        return Spoiled(code)

    @property
    def full(self) -> bool:
        """Are there so many errors that further ones are not kept?"""
        return self._count("error") > MOST

    def _count(self, severity: str) -> int:
        return sum(problem.severity == severity for problem in self.problems)

    def _add(self, place: Place, severity: Literal["error", "warning"], code: str, message: str) -> None:
        count = self._count(severity)
        if count == MOST:
            code, message = "too-many", f"more than {MOST} {severity}s; the rest is not shown"
        if count <= MOST:
            self.problems.append(Problem(self.file, place.line, place.column, severity, code, message))

    def path(self, text: str) -> str:
        """A path of the file as an absolute one: relative ones start at the contract's own directory."""
        return str(self.base / text)

    def sorted_problems(self) -> tuple[Problem, ...]:
        return in_order(self.problems)


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """By line and column, as a reader goes through a file."""
    return tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))


def quote(text: str) -> str:
    """What was given, fit for a message: one line, in quotes, no longer than a person reads."""
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: LONGEST_QUOTE + 1])
    return f"'{shown}'" if len(text) <= LONGEST_QUOTE else f"'{shown[:LONGEST_QUOTE]}…'"


def nearest(word: str, valid: Sequence[str]) -> str:
    """ "; did you mean 'x'?" where one valid word is near, else ""."""
    found = difflib.get_close_matches(word[:80].lower().replace("-", "_"), valid, n=1, cutoff=0.6)
    found = found or difflib.get_close_matches(word[:80].lower(), valid, n=1, cutoff=0.6)
    return f"; did you mean '{found[0]}'?" if found else ""


def one_of(words: Sequence[str]) -> str:
    """ "a, b or c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
