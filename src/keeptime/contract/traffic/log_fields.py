"""The fields `fields` of `observe: - log:`: where in a line of an access log things stand.

Guarantees: latency, its unit and the status are always known; of a template, every variable that is named is in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from keeptime.contract.kinds import Choice, Text
from keeptime.contract.nodes import Place
from keeptime.contract.report import quote
from keeptime.contract.shapes import Field, Row, Table
from keeptime.contract.traffic.log_format import JSON, Unit, is_envoy, parts_of


class Moment(StrEnum):
    """What a line's time is of."""

    END = "end"
    START = "start"


@dataclass(frozen=True, slots=True)
class Fields:
    """Which variable, or which field of a JSON line, says what; "" where none does."""

    latency: str
    unit: Unit
    status: str
    time: str = ""
    time_of: Moment = Moment.END
    method: str = ""
    path: str = ""
    flags: str = ""
    first_token: str = ""
    tokens: str = ""


_NAME = Text("the name of a variable or field")
LATENCY = Field(
    "latency",
    _NAME,
    "How long a request took. For json it must be said, with its `unit`.",
    default="request_time (nginx), DURATION (Envoy)",
)
UNIT = Field("unit", Choice(Unit), "What the latency is counted in.", default="s (nginx), ms (Envoy)")
STATUS = Field("status", _NAME, "The status of the answer.", default="status (nginx, json), RESPONSE_CODE (Envoy)")
TIME = Field(
    "time",
    _NAME,
    "When it was: Unix seconds (or ms, us, ns), ISO 8601, or as nginx writes it.",
    default="msec, time_iso8601 or time_local (nginx), START_TIME (Envoy); a line without one is of now",
)
TIME_OF = Field(
    "time_of",
    Choice(Moment),
    "Whether that is the end of the request or its start.",
    default="end; start for Envoy",
)
METHOD = Field("method", _NAME, "The method, for the attribute `method`.", default="as the format has it")
PATH = Field("path", _NAME, "What was asked for, for the attribute `path`.", default="as the format has it")
FLAGS = Field("flags", _NAME, "Envoy's response flags.", default="RESPONSE_FLAGS for Envoy")
FIRST_TOKEN = Field(
    "first_token",
    _NAME,
    "When the first token came, counted like the latency. A line without it was no stream.",
    default="not told",
)
TOKENS = Field(
    "tokens", _NAME, "How many tokens there were, beside `first_token`, for `output_token`.", default="not told"
)

_ROWS: tuple[Field[str], ...] = (
    *(LATENCY, UNIT, STATUS, TIME, TIME_OF, METHOD, PATH, FLAGS),
    *(FIRST_TOKEN, TOKENS),
)
_USUAL: Mapping[bool, Mapping[str, Sequence[str]]] = {
    False: {
        "latency": ("request_time",),
        "status": ("status",),
        "time": ("msec", "time_iso8601", "time_local"),
        "method": ("request_method", "request"),
        "path": ("uri", "request_uri", "request"),
    },
    True: {
        "latency": ("DURATION",),
        "status": ("RESPONSE_CODE",),
        "time": ("START_TIME", "START_TIME(%s.%3f)", "START_TIME(%s)"),
        "method": ("REQ(:METHOD)",),
        "path": ("REQ(X-ENVOY-ORIGINAL-PATH?:PATH)", "REQ(:PATH)", "REQ_WITHOUT_QUERY(:PATH)", "PATH(NQ)"),
        "flags": ("RESPONSE_FLAGS",),
    },
}
"""Of Envoy or of nginx: what says each thing, the best first."""


def _given(row: Row) -> Mapping[str, str]:
    return {each.key: str(row.need(each)) for each in _ROWS if row.find(each) is not None}


FIELDS = Field(
    "fields",
    Table("fields", "Where in a line things stand.", _ROWS, _given),
    "Where in a line things stand. For json it must be said.",
)


def bare(name: str) -> str:
    """A variable's name without what marks it in a template."""
    return name.strip("$%").strip("{}") if name.startswith(("$", "%")) else name


def fields_of(row: Row, format: str, at: Place) -> Fields:
    """What was given, with what the format, which stands at this place, says itself. Raises Spoiled."""
    given = {key: bare(value) for key, value in row.get(FIELDS, {}).items()}
    if format == JSON:
        return _of_json(row, given)
    envoy = is_envoy(format)
    present = {each.text for each in parts_of(format) if each.variable}
    found = {role: next((each for each in names if each in present), "") for role, names in _USUAL[envoy].items()}
    found |= given
    for role in ("latency", "status"):
        if not found[role]:
            raise _missing(row, at, role, "%" if envoy else "$", _USUAL[envoy][role][0])
    for role, name in given.items():
        if role not in ("unit", "time_of") and name not in present:
            raise absent(row, f"fields.{role}", name)
    usual = {"unit": Unit.MS, "time_of": Moment.START} if envoy else {"unit": Unit.S, "time_of": Moment.END}
    return _made({**usual, **found})


def absent(row: Row, where: str, name: str) -> Exception:
    """A variable is named that the format does not have."""
    message = f"{row.what}.{where}: the format does not have {quote(name)}; expected one of its variables"
    return row.report.spoil(row.place_of(FIELDS), "bad-log-format", message)


def _of_json(row: Row, given: Mapping[str, str]) -> Fields:
    for role in ("latency", "unit"):
        if role not in given:
            message = f"{row.what}.fields: the key '{role}' is missing; json has no usual one"
            raise row.report.spoil(row.place_of(FIELDS), "bad-log-format", message)
    return _made({"status": "status", **given})


def _made(found: Mapping[str, str]) -> Fields:
    return Fields(
        latency=found["latency"],
        unit=Unit(found["unit"]),
        status=found["status"],
        time=found.get("time", ""),
        time_of=Moment(found.get("time_of", "end")),
        method=found.get("method", ""),
        path=found.get("path", ""),
        flags=found.get("flags", ""),
        first_token=found.get("first_token", ""),
        tokens=found.get("tokens", ""),
    )


def _missing(row: Row, at: Place, role: str, mark: str, usual: str) -> Exception:
    what = {"latency": "how long a request took", "status": "whether a request failed"}[role]
    name = f"{mark}{usual}{'%' if mark == '%' else ''}"
    message = f"{row.what}.format: nothing says {what}; expected {name} in it, or 'fields: {{{role}: …}}'"
    return row.report.spoil(at, "bad-log-format", message)
