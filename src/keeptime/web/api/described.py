"""The form of a route's description, and what several routes have in common.

Guarantees: says nothing of any one route. Knows nothing of HTTP's making.
"""

from dataclasses import dataclass

from keeptime.web.api.shapes import Schema

NAME: Schema = {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """`place`: query, path or header."""

    name: str
    schema: Schema
    text: str
    required: bool = False
    place: str = "query"


@dataclass(frozen=True, slots=True)
class Described:
    """`answer`: of success, JSON unless `media` says otherwise. `posted`: the body. `refusals`: further statuses,
    and when; `bodies`: the form that one of them can have beside that of any error. `status`: of success; 303 leads
    on to another page."""

    method: str
    path: str
    text: str
    answer: Schema | None = None
    media: tuple[str, ...] = ("application/json",)
    parameters: tuple[Parameter, ...] = ()
    posted: Schema | None = None
    refusals: tuple[tuple[int, str], ...] = ()
    bodies: tuple[tuple[int, str], ...] = ()
    status: int = 200


STORE = (503, "The store cannot do it now.")
WRONG = (400, "What was given means nothing; `error` says what was expected.")


def page_parameters(after: Schema, most: int, usual: int = 0) -> tuple[Parameter, ...]:
    """Of a list: where the page begins, and how many are on it."""
    return (
        Parameter("after", after, "The `next` of the page before."),
        Parameter(
            "limit", {"type": "integer", "minimum": 1, "maximum": most}, f"At most; {usual or most} unless given."
        ),
    )


CONTRACT = Parameter("contract", NAME, "The contract's name.", required=True)
