"""The report's route as it is described, and what it answers as JSON.

Guarantees: the fields are those of `keeptime report --json`.
"""

from keeptime.contract.calendar import PERIOD_NAME
from keeptime.model.compliance import Basis, Compliance
from keeptime.model.exclusion import ExclusionKind
from keeptime.web.api.described import CONTRACT, NAME, WRONG, Described, Parameter
from keeptime.web.api.shapes import (
    ANCHOR,
    COUNT,
    FLAG,
    INSTANT,
    RATIO,
    TEXT,
    Schema,
    fields,
    many,
    one_of,
    or_null,
    pair,
    ref,
)
from keeptime.web.report import FORMS

REPORT = Described(
    "GET", "/api/v1/report", "A period's report, as `keeptime report` writes it.", ref("Report"),
    media=tuple(each.partition(";")[0] for each in FORMS.values()),
    parameters=(
        CONTRACT,
        Parameter("period", {**TEXT, "pattern": f"^{PERIOD_NAME}$"}, "Its name, such as 2026-10.", required=True),
        Parameter("consumer", NAME, "For this consumer: only what concerns it."),
        Parameter("format", one_of(FORMS), "json unless given."),
    ),
    refusals=(
        WRONG,
        (404, "Nothing is kept of this contract, period or consumer; `error` says what there is."),
        (409, "It cannot be made here; `error` says what is missing."),
        (503, "The store cannot be read now, or too many ask at once (`Retry-After`)."),
    ),
)  # fmt: skip

_COUNTS = dict.fromkeys(("good", "bad", "skipped", "missing", "excluded"), COUNT)
_DELIVERY = fields(audience=TEXT, receiver=or_null(TEXT), state=TEXT, at=or_null(INSTANT))
_MESSAGE = fields(id=TEXT, at=INSTANT, topic=TEXT, reason=TEXT, deliveries=many(_DELIVERY))

REPORT_ANSWERS: dict[str, Schema] = {
    "Report": fields(
        contract=TEXT,
        provider=TEXT,
        model=TEXT,
        version=TEXT,
        consumer=or_null(TEXT),
        period=TEXT,
        over=FLAG,
        as_of=INSTANT,
        compliance=one_of(Compliance),
        objectives=many(ref("Reported")),
        together=many(
            fields(
                promise=TEXT,
                all=many(TEXT),
                state=one_of(Compliance),
                credit=or_null(fields(due=RATIO, due_at_most=RATIO)),
            )
        ),
        ledger_head=ANCHOR,
    ),
    "Reported": fields(
        name=TEXT,
        promise=TEXT,
        compliance=one_of(Compliance),
        reason=TEXT,
        **_COUNTS,
        sli=or_null(RATIO),
        interval=pair(RATIO),
        target=RATIO,
        basis=one_of(Basis),
        needed=or_null(COUNT),
        timezone=TEXT,
        start=INSTANT,
        end=INSTANT,
        since=INSTANT,
        over=FLAG,
        credit=or_null(ref("Credit")),
        days=many(fields(day=TEXT, **_COUNTS)),
        exclusions=many(fields(kind=one_of(ExclusionKind), reason=TEXT, author=or_null(TEXT), events=COUNT)),
        alerts=many(fields(began=INSTANT, ended=or_null(INSTANT), topics=many(TEXT), messages=many(_MESSAGE))),
    ),
}
"""Under the names that the routes refer to them by."""
