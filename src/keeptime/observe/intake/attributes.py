"""What a sender says of a request, by name.

Guarantees: a name can stand in a contract's `where` and is none that keeptime gives itself; there are few, and
short.
"""

import re
from collections.abc import Mapping

from keeptime.contract.exempting import ATTRIBUTE_PATTERN, BUILT_IN
from keeptime.observe.intake.refusing import Wrong, shown

MOST, LONGEST = 20, 200
_NAME = re.compile(ATTRIBUTE_PATTERN, re.ASCII)
_NONE: Mapping[str, str] = {}


def attributes_of(found: object) -> Mapping[str, str]:
    """The attributes of an item, as texts. Raises Wrong."""
    if found is None:
        return _NONE
    if not isinstance(found, dict):
        raise Wrong("attributes: expected an object of names and values")
    if len(found) > MOST:
        raise Wrong(f"attributes: {len(found)} are given; at most {MOST} are taken")
    return {_name(name): _text(name, value) for name, value in found.items()}


def _name(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise Wrong(f"attributes: {shown(name)} is no name; expected lower-case letters, digits and _, at most 63")
    if name in BUILT_IN:
        raise Wrong(f"attributes: {name!r} is a name that keeptime gives itself")
    return name


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise Wrong(f"attributes: {name}: expected a text, a number or a truth value")
    text = str(value)
    if len(text) > LONGEST:
        raise Wrong(f"attributes: {name}: {len(text)} characters; at most {LONGEST} are taken")
    return text
