"""The routes of events as they are described, and what they answer.

Guarantees: the values of an enumeration are those of the program.
"""

from keeptime.model.event import MOST_CONTRACTS, TOLD, EventKind
from keeptime.web.api.described import NAME, STORE, WRONG, Described, Parameter
from keeptime.web.api.shapes import (
    COUNT,
    FLAG,
    INSTANT,
    NUMBER,
    TEXT,
    Schema,
    fields,
    many,
    needs,
    one_of,
    only,
    or_null,
    ref,
)

_LINE: Schema = {**TEXT, "description": "One line of printable characters."}
_POSTED = only(
    kind=one_of(TOLD),
    author={**_LINE, "minLength": 1, "maxLength": 100},
    at=or_null({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1e11, "description": "Unix seconds."}),
    contracts=or_null({**many(NAME), "maxItems": MOST_CONTRACTS}),
    version=or_null({**_LINE, "maxLength": 200}),
    text=or_null({**_LINE, "maxLength": 500}),
    link=or_null({**TEXT, "maxLength": 500, "pattern": "^(https?://[!-~]+)?$"}),
)

MARKED = (
    Described(
        "GET", "/api/v1/events", "Deploys and other changes, newest first.", ref("Events"),
        parameters=(
            Parameter("contract", NAME, "Those that concern this contract."),
            Parameter("kind", one_of(EventKind), "Of this kind alone."),
            Parameter("since", NUMBER, "Made at these Unix seconds or later."),
            Parameter("until", NUMBER, "Made before these Unix seconds."),
            Parameter("limit", {**COUNT, "minimum": 1, "maximum": 1000}, "Events at most; 100 unless given."),
            Parameter("after", {**COUNT, "maximum": 10**15 - 1}, "Older than this: a `next`."),
        ),
        refusals=(WRONG, (404, "There is no event to begin after."), STORE),
    ),
    Described(
        "POST", "/api/v1/events", "Mark a deploy or another change.", ref("EventMarked"),
        parameters=(
            Parameter(
                "Idempotency-Key", {**TEXT, "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
                "Of this event: when it is told again, it is marked once.", place="header",
            ),
        ),
        posted=needs(_POSTED, "kind", "author"),
        refusals=(WRONG, (409, "An unknown contract, an instant out of range, or a key of another event."), STORE),
    ),
)  # fmt: skip
"""In the order of the access table."""

MARKED_ANSWERS: dict[str, Schema] = {
    "Event": fields(
        id=COUNT,
        kind=one_of(EventKind),
        at=INSTANT,
        contracts=many(TEXT),
        author=TEXT,
        version=or_null(TEXT),
        text=or_null(TEXT),
        link=or_null(TEXT),
        noted=INSTANT,
    ),
    "Events": fields(events=many(ref("Event")), next=or_null(COUNT)),
    "EventMarked": fields(event=ref("Event"), repeated=FLAG),
}
"""Under the names that the routes refer to them by."""
