"""The fields of `consumers` and `operators`: who is told, where, and about what."""

from collections.abc import Sequence
from dataclasses import replace

from keeptime.contract.deadman import PING, SIGN_OF_LIFE
from keeptime.contract.escalating import ACK_WITHIN, ESCALATE, NOTIFY_WITHIN, acknowledged, urgency
from keeptime.contract.kinds import Choice, Label
from keeptime.contract.lists import ListOf
from keeptime.contract.nodes import Place
from keeptime.contract.receivers import TELL_SHAPE, addressed
from keeptime.contract.report import Report
from keeptime.contract.reported import REPORT, regular
from keeptime.contract.shapes import Field, Placed, Row, Table
from keeptime.contract.terms import Consumer, Contract
from keeptime.contract.urgency import OnCall
from keeptime.model.alert import OPERATORS, Address, Topic

MOST_CONSUMERS = 100

ASKED_FOR = tuple(each for each in Topic if each is not Topic.WITHDRAWN)
"""Topics that a consumer may choose from."""

CONSUMER_NAME = Field("name", Label("name"), "Who the promise was made to.", required=True)
TELL = Field("tell", TELL_SHAPE, "The receivers that messages go to.", required=True)
ABOUT = Field(
    "about",
    ListOf(Choice(Topic, "unknown-topic", ASKED_FOR), "topics", most=len(ASKED_FOR)),
    "What this consumer hears of.",
    default="[at_risk, broken, recovered, no_data]",
)
HEARTBEAT = Field(
    "heartbeat",
    SIGN_OF_LIFE,
    "How often this consumer's webhooks get a sign that keeptime lives and can tell.",
    default="never",
)


def _consumer(row: Row) -> Consumer:
    name = row.need(CONSUMER_NAME)
    if name == OPERATORS:
        message = f"{row.what}: the name 'operators' is taken by the provider's own on-call; choose another"
        raise row.report.spoil(row.place_of(CONSUMER_NAME), "reserved-name", message)
    about = frozenset(row.get(ABOUT, ASKED_FOR))
    tell, heartbeat = row.need(TELL), row.get(HEARTBEAT, None)
    if heartbeat is not None and not any(each.kind == "webhook" for each in tell):
        message = f"{row.what}.heartbeat: heartbeats go to webhooks, and `tell` has none; add one, or leave it out"
        row.report.error(row.place_of(HEARTBEAT), "heartbeat-without-webhook", message)
    asked = regular(row, tell)
    return Consumer(name, addressed(name, tell), about, heartbeat, urgency(name, tell, row), asked)


def _names_once(consumers: Sequence[Placed[Consumer]], report: Report, _: str) -> None:
    seen: dict[str, Place] = {}
    for consumer in consumers:
        if first := seen.get(consumer.value.name):
            message = f"two consumers are named '{consumer.value.name}' (the first in line {first.line})"
            report.error(consumer.place, "duplicate-name", message)
        seen.setdefault(consumer.value.name, consumer.place)


CONSUMER_TABLE = Table(
    "consumer",
    "Someone the promise was made to.",
    (CONSUMER_NAME, TELL, ABOUT, HEARTBEAT, REPORT, NOTIFY_WITHIN, ESCALATE),
    _consumer,
)
CONSUMERS_SHAPE = ListOf(CONSUMER_TABLE, "consumers", MOST_CONSUMERS, least=0, across=_names_once)


def _operators(row: Row) -> OnCall:
    tell = row.need(TELL)
    found = urgency(OPERATORS, tell, row)
    found = replace(found, ack_within=acknowledged(found, row))
    return OnCall(addressed(OPERATORS, tell), row.get(PING, None), found, regular(row, tell))


OPERATORS_TABLE = Table(
    "operators",
    "The provider's own on-call; hears everything.",
    (TELL, PING, REPORT, NOTIFY_WITHIN, ESCALATE, ACK_WITHIN),
    _operators,
)


def everyone(contract: Contract) -> tuple[Address, ...]:
    """Every receiver of the contract, each once: those of its consumers in their order, then the operators'.

    After those that are told at once come those that a message is passed on to.
    """
    told = [each for one in contract.consumers for each in (*one.tell, *one.urgency.escalate)]
    return tuple(dict.fromkeys([*told, *contract.operators, *contract.urgency.escalate]))
