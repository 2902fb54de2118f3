"""The fields of `observe`: probes of keeptime's own, or counts from an existing Prometheus.

Guarantees: a contract is observed in one way; what is promised and how it is observed fit each other.
"""

from dataclasses import dataclass, field

from keeptime.contract.attributes import ATTRIBUTES
from keeptime.contract.kinds import Choice, Duration, Whole
from keeptime.contract.lists import Forms
from keeptime.contract.nodes import Node
from keeptime.contract.probed import FRESH_ONLY, Kind, KindTerms, Probe
from keeptime.contract.probing.kinds import FIELDS, terms_of
from keeptime.contract.prometheus import PROMETHEUS
from keeptime.contract.report import Report, one_of
from keeptime.contract.shapes import Field, Row, Schema, Table
from keeptime.contract.terms import PrometheusSource
from keeptime.contract.traffic.kinds import FIELDS as TRAFFIC
from keeptime.contract.traffic.source import Traffic
from keeptime.model.sample import Connection

EVERY = Field(
    "every",
    Duration(0.001, 86_400, "10s"),
    "Send one probe per this time, on schedule, slow or not.",
    required=True,
)
TIMEOUT = Field(
    "timeout",
    Duration(0.001, 3600, "5s"),
    "After this a request is given up and is bad. At least the largest threshold of the contract; "
    "may be longer than `every`.",
    default="twice the largest threshold, at least 5s",
)
CONNECTION = Field(
    "connection",
    Choice(Connection),
    "A new connection for each probe (fresh), or the last one again (reuse).",
    default="fresh",
)
MAX_IN_FLIGHT = Field(
    "max_in_flight",
    Whole(1, 10_000),
    "With so many probes under way the next due one is not sent but counted as skipped.",
    default="64",
)
KIND = Field(
    "kind",
    Choice(Kind),
    "What is sent, and how the answer is read: a request (http), a completion of a language model as a stream "
    "(openai), or the endpoint's request with an answer of server-sent events (sse) or lines of JSON (ndjson).",
    default="http",
)


@dataclass(frozen=True, slots=True)
class ProbeDraft:
    """A probe whose timeout may still be unsaid."""

    every: float
    timeout: float | None
    connection: Connection
    max_in_flight: int
    attributes: tuple[tuple[str, str], ...] = ()
    kind: Kind = Kind.HTTP
    terms: KindTerms = field(default_factory=KindTerms)

    def finished(self, usual_timeout: float, model: str) -> Probe:
        timeout = usual_timeout if self.timeout is None else self.timeout
        return Probe(
            self.every,
            timeout,
            self.connection,
            self.max_in_flight,
            self.attributes,
            self.kind,
            self.terms.named(model),
        )


def _probe(row: Row) -> ProbeDraft:
    kind = row.get(KIND, Kind.HTTP)
    if kind in FRESH_ONLY and row.get(CONNECTION, Connection.FRESH) is Connection.REUSE:
        message = f"{row.what}.connection: a probe of kind {kind} opens one for each request; expected fresh"
        raise row.report.spoil(row.place_of(CONNECTION), "not-of-this-kind", message)
    return ProbeDraft(
        row.need(EVERY),
        row.get(TIMEOUT, None),
        row.get(CONNECTION, Connection.FRESH),
        row.get(MAX_IN_FLIGHT, 64),
        tuple(row.get(ATTRIBUTES, {}).items()),
        kind,
        terms_of(kind, row),
    )


PROBE_TABLE = Table(
    "probe",
    "Send a request at fixed times.",
    (EVERY, TIMEOUT, CONNECTION, MAX_IN_FLIGHT, ATTRIBUTES, KIND, *FIELDS),
    _probe,
)


@dataclass(frozen=True)
class ShortProbe:
    """`probe: 10s`."""

    expected: str = "a duration such as 10s, or a mapping with every"

    def read(self, node: Node, report: Report, what: str) -> ProbeDraft:
        return ProbeDraft(EVERY.shape.read(node, report, what), None, Connection.FRESH, 64)

    def schema(self) -> Schema:
        return EVERY.shape.schema()


PROBE = Field(
    "probe",
    Forms(ShortProbe(), mapping=PROBE_TABLE),
    "Send requests of keeptime's own: a mapping, or only how often (`probe: 10s`).",
)
Observing = ProbeDraft | PrometheusSource | Traffic
KINDS: tuple[Field[Observing], ...] = (PROBE, PROMETHEUS, *TRAFFIC)


def _observer(row: Row) -> Observing:
    found = [each for kind in KINDS if (each := row.find(kind)) is not None]
    if len(found) == 1:
        return found[0].value
    row.sound()
    said = f"is given {len(found)}" if found else "is given none"
    expected = one_of([each.key for each in KINDS])
    raise row.report.spoil(row.place, "one-observer", f"{row.what}: {said}; expected one of {expected}")


OBSERVE_TABLE = Table("observe", "One way to observe requests.", KINDS, _observer)
"""One entry of `observe`."""
