"""The scalars of a contract: texts, labels, durations, percentages, sizes, whole numbers, choices.

Guarantees: a message says what was given and what was expected, and shows the right writing where it can be
guessed; nothing is converted without its unit.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Generic, TypeVar

from keeptime.contract.nodes import Node, Place, Scalar
from keeptime.contract.report import Report, nearest, one_of, quote
from keeptime.contract.shapes import Schema, wrong_type
from keeptime.units import format_duration, parse_duration, parse_percent, parse_size

E = TypeVar("E", bound=StrEnum)

LONGEST_NUMBER = 32
"""Characters of a duration, percentage, size or number."""

LEAST_RATIO = Fraction(1, 10**6)
"""Of a target: the budget of a smaller one is all requests but for less than the judge can count in."""
_LEAST_PERCENT = "0.0001%"

DURATION_PATTERN = r"(\d+(\.\d+)?(us|ms|s|m|h|d|w))+"
PERCENT_PATTERN = r"\d+(\.\d+)? ?%"
LABEL_PATTERN = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOTTED_PATTERN = r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?"


def text_of(node: Node, report: Report, what: str, expected: str) -> Scalar:
    """The scalar that a node must be. Raises Spoiled."""
    if not isinstance(node, Scalar) or node.empty:
        wrong_type(node, report, what, expected)
    return node


def _one_line(error: ValueError) -> str:
    """What a parser says, with what it quotes fit for a message."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(error))


@dataclass(frozen=True)
class Text:
    """One line of free text; `{{` and `<` mean nothing in it."""

    expected: str = "a text"
    most: int = 200

    def read(self, node: Node, report: Report, what: str) -> str:
        scalar = text_of(node, report, what, self.expected)
        if len(scalar.text) > self.most:
            message = f"{what}: {len(scalar.text)} characters; at most {self.most} are allowed"
            raise report.spoil(scalar.place, "too-long", message)
        if not scalar.text.strip():
            raise report.spoil(scalar.place, "empty-value", f"{what}: an empty text; expected {self.expected}")
        if not scalar.text.isprintable():
            message = f"{what}: {quote(scalar.text)} holds a control character or a line break; expected one line"
            raise report.spoil(scalar.place, "control-character", message)
        return scalar.text

    def schema(self) -> Schema:
        return {"type": "string", "minLength": 1, "maxLength": self.most}


@dataclass(frozen=True)
class LongText:
    """A text of any number of lines, as it is written."""

    expected: str = "a text"
    most: int = 1_000_000

    def read(self, node: Node, report: Report, what: str) -> str:
        scalar = text_of(node, report, what, self.expected)
        if len(scalar.text) > self.most:
            message = f"{what}: {len(scalar.text)} characters; at most {self.most} are allowed"
            raise report.spoil(scalar.place, "too-long", message)
        return scalar.text

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": self.most}


@dataclass(frozen=True)
class Label:
    """An RFC 1123 label (or, dotted, a name of such labels): safe in metrics, URLs and file names."""

    noun: str
    dotted: bool = False

    @property
    def expected(self) -> str:
        dots = ", dots" if self.dotted else ""
        return f"a {self.noun} of 1 to 63 lower-case letters, digits{dots} and '-', such as {self._example}"

    @property
    def _example(self) -> str:
        return "p99-500ms" if self.dotted else "sentiment-latency"

    def read(self, node: Node, report: Report, what: str) -> str:
        scalar = text_of(node, report, what, self.expected)
        if re.fullmatch(DOTTED_PATTERN if self.dotted else LABEL_PATTERN, scalar.text) is None:
            message = (
                f"{what}: {quote(scalar.text)} is no valid name; expected {self.expected}{self._better(scalar)}"
            )
            raise report.spoil(scalar.place, "bad-name", message)
        return scalar.text

    def _better(self, scalar: Scalar) -> str:
        dots = "." if self.dotted else ""
        better = re.sub(rf"[^a-z0-9{dots}]+", "-", scalar.text.lower()).strip("-.")[:63].strip("-.")
        return f"; write {better}" if better and better != scalar.text else ""

    def schema(self) -> Schema:
        pattern = DOTTED_PATTERN if self.dotted else LABEL_PATTERN
        return {"type": "string", "pattern": f"^{pattern}$", "maxLength": 63}


@dataclass(frozen=True)
class Duration:
    """Seconds, from "500ms". Both ends of the range are legal."""

    least: float
    most: float
    example: str

    @property
    def expected(self) -> str:
        return f"a duration such as {self.example}"

    def read(self, node: Node, report: Report, what: str) -> float:
        scalar = text_of(node, report, what, self.expected)
        return self.parse(scalar.text, scalar.place, report, what)

    def parse(self, text: str, place: Place, report: Report, what: str) -> float:
        if len(text) > LONGEST_NUMBER:
            raise report.spoil(place, "bad-duration", f"{what}: {quote(text)} is too long for a duration")
        try:
            seconds = parse_duration(text)
        except ValueError as error:
            raise report.spoil(place, "bad-duration", f"{what}: {_one_line(error)}") from None
        if not self.least <= seconds <= self.most:
            span = f"{format_duration(self.least)} to {format_duration(self.most)}"
            raise report.spoil(place, "out-of-range", f"{what}: {quote(text)}; expected {span}")
        return seconds

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{DURATION_PATTERN}$", "examples": [self.example]}


