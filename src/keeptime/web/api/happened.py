"""What the API answers of incidents, as JSON Schemas by name.

Guarantees: the values of an enumeration are those of the program.
"""

from keeptime.model.alert import Aside, Topic
from keeptime.model.incident import How
from keeptime.model.verdict import Condition, Severity
from keeptime.web.api.shapes import COUNT, INSTANT, NUMBER, RATIO, TEXT, Schema, fields, many, one_of, or_null, ref

_TROUBLE = one_of(each for each in Condition if each is not Condition.OK)
_SHORT = {
    "id": TEXT,
    "contract": TEXT,
    "objective": TEXT,
    "segment_of": or_null(TEXT),
    "contract_version": or_null(TEXT),
    "started": INSTANT,
    "ended": or_null(INSTANT),
    "how": or_null(one_of(How)),
    "condition": _TROUBLE,
    "severity": or_null(one_of(Severity)),
    "reason": or_null(TEXT),
}
INCIDENTS: dict[str, Schema] = {
    "Incident": fields(**_SHORT),
    "Incidents": fields(incidents=many(ref("Incident")), next=or_null(TEXT)),
    "Transition": fields(
        at=INSTANT,
        topic=one_of(Topic),
        condition=one_of(Condition),
        severity=or_null(one_of(Severity)),
        tiers=many(TEXT),
        reason=or_null(TEXT),
        message_id=TEXT,
        sli=or_null(RATIO),
        burn_rate=or_null(NUMBER),
        budget=or_null(fields(total=NUMBER, left=or_null(NUMBER))),
    ),
    "ToldOfIncident": fields(
        row=COUNT,
        message_id=TEXT,
        topic=one_of([*Topic, Aside.EXPLAINED]),
        audience=TEXT,
        receiver=TEXT,
        created=INSTANT,
        state=one_of(("taken", "waiting", "dead", "discarded", "muted", "not_sent")),
        taken=or_null(INSTANT),
        answer=or_null(TEXT),
        failed_attempts=COUNT,
        dead_since=or_null(INSTANT),
        muted_by_silence=or_null(COUNT),
        passed_on_from=or_null(COUNT),
    ),
    "IncidentFound": fields(
        incident=fields(
            **_SHORT,
            transitions=many(ref("Transition")),
            transitions_omitted=COUNT,
            told=many(ref("ToldOfIncident")),
            acks=many(fields(author=TEXT, note=or_null(TEXT), at=INSTANT)),
            silences=many(ref("Silence")),
            events=many(ref("Event")),
        )
    ),
}
"""Under the names that the routes refer to them by."""
