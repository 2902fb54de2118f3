"""The routes of the past as they are described, and what they answer.

Guarantees: a bucket's null is written where nothing was lived through.
"""

from keeptime.model.key import Signal
from keeptime.web.api.described import CONTRACT, NAME, STORE, WRONG, Described, Parameter
from keeptime.web.api.excluded import EXCLUDED, EXCLUDED_ANSWERS
from keeptime.web.api.shapes import (
    COUNT,
    INSTANT,
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

_RANGE = (
    Parameter("start", INSTANT, "Where the range begins; a day before its end unless given."),
    Parameter("end", INSTANT, "Where it ends; now unless given."),
    Parameter(
        "points",
        {"type": "integer", "minimum": 2, "maximum": 2000},
        "Buckets at most; 300 unless given. They are as short as that and what is kept allow.",
    ),
)
_REFUSED = (WRONG, (404, "There is no such contract, or it has no such objective."), STORE)

PAST = (
    *EXCLUDED,
    Described(
        "GET", "/api/v1/series", "An objective's counts over a range, in buckets.", ref("Series"),
        parameters=(CONTRACT, Parameter("objective", NAME, "The objective's name.", required=True), *_RANGE),
        refusals=_REFUSED,
    ),
    Described(
        "GET", "/api/v1/latency", "Percentiles and bands of latency over a range.", ref("LatencySeries"),
        parameters=(CONTRACT, Parameter("signal", one_of(Signal), "Of what; requests unless given."), *_RANGE),
        refusals=_REFUSED,
    ),
    Described(
        "GET", "/api/v1/phases", "Where the time of probes that succeeded went, over a range.", ref("PhaseSeries"),
        parameters=(CONTRACT, *_RANGE), refusals=(WRONG, (404, "There is no such contract."), STORE),
    ),
)  # fmt: skip
"""In the order of the access table."""

_SPAN: dict[str, Schema] = {"start": INSTANT, "end": INSTANT, "lived": RATIO}
_STEP = or_null(SECONDS)
_QUANTILE = fields(value=or_null(SECONDS), low=SECONDS, high=or_null(SECONDS))

PAST_ANSWERS: dict[str, Schema] = {
    **EXCLUDED_ANSWERS,
    "Series": fields(
        contract=TEXT,
        objective=TEXT,
        target=RATIO,
        threshold_seconds=or_null(SECONDS),
        step_seconds=_STEP,
        points=many(
            fields(
                **_SPAN,
                **{name: or_null(COUNT) for name in ("good", "bad", "skipped", "excluded")},
                sli=or_null(RATIO),
            )
        ),
    ),
    "PhaseSeries": fields(
        contract=TEXT,
        step_seconds=_STEP,
        points=many(fields(**_SPAN, probes=or_null(COUNT), seconds=or_null(mapping(SECONDS)))),
    ),
    "LatencySeries": fields(
        contract=TEXT,
        signal=one_of(Signal),
        thresholds_seconds=many(SECONDS),
        step_seconds=_STEP,
        bands=many(pair(SECONDS)),
        points=many(
            fields(
                **_SPAN,
                requests=or_null(COUNT),
                **{name: or_null(_QUANTILE) for name in ("p50", "p95", "p99")},
                bands=or_null(many(COUNT)),
            )
        ),
    ),
}
