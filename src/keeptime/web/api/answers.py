"""What the API answers with, as JSON Schemas by name.

Guarantees: the values of an enumeration are those of the program. A test holds every answer against these, and
finds a field that is not here.
"""

from keeptime.contract.terms import PolicyKind
from keeptime.model.alert import Aside, Topic
from keeptime.model.compliance import Basis, Compliance
from keeptime.model.ledger import LedgerKind
from keeptime.model.sample import Connection, Failure
from keeptime.model.verdict import Condition, Severity, TierState
from keeptime.web.api.evidence import EVIDENCE_ANSWERS
from keeptime.web.api.happened import INCIDENTS
from keeptime.web.api.marked import MARKED_ANSWERS
from keeptime.web.api.past import PAST_ANSWERS
from keeptime.web.api.pushed import INTAKE
from keeptime.web.api.quieted import QUIET_ANSWERS
from keeptime.web.api.report import REPORT_ANSWERS
from keeptime.web.api.shapes import (
    ANCHOR,
    COUNT,
    FLAG,
    HASH,
    INSTANT,
    NUMBER,
    RATIO,
    SECONDS,
    TEXT,
    Schema,
    fields,
    many,
    mapping,
    one_of,
    or_null,
    pair,
    ref,
)
from keeptime.web.api.traced import TRACED_ANSWERS

_EVENTS = {"good": COUNT, "bad": COUNT, "skipped": COUNT}
_PERIOD = {
    "name": TEXT,
    "promise": TEXT,
    "start": INSTANT,
    "end": INSTANT,
    "since": or_null(INSTANT),
    "target": RATIO,
    "basis": one_of(Basis),
    **_EVENTS,
    "missing": COUNT,
    "excluded": COUNT,
}
_SAID = {"state": one_of(Compliance), "interval": pair(RATIO), "needed": or_null(COUNT), "reason": TEXT}
_TIER_OF_CREDIT = or_null(fields(below=RATIO, credit=RATIO))
_TERMS = {
    "name": TEXT,
    "promise": TEXT,
    "internal": FLAG,
    "segment": or_null(fields(of=TEXT, values=mapping(TEXT))),
    "from_": or_null(INSTANT),
    "until": or_null(INSTANT),
    "credits": or_null(fields(tiers=many(ref("CreditTier")), cap=or_null(RATIO), of=or_null(TEXT))),
}
_SIDE = {"good": COUNT, "bad": COUNT, "sli": or_null(RATIO), "interval": or_null(pair(RATIO))}
_CONTRACT_VERSION = fields(contract=TEXT, version=TEXT)
_LEADER = fields(holder=TEXT, url=TEXT, since=INSTANT)
_PAIR: Schema = {
    **fields(leads=FLAG, may_send=FLAG, term=COUNT, leader=or_null(_LEADER)),
    "description": "Of a pair; absent where there is only one.",
}
_QUANTILE = fields(value=or_null(SECONDS), low=SECONDS, high=or_null(SECONDS))

