"""The fields of `consumers` and `operators`: who is told, where, and about what."""

from collections.abc import Sequence

from keeptime.contract.kinds import Choice, Label
from keeptime.contract.lists import ListOf
from keeptime.contract.nodes import Place
from keeptime.contract.receivers import TELL_SHAPE, addressed
from keeptime.contract.report import Report
from keeptime.contract.shapes import Field, Placed, Row, Table
from keeptime.contract.terms import Consumer
from keeptime.model.alert import Address, Topic

MOST_CONSUMERS = 100
OPERATORS = "operators"
"""The audience of the provider's own on-call."""

ALL_TOPICS = frozenset(Topic)

CONSUMER_NAME = Field("name", Label("name"), "Who the promise was made to.", required=True)
TELL = Field("tell", TELL_SHAPE, "The receivers that messages go to.", required=True)
ABOUT = Field(
    "about",
    ListOf(Choice(Topic, "unknown-topic"), "topics", most=len(Topic)),
    "What this consumer hears of.",
    default="[at_risk, broken, recovered, no_data]",
)


def _consumer(row: Row) -> Consumer:
    name = row.need(CONSUMER_NAME)
    if name == OPERATORS:
        message = f"{row.what}: the name 'operators' is taken by the provider's own on-call; choose another"
        raise row.report.spoil(row.place_of(CONSUMER_NAME), "reserved-name", message)
    about = frozenset(row.get(ABOUT, tuple(Topic)))
    return Consumer(name, addressed(name, row.need(TELL)), about)


def _names_once(consumers: Sequence[Placed[Consumer]], report: Report, _: str) -> None:
    seen: dict[str, Place] = {}
    for consumer in consumers:
        if first := seen.get(consumer.value.name):
            message = f"two consumers are named '{consumer.value.name}' (the first in line {first.line})"
            report.error(consumer.place, "duplicate-name", message)
        seen.setdefault(consumer.value.name, consumer.place)


CONSUMER_TABLE = Table("consumer", "Someone the promise was made to.", (CONSUMER_NAME, TELL, ABOUT), _consumer)
CONSUMERS_SHAPE = ListOf(CONSUMER_TABLE, "consumers", MOST_CONSUMERS, least=0, across=_names_once)


def _operators(row: Row) -> tuple[Address, ...]:
    return addressed(OPERATORS, row.need(TELL))


OPERATORS_TABLE = Table("operators", "The provider's own on-call; hears everything.", (TELL,), _operators)