@dataclass(frozen=True)
class Percent:
    """A target: the exact ratio of "99.9%", above 0 and below 1."""

    expected: str = "a percentage above 0% and below 100% such as 99% or 99.9%"

    def read(self, node: Node, report: Report, what: str) -> Fraction:
        scalar = text_of(node, report, what, self.expected)
        return self.parse(scalar.text, scalar.place, report, what)

    def parse(self, text: str, place: Place, report: Report, what: str) -> Fraction:
        if len(text) > LONGEST_NUMBER:
            raise report.spoil(place, "bad-percent", f"{what}: {quote(text)} is too long for a percentage")
        try:
            ratio = parse_percent(text)
        except ValueError as error:
            raise report.spoil(place, "bad-percent", f"{what}: {_percent_hint(text) or _one_line(error)}") from None
        if ratio >= 1:
            raise report.spoil(place, "impossible-target", f"{what}: {text} {_why_impossible(ratio)}")
        if ratio < LEAST_RATIO:
            raise report.spoil(
                place, "impossible-target", f"{what}: {text} promises nothing; expected {_LEAST_PERCENT} or more"
            )
        return ratio

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{PERCENT_PATTERN}$", "examples": ["99.9%"]}


def _percent_hint(text: str) -> str:
    """The right writing of a ratio or a bare number, "" if it is neither."""
    if re.fullmatch(r"0?\.\d+", text):
        better = f"{float(text) * 100:.10g}%"
        return f"'{text}' is a ratio; expected a percentage: write {better}"
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return f"'{text}' has no per cent sign; write {text}%"
    return ""


def _why_impossible(ratio: Fraction) -> str:
    if ratio == 1:
        return "allows not one bad request, so it is broken by the first and no pace can be judged; expected less"
    return "is more than all requests; expected less than 100%"


@dataclass(frozen=True)
class Whole:
    """A whole number, both ends of the range legal."""

    least: int
    most: int

    @property
    def expected(self) -> str:
        return f"a whole number from {self.least} to {self.most}"

    def read(self, node: Node, report: Report, what: str) -> int:
        scalar = text_of(node, report, what, self.expected)
        if not scalar.plain and scalar.text.isdigit():
            message = f"{what}: given {quote(scalar.text)} in quotes, expected {self.expected} without them"
            raise report.spoil(scalar.place, "wrong-type", message)
        if re.fullmatch(r"-?\d+", scalar.text, re.ASCII) is None or len(scalar.text) > LONGEST_NUMBER:
            wrong_type(node, report, what, self.expected)
        number = int(scalar.text)
        if not self.least <= number <= self.most:
            raise report.spoil(scalar.place, "out-of-range", f"{what}: {number}; expected {self.expected}")
        return number

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True)
class Number:
    """A number above zero."""

    most: float
    expected: str = "a number above 0 such as 14.4"

    def read(self, node: Node, report: Report, what: str) -> float:
        scalar = text_of(node, report, what, self.expected)
        if not scalar.plain or re.fullmatch(r"-?\d{1,12}(\.\d{1,12})?", scalar.text) is None:
            wrong_type(node, report, what, self.expected)
        number = float(scalar.text)
        if not 0 < number <= self.most:
            message = f"{what}: {scalar.text}; expected a number above 0 and at most {self.most:,.0f}"
            raise report.spoil(scalar.place, "out-of-range", message)
        return number

    def schema(self) -> Schema:
        return {"type": "number", "exclusiveMinimum": 0, "maximum": self.most}


@dataclass(frozen=True)
class Size:
    """Bytes, from "1MiB"."""

    most: int
    expected: str = "a size such as 64KiB or 1MiB"

    def read(self, node: Node, report: Report, what: str) -> int:
        scalar = text_of(node, report, what, self.expected)
        try:
            if len(scalar.text) > LONGEST_NUMBER:
                raise ValueError(f"{quote(scalar.text)} is too long for a size")
            size = parse_size(scalar.text)
        except ValueError as error:
            raise report.spoil(scalar.place, "bad-size", f"{what}: {_one_line(error)}") from None
        if not 0 < size <= self.most:
            message = f"{what}: {quote(scalar.text)}; expected 1B to {self.most // 1024**2}MiB"
            raise report.spoil(scalar.place, "out-of-range", message)
        return size

    def schema(self) -> Schema:
        return {"type": "string", "pattern": r"^\d+(\.\d+)?(B|KB|MB|KiB|MiB)$", "examples": ["1MiB"]}


@dataclass(frozen=True)
class Choice(Generic[E]):
    """One of a StrEnum's words. `only`: one of these."""

    words: type[E]
    code: str = "unknown-word"
    only: tuple[E, ...] = ()

    @property
    def expected(self) -> str:
        return one_of([str(word) for word in self._offered])

    def read(self, node: Node, report: Report, what: str) -> E:
        scalar = text_of(node, report, what, self.expected)
        found = next((word for word in self._offered if word == scalar.text), None)
        if found is None:
            hint = nearest(scalar.text, [str(word) for word in self._offered])
            message = f"{what}: {quote(scalar.text)} is unknown; expected {self.expected}{hint}"
            raise report.spoil(scalar.place, self.code, message)
        return found

    def schema(self) -> Schema:
        return {"enum": [str(word) for word in self._offered]}

    @property
    def _offered(self) -> tuple[E, ...]:
        return self.only or tuple(self.words)


@dataclass(frozen=True)
class Checked:
    """A text with a check of its own: `check` returns what is wrong with it, or ""."""

    expected: str
    code: str
    check: Callable[[str], str]
    most: int = 500

    def read(self, node: Node, report: Report, what: str) -> str:
        text = Text(self.expected, self.most).read(node, report, what)
        if wrong := self.check(text):
            raise report.spoil(node.place, self.code, f"{what}: {quote(text)} {wrong}; expected {self.expected}")
        return text

    def schema(self) -> Schema:
        return Text(most=self.most).schema()