ANSWERS: dict[str, Schema] = {
    "Error": {**fields(error=TEXT), "description": "Why it is no success, in a sentence."},
    "Health": {
        "description": "Where tokens are asked for, `healthy` alone.",
        "type": "object",
        "required": ["healthy"],
        "properties": {
            "healthy": FLAG,
            "started": INSTANT,
            "uptime_seconds": NUMBER,
            "last_tick_age_seconds": or_null(SECONDS),
            "last_commit_at": or_null(INSTANT),
            "problems": many(TEXT),
            "pair": _PAIR,
        },
    },
    "CreditTier": fields(below=RATIO, credit=RATIO),
    "Credit": fields(
        due=RATIO, due_at_most=RATIO, tier=_TIER_OF_CREDIT, tier_at_most=_TIER_OF_CREDIT, of=or_null(TEXT)
    ),
    "Probe": fields(
        contract=TEXT,
        success=FLAG,
        latency_seconds=SECONDS,
        status=or_null({"type": "integer"}),
        failure=or_null(one_of(Failure)),
        phases=fields(dns=SECONDS, connect=SECONDS, tls=SECONDS, write=SECONDS, wait=SECONDS, transfer=SECONDS),
        at=INSTANT,
        size_bytes=COUNT,
        connection=one_of(Connection),
        stream=or_null(ref("Stream")),
        detail=TEXT,
    ),
    "Stream": fields(
        first_token_seconds=or_null(SECONDS),
        output_token_seconds=or_null(SECONDS),
        inter_token=or_null(fields(p50=SECONDS, p99=SECONDS, max=SECONDS)),
        tokens=COUNT,
        tokens_per_second=or_null(NUMBER),
        closed_seconds=or_null(SECONDS),
        merged_reads=COUNT,
    ),
    "Window": fields(seconds=SECONDS, good=COUNT, bad=COUNT, burn_rate=or_null(NUMBER)),
    "Tier": fields(
        name=TEXT,
        severity=one_of(Severity),
        state=one_of(TierState),
        burn_limit=NUMBER,
        windows=many(ref("Window")),
        run=or_null(ref("Window")),
        cleared=or_null(RATIO),
    ),
    "Forecast": fields(
        miss_chance=RATIO,
        until=INSTANT,
        ends_at=or_null(INSTANT),
        ends_between=or_null(pair(or_null(INSTANT))),
        days=NUMBER,
    ),
    "Compliance": fields(
        **_SAID,
        period=fields(**_PERIOD),
        last=or_null(fields(**_SAID, **_PERIOD, credit=or_null(ref("Credit")))),
    ),
    "Objective": fields(
        **_TERMS,
        target=RATIO,
        threshold_seconds=or_null(SECONDS),
        policy=one_of(PolicyKind),
        condition=or_null(one_of(Condition)),
        severity=or_null(one_of(Severity)),
        since=or_null(INSTANT),
        at=or_null(INSTANT),
        window_seconds=or_null(SECONDS),
        **{name: or_null(COUNT) for name in (*_EVENTS, "excluded")},
        sli=or_null(RATIO),
        burn_rate=or_null(NUMBER),
        budget=or_null(fields(total=NUMBER, spent=NUMBER, left=NUMBER)),
        exhausted_in_seconds=or_null(SECONDS),
        forecast=or_null(ref("Forecast")),
        tiers=many(ref("Tier")),
        reason=TEXT,
        silence=or_null(fields(id=COUNT, author=TEXT, reason=TEXT, ends=INSTANT)),
        acknowledged=or_null(fields(author=TEXT, note=or_null(TEXT), at=INSTANT)),
        compliance=or_null(ref("Compliance")),
        beside=or_null(ref("Beside")),
    ),
    "Beside": fields(
        seconds=SECONDS,
        sli=or_null(pair(RATIO)),
        probe=or_null(fields(**_SIDE)),
        traffic=fields(**_SIDE, undecided=COUNT),
        disagreement=or_null(TEXT),
    ),
    "Delivery": fields(
        audience=TEXT,
        receiver=TEXT,
        delivered=COUNT,
        failed_attempts=COUNT,
        waiting=COUNT,
        oldest_waiting_seconds=or_null(SECONDS),
        last_error=or_null(TEXT),
        dead_letters=COUNT,
        dead_reason=or_null(TEXT),
        muted=COUNT,
    ),
    "Told": fields(
        audience=TEXT,
        notify_within_seconds=SECONDS,
        target=RATIO,
        window_seconds=SECONDS,
        in_time=COUNT,
        late=COUNT,
        waiting=COUNT,
        share=or_null(RATIO),
        compliance=one_of(Compliance),
    ),
    "Latency": {
        "type": "object",
        "required": ["seconds", "requests"],
        "properties": {"seconds": SECONDS, "requests": COUNT},
        "patternProperties": {r"^p[0-9.]+$": _QUANTILE},
    },
    "Contract": fields(
        contract=TEXT,
        provider=TEXT,
        model=TEXT,
        endpoint=TEXT,
        source_problem=or_null(TEXT),
        version=TEXT,
        requests=COUNT,
        failures=mapping(COUNT),
        probes_skipped=COUNT,
        in_flight=COUNT,
        last_probe=or_null(ref("Probe")),
        latency=or_null(ref("Latency")),
        latency_by_signal=mapping(ref("Latency")),
        traffic=many(
            fields(
                kind=TEXT,
                what=TEXT,
                requests=COUNT,
                results=mapping(COUNT),
                problem=or_null(TEXT),
                at=or_null(INSTANT),
            )
        ),
        objectives=many(ref("Objective")),
        together=many(
            fields(name=TEXT, all=many(TEXT), condition=or_null(one_of(Condition)), compliance=one_of(Compliance))
        ),
        other_terms=many(fields(**_TERMS)),
        stated=fields(duties=mapping(TEXT), vantage=or_null(TEXT), token_basis=or_null(TEXT)),
        deliveries=many(ref("Delivery")),
        told=many(ref("Told")),
    ),
    "Contracts": fields(
        at=INSTANT,
        tick_seconds=SECONDS,
        reload_error=or_null(TEXT),
        ledger=ANCHOR,
        contracts=many(ref("Contract")),
    ),
    "Periods": fields(
        contract=TEXT,
        periods=many(fields(objective=TEXT, **_SAID, **_PERIOD, credit=or_null(ref("Credit")))),
        together=many(
            fields(
                promise=TEXT,
                name=TEXT,
                all=many(TEXT),
                state=one_of(Compliance),
                credit=or_null(fields(due=RATIO, due_at_most=RATIO)),
            )
        ),
        next=or_null(INSTANT),
        ledger=ANCHOR,
    ),
    "LedgerHead": fields(seq=COUNT, hash=HASH, anchor=ANCHOR),
    "LedgerRow": fields(
        seq=COUNT,
        at=INSTANT,
        kind=one_of(LedgerKind),
        contract=TEXT,
        fields={"type": "object"},
        previous=HASH,
        hash=HASH,
    ),
    "Ledger": fields(ledger=many(ref("LedgerRow")), next=or_null(COUNT), head=ref("LedgerHead")),
    "Letter": fields(
        id=COUNT,
        message_id=TEXT,
        contract=TEXT,
        objective=TEXT,
        audience=TEXT,
        receiver=TEXT,
        topic=one_of([*Topic, Aside.SERVICE, Aside.EXPLAINED, Aside.REPORT]),
        created=INSTANT,
        attempts=COUNT,
        next_try=or_null(INSTANT),
        dead_since=or_null(INSTANT),
        error=or_null(TEXT),
        muted_by_silence=or_null(COUNT),
    ),
    "Outbox": fields(outbox=many(ref("Letter")), next=or_null(COUNT)),
    "Replayed": fields(replayed=COUNT),
    "Discarded": fields(discarded=COUNT),
    **QUIET_ANSWERS,
    **INTAKE,
    **PAST_ANSWERS,
    **REPORT_ANSWERS,
    **TRACED_ANSWERS,
    **EVIDENCE_ANSWERS,
    **INCIDENTS,
    **MARKED_ANSWERS,
    "Reloaded": fields(
        reloaded={"const": True},
        added=many(_CONTRACT_VERSION),
        removed=many(_CONTRACT_VERSION),
        changed=many(fields(contract=TEXT, from_=TEXT, to=TEXT)),
        unchanged=COUNT,
    ),
    "ReloadRefused": fields(
        error=TEXT,
        reloaded={"const": False},
        problems=many(
            fields(file=TEXT, line=COUNT, column=COUNT, severity=TEXT, code=TEXT, message=TEXT),
        ),
    ),
}
