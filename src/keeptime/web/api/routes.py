"""Every route as it is described: what it is for, what it takes, what it answers.

Guarantees: one row for each row of the access table, which a test compares. A new route adds its row here, and what
it answers in `answers`. Scopes and the refusals that any route can answer are not written here but come from the
access table.
"""

from dataclasses import replace

from keeptime.web.api.described import CONTRACT, NAME, STORE, WRONG, Described, Parameter, page_parameters
from keeptime.web.api.evidence import EVIDENCE
from keeptime.web.api.marked import MARKED
from keeptime.web.api.pages import INCIDENT, INCIDENTS, LEDGER, PAGES, ZONE
from keeptime.web.api.past import PAST
from keeptime.web.api.posted import AT, AUTHOR, CALLED, CANNOT, NOTE, REASON, ROW, TEXT63
from keeptime.web.api.pushed import POSTED
from keeptime.web.api.report import REPORT
from keeptime.web.api.shapes import COUNT, INSTANT, TEXT, Schema, many, needs, one_of, only, or_null, ref
from keeptime.web.api.traced import TRACED
from keeptime.web.cards import WORST_FIRST

_CHOICES: tuple[tuple[str, Schema], ...] = (
    ("ids", many(ROW, 1)),
    ("contract", {**TEXT, "minLength": 1}),
    ("all", {"const": True}),
)


def _chosen(**more: Schema) -> Schema:
    """Dead letters, in exactly one way, and what has to be said beside."""
    return {"oneOf": [needs(only(**{name: schema, **more}), name, *more) for name, schema in _CHOICES]}


