"""The routes of evidence and of what it says, as they are described, and what they answer.

Guarantees: the values of an enumeration are those of the program.
"""

from keeptime.model.explanation import CauseKind
from keeptime.model.sample import Failure
from keeptime.model.trace import Why
from keeptime.web.api.described import NAME, STORE, WRONG, Described, Parameter
from keeptime.web.api.pages import INCIDENT
from keeptime.web.api.shapes import (
    COUNT,
    INSTANT,
    NUMBER,
    RATIO,
    SECONDS,
    TEXT,
    Schema,
    fields,
    many,
    mapping,
    needs,
    one_of,
    only,
    or_null,
    ref,
)  # fmt: skip

_STACK = fields(stack=TEXT, count=COUNT)
_SHARE: Schema = {"type": "number", "minimum": -1, "maximum": 1}
EVIDENCE_ANSWERS: dict[str, Schema] = {
    "Exemplars": fields(
        exemplars=many(
            fields(
                at=INSTANT, latency_seconds=SECONDS, why=one_of(Why), failure=or_null(TEXT), status=or_null(COUNT),
                observer=TEXT, weight=NUMBER, phases=mapping(SECONDS), timings=mapping(SECONDS),
                signals=mapping(SECONDS), attributes=mapping(TEXT), trace=or_null(TEXT), stacks=many(_STACK),
            )
        )
    ),
    "ExemplarsTaken": fields(
        taken=COUNT, dropped=COUNT, refused=many(fields(at=COUNT, why=TEXT)), refused_count=COUNT
    ),
    "ExplanationOfIncident": fields(
        incident=TEXT,
        explanation=or_null(
            fields(
                at=INSTANT,
                lines=many(TEXT),
                stood=or_null(TEXT),
                causes=many(
                    fields(
                        kind=one_of(CauseKind), sentence=TEXT, names=many(TEXT),
                        share=or_null(fields(low=_SHARE, at=_SHARE, high=_SHARE)),
                    )
                ),
                changed=or_null(
                    fields(
                        at=INSTANT, earliest=INSTANT, latest=INSTANT, until=or_null(INSTANT), bad_before=RATIO,
                        bad_during=RATIO,
                    )
                ),
                phases=many(fields(name=TEXT, usual_seconds=SECONDS, bad_seconds=SECONDS, part=RATIO)),
                looked=or_null(
                    fields(
                        bad=COUNT, good=COUNT, since=INSTANT, until=INSTANT, attributes=COUNT, phases=COUNT,
                        events=COUNT, series=COUNT,
                    )
                ),
            )
        ),
    ),
}  # fmt: skip
"""Under the names that the routes refer to them by."""

_POSTED = only(
    at={"description": "Unix seconds, or ISO 8601 with a time zone; now unless given."},
    latency_seconds={"type": "number", "minimum": 0, "maximum": 86_400},
    failure=or_null(one_of(("", *Failure))),
    status=or_null({"type": "integer", "minimum": 0, "maximum": 999}),
    why=or_null(one_of(Why)),
    weight=or_null({"type": "number", "exclusiveMinimum": 0, "maximum": 1e9}),
    attributes=or_null({"type": "object"}),
    timings=or_null({"type": "object", "description": "Seconds by name."}),
    trace=or_null({**TEXT, "pattern": "^([0-9a-f]{32})?$"}),
    stacks=or_null(many(_STACK)),
)

EVIDENCE = (
    Described(
        "GET", "/api/v1/exemplars", "Requests that are kept as evidence, newest first.", ref("Exemplars"),
        parameters=(
            Parameter("contract", NAME, "Of this contract.", required=True),
            Parameter("since", NUMBER, "That ended at these Unix seconds or later."),
            Parameter("until", NUMBER, "That ended before these Unix seconds."),
            Parameter("why", one_of(Why), "Of this kind alone."),
            Parameter("limit", {**COUNT, "minimum": 1, "maximum": 1000}, "At most so many; 100 unless given."),
        ),
        refusals=(WRONG, (404, "There is no such contract."), STORE),
    ),
    Described(
        "POST", "/api/v1/exemplars/{contract}", "Evidence that a program sends of itself; it counts for nothing.",
        ref("ExemplarsTaken"),
        parameters=(Parameter("contract", NAME, "A contract that is kept.", required=True, place="path"),),
        posted=needs(only(exemplars=many(needs(_POSTED, "latency_seconds"))), "exemplars"),
        refusals=(WRONG, (404, "There is no such contract."), (413, "The body is too large, or holds too many.")),
    ),
    Described(
        "GET", "/api/v1/incidents/{id}/explanation", "Why requests were slow, as far as the evidence tells.",
        ref("ExplanationOfIncident"), parameters=(INCIDENT,),
        refusals=((404, "There is no such incident."), STORE),
    ),
)  # fmt: skip
"""In the order of the access table."""
