"""What the API tells of an incident's traces: the routes as they are described, and what they answer.

Guarantees: a trace has the form that it has in `/api/v1/traces`, and its critical path beside.
"""

from keeptime.web.api.described import STORE, Described, Parameter
from keeptime.web.api.pages import INCIDENT
from keeptime.web.api.pushed import TRACE
from keeptime.web.api.shapes import COUNT, INSTANT, NUMBER, SECONDS, TEXT, Schema, fields, many, or_null, ref

_REFUSED = ((404, "There is no such incident."), STORE)

_WORK = fields(service=TEXT, name=TEXT, slow_seconds=SECONDS, usual_seconds=SECONDS, more_seconds=NUMBER)
_ANSWER = fields(
    incident=TEXT,
    compared=or_null(fields(slow=COUNT, usual=COUNT, sentence=or_null(TEXT), work=many(_WORK))),
    traces=many(fields(**TRACE, critical_path=many(fields(span=TEXT, start=INSTANT, seconds=SECONDS)))),
    problem=or_null(TEXT),
)
TRACED_ANSWERS: dict[str, Schema] = {"TracesOfIncident": _ANSWER}

TRACED = (
    Described(
        "GET", "/api/v1/incidents/{id}/traces", "Slow requests of an incident against usual ones, span by span.",
        ref("TracesOfIncident"), parameters=(INCIDENT,), refusals=_REFUSED,
    ),
    Described(
        "GET", "/incidents/{id}/traces", "The same for people, with one trace as a waterfall.",
        media=("text/html",),
        parameters=(INCIDENT, Parameter("trace", TEXT, "The one that is shown whole; the slowest unless given.")),
        refusals=_REFUSED,
    ),
)  # fmt: skip
"""In the order of the access table."""