_KEY = Parameter(
    "Idempotency-Key",
    {**TEXT, "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    "Of this body: when it comes again within an hour, it is not counted again.",
    place="header",
)
_TOO_MANY = (413, "The body is too large, or holds too many items.")
_BUSY = (503, "Too much waits to be counted; `Retry-After` says when to come again.")

_OTLP_FORMS = ("application/x-protobuf", "application/json")
_OTLP: Schema = {"type": "object", "description": "As the OpenTelemetry protocol has it (opentelemetry-proto)."}
_OTLP_REFUSALS = ((400, "The body is no export of OTLP; `message` says where it stops making sense."), _BUSY)

_CONSUMER = Parameter("name", NAME, "A consumer of some contract.", required=True, place="path")
_NO_CONSUMER = ((404, "No contract has such a consumer."), STORE)

DESCRIBED = (
    Described(
        "GET", "/", "Every objective at one look, for people; 100 to a page, what needs a look first.",
        media=("text/html",),
        parameters=(
            Parameter("q", {**TEXT, "maxLength": 100}, "In the name of a contract, objective, model or provider."),
            Parameter("condition", one_of(("", *WORST_FIRST)), "Of this condition alone."),
            Parameter("page", {**TEXT, "pattern": "^[1-9][0-9]{0,4}$"}, "Which page."),
            ZONE,
        ),
        refusals=(WRONG,),
    ),
    *PAGES,
    Described(
        "GET", "/static/{name}", "What the page is drawn with.", media=("text/css", "image/svg+xml"),
        parameters=(
            Parameter("name", one_of(("keeptime.css", "keeptime.svg")), "A file.", required=True, place="path"),
        ),
        refusals=((404, "There is no such file."),),
    ),
    Described(
        "GET", "/status/{name}", "A consumer's status page.", media=("text/html",),
        parameters=(_CONSUMER, Parameter("refresh", TEXT, "off: the page does not ask again by itself.")),
        refusals=_NO_CONSUMER,
    ),
    Described(
        "GET", "/status/{name}/feed.atom", "What happened to a consumer's promises.",
        media=("application/atom+xml",), parameters=(_CONSUMER,), refusals=_NO_CONSUMER,
    ),
    Described(
        "GET", "/status/{name}/badge.svg", "How a consumer's promises stand, as a small picture.",
        media=("image/svg+xml",), parameters=(_CONSUMER,), refusals=_NO_CONSUMER,
    ),
    Described(
        "GET", "/metrics", "For Prometheus.", media=("text/plain", "application/openmetrics-text"),
    ),
    Described(
        "GET", "/probe", "One fresh probe, now; it is counted nowhere.", ref("Probe"), parameters=(CONTRACT,),
        refusals=(WRONG, (404, "No contract has this name."), (503, "The probe could not be sent.")),
    ),
    Described("GET", "/api/v1/contracts", "Every contract, and how its objectives stand.", ref("Contracts")),
    Described(
        "GET", "/api/v1/periods", "A contract's periods that are over, newest first.", ref("Periods"),
        parameters=(CONTRACT, *page_parameters(INSTANT, 10_000, 1000)),
        refusals=(WRONG, (404, "No contract has this name."), STORE),
    ),
    REPORT,
    *PAST,
    Described(
        "GET", "/api/v1/ledger", "What can be proven: the newest rows, or the next `after` one.", ref("Ledger"),
        parameters=LEDGER,
        refusals=(WRONG, STORE),
    ),
    Described(
        "GET", "/api/v1/ledger/head", "The ledger's newest row, as an anchor.", ref("LedgerHead"),
        refusals=(STORE,),
    ),
    Described(
        "GET", "/api/v1/outbox", "Messages that were not delivered, oldest first.", ref("Outbox"),
        parameters=(
            Parameter("dead", one_of(("true", "false")), "true: those that were given up."),
            *page_parameters({**COUNT, "maximum": 10**15 - 1}, 1000),
        ),
        refusals=(WRONG, STORE),
    ),
    Described(
        "POST", "/api/v1/outbox/replay", "Send dead letters again.", ref("Replayed"), posted=_chosen(),
        refusals=(WRONG, STORE),
    ),
    Described(
        "POST", "/api/v1/outbox/discard", "Forget dead letters.", ref("Discarded"),
        posted=_chosen(author=AUTHOR, reason=REASON), refusals=(WRONG, STORE),
    ),
    Described(
        "POST", "/api/v1/reload", "Read the contracts again, all of them or none.", ref("Reloaded"),
        posted=needs(only(author=AUTHOR), "author"),
        refusals=(WRONG, (422, "Refused: the old contracts go on; every mistake is named."), STORE),
        bodies=((422, "ReloadRefused"), (503, "ReloadRefused")),
    ),
    Described(
        "GET", "/api/v1/incidents", "What happened, newest first: each life of an alert.", ref("Incidents"),
        parameters=INCIDENTS,
        refusals=(WRONG, (404, "There is no incident to begin after."), STORE),
    ),
    Described(
        "GET", "/api/v1/incidents/{id}", "All that is known of one incident.", ref("IncidentFound"),
        parameters=(INCIDENT,),
        refusals=((404, "There is no such incident."), STORE),
    ),
    *TRACED,
    *EVIDENCE,
    Described(
        "GET", "/api/v1/live", "Says when a tick was judged, as server-sent events.", media=("text/event-stream",),
        refusals=((503, "Too many are told already."),),
    ),
    *MARKED,
    Described("GET", "/api/v1/openapi.json", "This description.", {"type": "object"}),
    Described(
        "GET", "/api/v1/silences", "Silences that are not over, oldest first.", ref("Silences"),
        parameters=(
            Parameter("all", one_of(("true", "false")), "true: also those that are over, newest first, by page."),
            *page_parameters({**COUNT, "maximum": 10**15 - 1}, 1000),
        ),
        refusals=(WRONG, STORE),
    ),
    Described(
        "POST", "/api/v1/silences", "Mute the operators of a contract for a while.", ref("SilenceMade"),
        posted=needs(
            only(contract=CALLED, objective=or_null(TEXT63), author=AUTHOR, reason=REASON, begins=or_null(AT),
                 ends=AT),
            "contract", "author", "reason", "ends",
        ),
        refusals=(WRONG, CANNOT, STORE),
    ),
    Described(
        "POST", "/api/v1/silences/end", "End a silence before its time.", ref("SilenceEnded"),
        posted=needs(only(id=ROW, author=AUTHOR, reason=or_null(NOTE)), "id", "author"),
        refusals=(WRONG, CANNOT, STORE),
    ),
    Described("GET", "/api/v1/acks", "Alerts that are open and acknowledged.", ref("Acks")),
    Described(
        "POST", "/api/v1/acks", "Take on what is open of a contract, or of one objective.", ref("Acks"),
        posted=needs(
            only(contract=CALLED, objective=or_null(TEXT63), author=AUTHOR, note=or_null(NOTE)),
            "contract", "author",
        ),
        refusals=(WRONG, CANNOT, STORE),
    ),
    Described(
        "POST", "/api/v1/push/{contract}", "Count requests that were served: one, several, or all totals.",
        ref("Taken"), parameters=(replace(CONTRACT, place="path"), _KEY), posted=POSTED,
        refusals=(
            (400, "The body cannot be read, or nothing of it was taken; `error` says why."),
            (404, "No contract has this name."),
            (409, "The contract does not ask for it, or not with this token."), _TOO_MANY, _BUSY,
        ),
        bodies=((400, "NothingTaken"),),
    ),
    Described(
        "GET", "/api/v1/traces", "Traces of a contract's requests that were slow or failed, and a few others.",
        ref("Traces"), parameters=(CONTRACT,), refusals=((404, "No contract has this name."),),
    ),
    Described(
        "POST", "/v1/metrics", "OTLP: histograms of requests that were served.", _OTLP, media=_OTLP_FORMS,
        posted=_OTLP, refusals=_OTLP_REFUSALS,
    ),
    Described(
        "POST", "/v1/traces", "OTLP: spans of requests that were served.", _OTLP, media=_OTLP_FORMS,
        posted=_OTLP, refusals=_OTLP_REFUSALS,
    ),
    Described(
        "GET", "/healthz", "Is keeptime itself well?", ref("Health"), refusals=((503, "It is not well."),),
        bodies=((503, "Health"),),
    ),
)  # fmt: skip
"""In the order of the access table."""
