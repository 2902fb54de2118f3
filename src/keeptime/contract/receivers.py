"""The fields of `tell`: which receivers there are, and how each is addressed.

Guarantees: an address holds a URL, a path or a reference to one, never a resolved secret.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from keeptime.contract.addressing import UNNAMED, Kind, TargetShape, path_target, plain, url_target
from keeptime.contract.kinds import text_of
from keeptime.contract.lists import Forms, ListOf
from keeptime.contract.mailing import EMAIL
from keeptime.contract.nodes import Mapped, Node, Place, Scalar
from keeptime.contract.paging import APPRISE, PAGERDUTY, SLACK
from keeptime.contract.references import OneRef, Ref
from keeptime.contract.report import Report, nearest, one_of, quote
from keeptime.contract.shapes import Field, Placed, Row, Schema, Table, wrong_type
from keeptime.contract.urls import Url
from keeptime.model.alert import ALSO, Address

MOST_RECEIVERS = 20
MOST_SECRETS = 4

WEBHOOK_URL = url_target(
    Url(expected="webhook:URL, webhook:env:NAME or webhook:file:PATH", cure="write webhook:env:NAME")
)
ALERTMANAGER_URL = url_target(
    Url(
        expected="alertmanager:URL such as alertmanager:http://127.0.0.1:9093",
        cure="write alertmanager:env:NAME",
        query=False,
    )
)
_URL = "a URL, env:NAME or file:PATH"
WEBHOOK_TARGET = Field("url", TargetShape(WEBHOOK_URL, _URL), "Where to POST.", required=True)
WEBHOOK_SECRET = Field(
    "secret",
    Forms(
        OneRef(),
        listing=ListOf(Ref(), "references", MOST_SECRETS),
        or_else="env:NAME or file:PATH, or a list of them",
    ),
    "The signing secret (Standard Webhooks: whsec_… or, ed25519, whsk_…), by reference; each of several signs.",
)
ALERTMANAGER_TARGET = Field("url", TargetShape(ALERTMANAGER_URL, _URL), "Alertmanager's address.", required=True)
LOG_TARGET = Field("path", TargetShape(path_target, "a path"), "A file to append to.", required=True)


def _webhook(row: Row) -> Address:
    target, secrets = row.need(WEBHOOK_TARGET), row.get(WEBHOOK_SECRET, ())
    if not secrets:
        return _unsigned(target, row.place, row.report, row.what)
    first, *more = map(str, secrets)
    return Address(UNNAMED, "webhook", target, first, tuple((ALSO, each) for each in more))


def _short_webhook(text: str, place: Place, report: Report, what: str) -> Address:
    return _unsigned(WEBHOOK_URL(text, place, report, what), place, report, what)


def _unsigned(target: str, place: Place, report: Report, what: str) -> Address:
    message = f"{what}: messages go out unsigned; write {{webhook: {{url: …, secret: env:NAME}}}} to sign them"
    report.warning(place, "unsigned-webhook", message)
    return Address(UNNAMED, "webhook", target)


WEBHOOK_TABLE = Table("webhook", "A signed POST.", (WEBHOOK_TARGET, WEBHOOK_SECRET), _webhook)
ALERTMANAGER_TABLE = Table(
    "alertmanager",
    "Alertmanager's v2 API.",
    (ALERTMANAGER_TARGET,),
    lambda row: Address(UNNAMED, "alertmanager", row.need(ALERTMANAGER_TARGET)),
)
LOG_TABLE = Table(
    "log",
    "One line per message.",
    (LOG_TARGET,),
    lambda row: Address(UNNAMED, "log", row.need(LOG_TARGET)),
)

KNOWN_KINDS: Mapping[str, Kind] = {
    "webhook": Kind(_short_webhook, WEBHOOK_TABLE),
    "alertmanager": Kind(plain("alertmanager", ALERTMANAGER_URL), ALERTMANAGER_TABLE),
    "email": EMAIL,
    "slack": SLACK,
    "pagerduty": PAGERDUTY,
    "apprise": APPRISE,
    "log": Kind(plain("log", path_target), LOG_TABLE),
}
"""Receivers by kind, with the check of what follows the colon. One line per receiver."""


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
        return KNOWN_KINDS[kind].short(target, scalar.place, report, what)

    def _long(self, node: Mapped, report: Report, what: str) -> Address:
        kind, value = node.entries[0].key, node.entries[0].value
        self._check_kind(kind.text, ":", kind.place, report, what)
        if isinstance(value, Scalar):
            target = "" if value.empty else value.text
            return KNOWN_KINDS[kind.text].short(target, kind.place, report, what)
        table = KNOWN_KINDS[kind.text].table
        if not isinstance(value, Mapped):
            wrong_type(value, report, f"{what}.{kind.text}", table.expected)
        return table.read(value, report, f"{what}.{kind.text}")

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
        return tuple(kind.table for kind in KNOWN_KINDS.values())

    def schema(self) -> Schema:
        short = {"type": "string", "pattern": f"^({'|'.join(KNOWN_KINDS)}):"}
        forms = {
            name: {"anyOf": [{"type": ["string", "null"]}, kind.table.schema()]}
            for name, kind in KNOWN_KINDS.items()
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
