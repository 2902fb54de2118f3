"""What the API answers of silences and acknowledgements, as JSON Schemas by name.

Guarantees: a field without a value is null.
"""

from keeptime.web.api.shapes import COUNT, INSTANT, TEXT, Schema, fields, many, one_of, or_null, ref

QUIET_ANSWERS: dict[str, Schema] = {
    "Silence": fields(
        id=COUNT,
        contract=TEXT,
        objective=or_null(TEXT),
        author=TEXT,
        reason=TEXT,
        begins=INSTANT,
        ends=INSTANT,
        state=one_of(("to come", "active", "over")),
        ended=or_null(INSTANT),
        ended_by=or_null(TEXT),
        ended_why=or_null(TEXT),
    ),
    "Silences": fields(silences=many(ref("Silence")), next=or_null(COUNT)),
    "SilenceMade": fields(silence=ref("Silence")),
    "SilenceEnded": fields(silence=ref("Silence"), sent=COUNT),
    "Acks": fields(
        acks=many(
            fields(contract=TEXT, objective=TEXT, started=INSTANT, author=TEXT, note=or_null(TEXT), at=INSTANT)
        )
    ),
}
"""Under the names that the routes refer to them by."""
