"""The pages for people, as they are described.

Guarantees: as in `keeptime.web.api.routes`.
"""

from dataclasses import replace

from keeptime.model.ledger import LedgerKind
from keeptime.web.api.described import CONTRACT, NAME, STORE, WRONG, Described, Parameter
from keeptime.web.api.shapes import COUNT, NUMBER, TEXT, Schema, needs, one_of, only
from keeptime.web.pages.slow import ORDERS
from keeptime.web.pages.when import RANGES

ZONE = Parameter("tz", {**TEXT, "maxLength": 60}, "A time zone, such as Europe/Berlin; UTC unless given.")
HTML = ("text/html",)


def or_blank(parameters: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
    """Of a page's form, which sends a field that nothing was put into; that is as if it were not there."""
    blank: Schema = {"type": "string", "maxLength": 0}
    return tuple(replace(each, schema={"anyOf": [each.schema, blank]}) for each in parameters)


INCIDENTS = (
    Parameter("contract", NAME, "Of this contract alone."),
    Parameter("objective", {**TEXT, "pattern": "^[!-~]{1,300}$"}, "Of this objective or segment."),
    Parameter("open", one_of(("true", "false")), "true: those that last; false: those that are over."),
    Parameter("since", NUMBER, "Those that were not over before these Unix seconds."),
    Parameter("limit", {**COUNT, "minimum": 1, "maximum": 1000}, "Incidents at most."),
    Parameter("after", {**TEXT, "pattern": "^[a-z0-9.~_TZ-]{0,300}$"}, "Older than this: a `next`."),
)
"""Which incidents are wanted."""
_ROW: Schema = {**COUNT, "maximum": 10**15 - 1}
LEDGER = (
    Parameter("after", _ROW, "Rows after this number, oldest first."),
    Parameter("before", _ROW, "The newest of the rows before this number."),
    Parameter("kind", one_of(LedgerKind), "Of this kind alone."),
    Parameter("contract", NAME, "Of this contract alone."),
    Parameter("since", NUMBER, "From these Unix seconds on."),
    Parameter("limit", {**COUNT, "minimum": 1, "maximum": 1000}, "Rows at most."),
)
"""Which rows are wanted."""
INCIDENT = Parameter(
    "id", {**TEXT, "minLength": 1, "pattern": "^[a-z0-9.~_TZ-]+$"}, "Its id.", required=True, place="path"
)
_NO_INCIDENT = (404, "There is no such incident.")
_SAID: Schema = {"type": "string", "minLength": 1, "maxLength": 500, "description": "One line of printable text."}
_AUTHOR: Schema = {**_SAID, "maxLength": 100}
_ZONE: Schema = {**TEXT, "maxLength": 60}
_ACK = needs(only(author=_AUTHOR, note={**_SAID, "minLength": 0}, tz=_ZONE), "author")
_SILENCE = needs(
    only(
        author=_AUTHOR, reason=_SAID, of=one_of(("objective", "contract")),
        **{"for": one_of(("30m", "2h", "8h", "1d", "until"))}, until=TEXT, tz=_ZONE,
    ),
    "author", "reason", "of", "for",
)  # fmt: skip
_END = needs(
    only(silence={**TEXT, "pattern": "^[1-9][0-9]{0,17}$"}, author=_AUTHOR, reason={**_SAID, "minLength": 0},
         tz=_ZONE),
    "silence", "author",
)  # fmt: skip

_OBJECTIVE = Parameter(
    "objective", {**TEXT, "pattern": "^[!-~]{1,300}$"}, "An objective, or a segment.", required=True, place="path"
)
_RANGE = (
    Parameter("range", one_of(RANGES), "A range that ends now; 7d unless given."),
    Parameter("start", NUMBER, "Where another range begins, in Unix seconds."),
    Parameter("end", NUMBER, "Where it ends."),
)
_REQUESTS = Parameter("requests", one_of(ORDERS), "Which slow and failed requests are listed; newest unless given.")

PAGES = (
    Described(
        "GET", "/contracts/{contract}", "One contract for people: how it stands, what it can detect, what it says.",
        media=HTML, parameters=(replace(CONTRACT, place="path"), ZONE),
        refusals=(WRONG, (404, "No contract has this name."), STORE),
    ),
    Described(
        "GET", "/contracts/{contract}/{objective}", "One objective for people, over a range of time.", media=HTML,
        parameters=(replace(CONTRACT, place="path"), _OBJECTIVE, *_RANGE, _REQUESTS, ZONE),
        refusals=(WRONG, (404, "There is no such contract, or it has no such objective."), STORE),
    ),
    Described(
        "GET", "/incidents", "What happened, newest first, for people.", media=HTML,
        parameters=or_blank((*INCIDENTS, ZONE)),
        refusals=(WRONG, (404, "There is no incident to begin after."), STORE),
    ),
    Described(
        "GET", "/incidents/{id}", "One incident for people, with forms to take it on and to silence.", media=HTML,
        parameters=(INCIDENT, ZONE), refusals=(WRONG, _NO_INCIDENT, STORE),
    ),
    Described(
        "POST", "/incidents/{id}/ack", "The form by which a page takes an alert on; leads back to the page.",
        media=HTML, status=303, parameters=(INCIDENT,), posted=_ACK,
        refusals=(WRONG, _NO_INCIDENT, (409, "The incident is over."), STORE),
    ),
    Described(
        "POST", "/incidents/{id}/silence", "The form by which a page silences the operators; leads back to it.",
        media=HTML, status=303, parameters=(INCIDENT,), posted=_SILENCE,
        refusals=(WRONG, _NO_INCIDENT, (409, "There can be no such silence."), STORE),
    ),
    Described(
        "POST", "/incidents/{id}/silence/end", "The form by which a page ends a silence; leads back to the page.",
        media=HTML, status=303, parameters=(INCIDENT,), posted=_END,
        refusals=(WRONG, _NO_INCIDENT, (409, "There is no such silence, or it is over."), STORE),
    ),
    Described(
        "GET", "/deliveries", "How delivering stands, for people: what was taken, what waits, what was given up.",
        media=HTML, parameters=or_blank((replace(CONTRACT, required=False), ZONE)), refusals=(WRONG, STORE),
    ),
    Described(
        "GET", "/ledger", "What can be proven, for people: the newest rows, or those asked for.", media=HTML,
        parameters=or_blank((*LEDGER, Parameter("day", TEXT, "From this day on, in place of `since`."), ZONE)),
        refusals=(WRONG, STORE),
    ),
)  # fmt: skip
"""In the order of the access table."""
