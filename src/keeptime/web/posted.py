"""What is asked with: a flag of the query, or a small JSON object that is posted and the texts in it.

Guarantees: whatever is not as expected is refused in one sentence that says what would be. How large a body may be
is the guard's to say. Knows no route.
"""

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

LONGEST_AUTHOR, LONGEST_TEXT = 100, 500


class Refused(ValueError):
    """What was posted means nothing; its text says why."""


def flag(query: Mapping[str, str], name: str) -> bool:
    """Of the query; false where it is not there. Raises Refused."""
    given = query.get(name, "false")
    if given not in ("true", "false"):
        raise Refused(f"{name}={given}: expected true or false")
    return given == "true"


async def body_of(request: Request, expected: str) -> Any:
    """The JSON that was posted. Raises Refused."""
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError):
        raise Refused(f"the body is no JSON; {expected}") from None


async def fields_of(request: Request, allowed: frozenset[str], expected: str) -> dict[str, Any]:
    """The object that was posted, of these fields. Raises Refused."""
    found = await body_of(request, expected)
    if not isinstance(found, dict):
        raise Refused(f"the body is no object; {expected}")
    if unknown := sorted(found.keys() - allowed):
        raise Refused(f"{unknown[0]!r} is unknown; {expected}")
    return found


def text(found: dict[str, Any], name: str, most: int = LONGEST_TEXT) -> str:
    """A text that must be there, in one line. Raises Refused."""
    given = optional_text(found, name, most)
    if not given:
        raise Refused(f"{name} is missing; expected a text of 1 to {most} characters")
    return given


def optional_text(found: dict[str, Any], name: str, most: int = LONGEST_TEXT) -> str:
    """A text, or "". Raises Refused."""
    given = "" if found.get(name) is None else found[name]
    if not isinstance(given, str) or len(given) > most:
        raise Refused(f"{name}: expected a text of at most {most} characters")
    if not given.isprintable():
        raise Refused(f"{name}: expected one line of printable characters")
    return given.strip()


def author(request: Request, found: dict[str, Any]) -> str:
    """Who asks for a change, with the name of the token that was shown. Raises Refused."""
    given = text(found, "author", LONGEST_AUTHOR)
    token = request.scope.get("token", "")
    return f"{given} (token {token})" if token else given
