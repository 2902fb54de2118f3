"""Segments: the requests of an objective by the values of one or two attributes, each judged beside the whole.

Guarantees: a request is in one segment of an objective; what a segment is called tells which it is, and no other is
called so, whatever stands in the values. Pure: knows no counts and no clock.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace

from keeptime.contract.eligibility import NUMBER, Attributes
from keeptime.contract.scope import Per, Segment, Split, Wanted, Where
from keeptime.contract.terms import Contract, Objective

NONE = "(none)"
"""The value of requests that do not have the attribute, or not as the number that is asked for."""
OTHER = "other"
"""The value of what has no place of its own any more."""
LONGEST = 100
"""Characters of a value; longer ones that begin alike are one."""
_UNSAFE = re.compile(r"[^!-~]|[%\[\],\"\\]")


def segment_of(per: Per, attributes: Attributes) -> Segment:
    """The segment that a request with these attributes is in."""
    return tuple((each.attribute, value_of(each, attributes.get(each.attribute))) for each in per.by)


def value_of(split: Split, given: str | None) -> str:
    """What stands for the value that was given: itself, or the class of numbers that it is in."""
    if given is None:
        return NONE
    if not split.edges:
        return given[:LONGEST].encode("utf-8", "replace").decode()  # JSON can say half of a character
    if NUMBER.fullmatch(given) is None:
        return NONE
    return _class(split.edges, bisect_left(split.edges, float(given)))


def _class(edges: Sequence[float], place: int) -> str:
    """`<=1000`, `1000-4000`, `>4000`: the first holds its edge, and so does each that ends with one."""
    if place == len(edges):
        return f">{edges[-1]:g}"
    return f"<={edges[0]:g}" if place == 0 else f"{edges[place - 1]:g}-{edges[place]:g}"


def any_of(per: Per) -> Where:
    """Requests that have these attributes."""
    return tuple(Wanted(each.attribute, ("*",)) for each in per.by)


def rest_of(per: Per) -> Segment:
    """The segment of all that has no place of its own."""
    return tuple((each.attribute, OTHER) for each in per.by)


def name_of(objective: str, segment: Segment) -> str:
    """What a segment is called: p99-500ms[model_version=v2]."""
    inside = ",".join(f"{attribute}={_quoted(value)}" for attribute, value in segment)
    return f"{objective}[{inside}]"


def read(name: str) -> tuple[str, Segment] | None:
    """The objective and the segment that are called so; None of a name that is no segment's."""
    objective, bracket, inside = name.removesuffix("]").partition("[")
    if not bracket or not name.endswith("]"):
        return None
    pairs = [each.partition("=") for each in inside.split(",")]
    return objective, tuple((attribute, _unquoted(value)) for attribute, _, value in pairs)


def objective_named(name: str) -> str:
    """The objective that this one is a segment of, or itself."""
    return name.partition("[")[0]


def segmented(one: Objective, segment: Segment) -> Objective:
    """A segment of this objective: its terms, for the requests that are in it."""
    return replace(
        one, name=name_of(one.name, segment), per=None, segment=segment, segment_of=one.name, credits=None
    )


def has(one: Objective, segment: Segment) -> bool:
    """Can this be a segment of that objective?"""
    return one.per is not None and [each.attribute for each in one.per.by] == [name for name, _ in segment]


def with_segments(contract: Contract, segments: Iterable[tuple[str, Segment]]) -> Contract:
    """The contract with these segments, each after the objective (by name) that it is of; others are left out."""
    found: dict[str, list[Segment]] = {}
    for name, segment in sorted(segments):
        found.setdefault(name, []).append(segment)
    objectives: list[Objective] = []
    for each in contract.objectives:
        objectives += [each, *(segmented(each, one) for one in found.get(each.name, ()) if has(each, one))]
    return replace(contract, objectives=tuple(objectives))


def shown(segment: Segment) -> str:
    """ "model_version v2, region eu"."""
    return ", ".join(f"{attribute} {value}" for attribute, value in segment)


def _quoted(value: str) -> str:
    """Printable ASCII without what the name itself is made of; the rest as %XX of its UTF-8."""
    return _UNSAFE.sub(lambda each: "".join(f"%{one:02x}" for one in _bytes(each[0])), value)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _unquoted(text: str) -> str:
    raw = re.sub(rb"%([0-9a-f]{2})", lambda each: bytes.fromhex(each[1].decode()), text.encode())
    return raw.decode("utf-8", "surrogatepass")
