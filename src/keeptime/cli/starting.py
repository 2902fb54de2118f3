"""What both ways to write a first contract read of their arguments: a name, headers, a time.

Guarantees: UsageError says which option was wrong, and what was expected.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from keeptime.errors import UsageError

if TYPE_CHECKING:
    from keeptime.contract.nodes import Mapped


def contract_name(given: str | None, url: str, last: str = "") -> str:
    """As given, or made from the URL's host, or from `last`, the last part of its path."""
    from keeptime.contract.starter import label

    name = given or label(last or urlsplit(url).hostname or "model")
    if label(name) != name:
        raise UsageError(f"--name {name!r}; expected lower-case letters, digits and '-'; write {label(name)}")
    return name


def duration(text: str, option: str) -> float:
    from keeptime.units import parse_duration

    try:
        return parse_duration(text)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{option}: {error}") from None


def headers(given: Sequence[str]) -> "Mapped":
    """As a contract would have them, for its own reader."""
    from keeptime.contract.nodes import Entry, Mapped, Place, Scalar

    place = Place(1, 1)
    split = [header.partition(":") for header in given]
    if not all(colon for _, colon, _ in split):
        raise UsageError("--header: no colon in it; expected 'NAME: VALUE'")
    return Mapped(
        tuple(
            Entry(Scalar(name.strip(), False, place), Scalar(value.strip(), False, place))
            for name, _, value in split
        ),
        place,
    )
