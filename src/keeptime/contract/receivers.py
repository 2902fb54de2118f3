"""The fields of `tell`: which receivers there are, and how each is addressed.

Guarantees: an address holds a URL, a path or a reference to one, never a resolved secret.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from keeptime.contract.kinds import text_of
from keeptime.contract.lists import ListOf
from keeptime.contract.nodes import Mapped, Node, Place, Scalar
from keeptime.contract.references import Ref, parse_ref
from keeptime.contract.report import Report, nearest, one_of, quote
from keeptime.contract.shapes import Field, Placed, Row, Schema, Table, wrong_type
from keeptime.contract.terms import SecretRef
from keeptime.contract.urls import Url
from keeptime.model.alert import Address

MOST_RECEIVERS = 20
_UNNAMED = ""
"""Audience of an address until its consumer is known."""

Target = Callable[[str, Place, Report, str], str]


def _url_target(url: Url) -> Target:
    def read(text: str, place: Place, report: Report, what: str) -> str:
        ref = parse_ref(text, place, report, what)
        return str(ref) if ref is not None else url.parse(text, place, report, what)

    return read


def _path_target(text: str, place: Place, report: Report, what: str) -> str:
    """Empty: keeptime's own log."""
    if len(text) > 1000 or not (text == "" or text.isprintable()):
        raise report.spoil(place, "bad-receiver", f"{what}: {quote(text)} is no path")
    return report.path(text) if text else ""


WEBHOOK_URL = Url(expected="webhook:URL, webhook:env:NAME or webhook:file:PATH", cure="write webhook:env:NAME")
ALERTMANAGER_URL = Url(
    expected="alertmanager:URL such as alertmanager:http://127.0.0.1:9093",
    cure="write alertmanager:env:NAME",
    query=False,
)
KNOWN_KINDS: Mapping[str, Target] = {
    "webhook": _url_target(WEBHOOK_URL),
    "alertmanager": _url_target(ALERTMANAGER_URL),
    "log": _path_target,
}
"""Receivers by kind, with the check of what follows the colon. One line per receiver."""


@dataclass(frozen=True)
class TargetShape:
    """The target of one kind, without the kind before it."""

    kind: str
    expected: str

    def read(self, node: Node, report: Report, what: str) -> str:
        scalar = text_of(node, report, what, self.expected)
        return KNOWN_KINDS[self.kind](scalar.text, scalar.place, report, what)

    def schema(self) -> Schema:
        return {"type": "string"}


WEBHOOK_TARGET = Field(
    "url", TargetShape("webhook", "a URL, env:NAME or file:PATH"), "Where to POST.", required=True
)
WEBHOOK_SECRET = Field("secret", Ref(), "The signing secret (Standard Webhooks, whsec_…), by reference.")
ALERTMANAGER_TARGET = Field(
    "url", TargetShape("alertmanager", "a URL, env:NAME or file:PATH"), "Alertmanager's address.", required=True
)
LOG_TARGET = Field("path", TargetShape("log", "a path"), "A file to append to.", required=True)


def _webhook(row: Row) -> Address:
    secret = row.get(WEBHOOK_SECRET, None)
    return _address("webhook", row.need(WEBHOOK_TARGET), secret, row.place, row.report, row.what)


WEBHOOK_TABLE = Table("webhook", "A signed POST.", (WEBHOOK_TARGET, WEBHOOK_SECRET), _webhook)
ALERTMANAGER_TABLE = Table(
    "alertmanager",
    "Alertmanager's v2 API.",
    (ALERTMANAGER_TARGET,),
    lambda row: Address(_UNNAMED, "alertmanager", row.need(ALERTMANAGER_TARGET)),
)
LOG_TABLE = Table(
    "log",
    "One line per message.",
    (LOG_TARGET,),
    lambda row: Address(_UNNAMED, "log", row.need(LOG_TARGET)),
)
LONG_TABLES: Mapping[str, Table[Address]] = {
    "webhook": WEBHOOK_TABLE,
    "alertmanager": ALERTMANAGER_TABLE,
    "log": LOG_TABLE,
}


def _address(kind: str, target: str, secret: SecretRef | None, place: Place, report: Report, what: str) -> Address:
    if kind == "webhook" and secret is None:
        message = f"{what}: messages go out unsigned; write {{webhook: {{url: …, secret: env:NAME}}}} to sign them"
        report.warning(place, "unsigned-webhook", message)
    return Address(_UNNAMED, kind, target, "" if secret is None else str(secret))


@dataclass(frozen=True)
class ReceiverShape:
    """`kind:target`, or `{kind: target}`, or `{kind: {…}}`."""

    expected: str = "a receiver such as webhook:env:NAME, alertmanager:URL or log:"

    def read(self, node: Node, report: Report, what: str) -> Address:
        if isinstance(node, Mapped) and len(node.entries) == 1:
            return self._long(node, report, what)
        scalar = text_of(node, report, what, self.expected)
        kind, colon, target = scalar.text.partition(":")
        self._check_kind(kind, colon, scalar.place, report, what)
        return self._short(kind, target, scalar.place, report, what)

    def _short(self, kind: str, target: str, place: Place, report: Report, what: str) -> Address:
        return _address(kind, KNOWN_KINDS[kind](target, place, report, what), None, place, report, what)

    def _long(self, node: Mapped, report: Report, what: str) -> Address:
        kind, value = node.entries[0].key, node.entries[0].value
        self._check_kind(kind.text, ":", kind.place, report, what)
        if isinstance(value, Scalar):
            target = "" if value.empty else value.text
            return self._short(kind.text, target, kind.place, report, what)
        if not isinstance(value, Mapped):
            wrong_type(value, report, f"{what}.{kind.text}", LONG_TABLES[kind.text].expected)
        return LONG_TABLES[kind.text].read(value, report, f"{what}.{kind.text}")

    def _check_kind(self, kind: str, colon: str, place: Place, report: Report, what: str) -> None:
        if kind in KNOWN_KINDS and colon:
            return
        kinds = list(KNOWN_KINDS)
        if kind in KNOWN_KINDS:
            message = f"{what}: '{kind}' has no colon; write {kind}:"
        else:
            hint = nearest(kind, kinds)
            message = (
                f"{what}: unknown receiver {quote(kind)}; expected {one_of([f'{each}:' for each in kinds])}{hint}"
            )
        raise report.spoil(place, "unknown-receiver", message)

    def tables(self) -> tuple[Table[object], ...]:
        return tuple(LONG_TABLES.values())

    def schema(self) -> Schema:
        short = {"type": "string", "pattern": f"^({'|'.join(KNOWN_KINDS)}):"}
        forms = {
            kind: {"anyOf": [{"type": ["string", "null"]}, LONG_TABLES[kind].schema()]} for kind in KNOWN_KINDS
        }
        mapping = {"type": "object", "properties": forms, "additionalProperties": False}
        return {"anyOf": [short, {**mapping, "minProperties": 1, "maxProperties": 1}]}


def _once(addresses: Sequence[Placed[Address]], report: Report, what: str) -> None:
    seen: dict[str, Place] = {}
    for address in addresses:
        if first := seen.get(address.value.id):
            message = f"{what}: the same receiver is already in line {first.line}; a message is sent to it once"
            report.error(address.place, "duplicate-receiver", message)
        seen.setdefault(address.value.id, address.place)


TELL_SHAPE = ListOf(ReceiverShape(), "receivers", MOST_RECEIVERS, across=_once)


def addressed(audience: str, addresses: Sequence[Address]) -> tuple[Address, ...]:
    """The same addresses, as this audience's."""
    return tuple(replace(address, audience=audience) for address in addresses)
