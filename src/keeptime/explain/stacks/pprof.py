"""A file of pprof: gzip around the protobuf message perftools.profiles.Profile, written by hand.

Guarantees: the same profile makes the same bytes. Field numbers are those of the published profile.proto; the few
that are used need no library. Pure.
"""

import gzip
from collections.abc import Iterable
from typing import Generic, TypeVar

from keeptime.explain.stacks.folded import whole
from keeptime.explain.stacks.profile import Profile, place_of

_SAMPLE_TYPE, _SAMPLE, _LOCATION, _FUNCTION, _STRING, _COMMENT = 1, 2, 4, 5, 6, 13
"""Fields of a Profile."""


T = TypeVar("T")


class _Numbers(Generic[T]):
    """A number for each value, from `first` on, in the order in which they come."""

    def __init__(self, first: int) -> None:
        self._first = first
        self.known: dict[T, int] = {}

    def of(self, value: T) -> int:
        return self.known.setdefault(value, len(self.known) + self._first)


def pprof(profile: Profile, comment: str = "") -> bytes:
    """What `go tool pprof` reads."""
    strings, locations = _Numbers[str](0), _Numbers[str](1)
    functions = _Numbers[tuple[str, str]](1)
    strings.of("")
    parts = [_message(_SAMPLE_TYPE, _number(1, strings.of("samples")) + _number(2, strings.of("count")))]
    for stack, count in sorted(profile.stacks.items()):
        ids = [locations.of(each) for each in reversed(stack)]  # innermost first
        parts.append(_message(_SAMPLE, _packed(1, ids) + _packed(2, [whole(count)])))
    for frame, number in locations.known.items():
        place = place_of(frame)
        line = _number(1, functions.of((place.name, place.file))) + _number(2, place.line)
        parts.append(_message(_LOCATION, _number(1, number) + _message(4, line)))
    for (name, file), number in functions.known.items():
        told = _number(1, number) + _number(2, strings.of(name)) + _number(3, strings.of(name))
        parts.append(_message(_FUNCTION, told + _number(4, strings.of(file))))
    if comment:
        parts.append(_number(_COMMENT, strings.of(comment)))
    parts += [_message(_STRING, each.encode()) for each in strings.known]
    return gzip.compress(b"".join(parts), mtime=0)


def _packed(field: int, values: Iterable[int]) -> bytes:
    return _message(field, b"".join(map(_varint, values)))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value) if value else b""


def _message(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
