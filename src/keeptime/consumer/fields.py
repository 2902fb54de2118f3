"""Reads typed values from a parsed JSON object; what is of a wrong type is named with its path.

Guarantees: nothing is raised but `MessageRefused`; a bool is no number, an infinite number is none; fields that are
not asked for are ignored, so that messages may grow. Knows no message.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NoReturn, TypeVar

from keeptime.errors import MessageRefused

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z")


@dataclass(frozen=True, slots=True)
class Fields:
    """An object of the message. `path`: where it stands, "" for the message itself."""

    values: Mapping[str, object]
    path: str = ""

    def text(self, name: str) -> str:
        found = self._of(name)
        return found if isinstance(found, str) else self._wrong(name, "text")

    def name(self, name: str) -> str:
        """A text or a whole number; only its being the same matters."""
        found = self._of(name)
        if isinstance(found, bool) or not isinstance(found, str | int):
            return self._wrong(name, "a text or a whole number")
        return str(found)

    def flag(self, name: str) -> bool:
        found = self._of(name)
        return found if isinstance(found, bool) else self._wrong(name, "true or false")

    def count(self, name: str) -> int:
        """JSON has one kind of number: 42.0 is a count, too."""
        number = self.number(name)
        if number < 0 or not number.is_integer():
            self._wrong(name, "a whole number, 0 or more")
        found = self._of(name)
        return found if isinstance(found, int) else int(number)

    def number(self, name: str) -> float:
        found = self._of(name)
        if isinstance(found, bool) or not isinstance(found, int | float):
            return self._wrong(name, "a number")
        try:
            number = float(found)
        except OverflowError:
            number = math.inf
        return number if math.isfinite(number) else self._wrong(name, "a number that a float can hold")

    def positive(self, name: str) -> float:
        found = self.number(name)
        return found if found > 0 else self._wrong(name, "more than 0")

    def least_zero(self, name: str) -> float:
        found = self.number(name)
        return found if found >= 0 else self._wrong(name, "0 or more")

    def ratio(self, name: str) -> float:
        found = self.number(name)
        return found if 0 <= found <= 1 else self._wrong(name, "0 to 1")

    def instant(self, name: str) -> datetime:
        """An aware datetime in UTC."""
        return self._instant(name, self._of(name))

    def instants(self, name: str) -> tuple[datetime, datetime | None]:
        found = self._of(name)
        if not isinstance(found, list) or len(found) != 2:
            return self._wrong(name, "two instants")
        return self._instant(name, found[0]), None if found[1] is None else self._instant(name, found[1])

    def choice(self, name: str, kind: type[E]) -> E:
        try:
            return kind(self.text(name))
        except ValueError:
            return self._wrong(name, f"one of {', '.join(kind)}")

    def part(self, name: str) -> "Fields":
        return self._part(name, self._of(name))

    def parts(self, name: str) -> "tuple[Fields, ...]":
        found = self._of(name)
        if not isinstance(found, list):
            return self._wrong(name, "a list")
        return tuple(self._part(f"{name}[{place}]", each) for place, each in enumerate(found))

    def texts(self, name: str) -> Mapping[str, str]:
        part = self.part(name)
        return MappingProxyType({each: part.text(each) for each in part.values})

    def texts_of(self, name: str) -> tuple[str, ...]:
        """The texts of a list."""
        found = self._of(name)
        if not isinstance(found, list):
            return self._wrong(name, "a list")
        return tuple(each if isinstance(each, str) else self._wrong(name, "a list of texts") for each in found)

    def nullable(self, read: Callable[[str], T], name: str) -> T | None:
        """The value, or None where null is written; it must be there."""
        return None if self._of(name) is None else read(name)

    def optional(self, read: Callable[[str], T], name: str) -> T | None:
        """The value, or None where null is written or where an older keeptime does not write it."""
        return None if self.values.get(name) is None else read(name)

    def newer(self, read: Callable[[str], T], name: str, without: T) -> T:
        """The value, or `without` where an older keeptime does not write it; null is no value."""
        return read(name) if name in self.values else without

    def _of(self, name: str) -> object:
        if name not in self.values:
            raise MessageRefused("malformed", f"the body has no {self.path}{name}")
        return self.values[name]

    def _part(self, name: str, value: object) -> "Fields":
        return Fields(value, f"{self.path}{name}.") if isinstance(value, dict) else self._wrong(name, "an object")

    def _instant(self, name: str, value: object) -> datetime:
        if isinstance(value, str) and _INSTANT.fullmatch(value):
            try:
                return datetime.fromisoformat(value)
            except ValueError:
                pass
        return self._wrong(name, "an instant such as 2027-01-15T08:00:00Z")

    def _wrong(self, name: str, expected: str) -> NoReturn:
        raise MessageRefused("malformed", f"the body's {self.path}{name}: expected {expected}")
