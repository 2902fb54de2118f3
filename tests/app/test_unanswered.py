"""A page that nobody acknowledges goes to the next receiver, on the real store, until somebody takes it on."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from keeptime.app.operators import Operators
from keeptime.app.passing import Passing
from keeptime.contract.terms import Contract
from keeptime.contract.urgency import Urgency
from keeptime.model.ack import Ack
from keeptime.model.alert import Address, AlertRow, Late, Topic
from keeptime.model.change import Change
from keeptime.model.key import ObjectiveKey
from keeptime.store.sqlite import SqliteStore
from keeptime.tell import unanswered
from keeptime.tell.announce import announce
from keeptime.tell.escalate import Leave, PassOn
from keeptime.testing.outbox import in_place
from tests.app.test_passing import Clock
from tests.store.given import opened
from tests.tell.given import BROKEN, NO_DATA, NOW, OK, PAGE, TICKET, Case, contract, verdict

FIRST_LINE, SECOND, THIRD = (
    Address("operators", kind, f"env:{kind.upper()}") for kind in ("slack", "email", "pagerduty")
)
QUARTER = 900.0
KEY = ObjectiveKey("sentiment-latency", "p99")


def terms(ack_within: float | None = QUARTER) -> Contract:
    urgency = Urgency(120.0, (SECOND, THIRD), ack_within)
    return replace(contract(operators=(FIRST_LINE,)), consumers=(), urgency=urgency)


class Scene:
    """An objective goes through cases, one each ten seconds; the first line's receiver takes everything at once."""

    def __init__(self, store: SqliteStore, whole: Contract) -> None:
        self.store, self.clock, self.whole = store, Clock(), whole
        self.row: AlertRow | None = None
        self.tick = 180_000_000
        self.clock.now = NOW
        operators = Operators(store, in_place, self.clock, lambda: [self.whole], lambda: None)
        self.passing = Passing(store, in_place, self.clock, lambda: [self.whole], operators, lambda: None)

    def be(self, case: Case) -> None:
        said = announce(self.whole, self.whole.objectives[0], verdict(case, self.tick), self.row)
        self.row, at = said.row, self.tick * 10.0
        self.store.commit(Change(at, alerts=(said.row,), messages=() if said.message is None else (said.message,)))
        self.tick += 1
        for head in self.store.heads(at):
            if head.address == FIRST_LINE:
                self.store.delivered(head.row, at, "200")

    def look(self, at: float) -> list[str]:
        """To which receivers something waits to be sent after a look so many seconds after the beginning."""
        self.clock.now = NOW + at
        asyncio.run(self.passing.look())
        return [each.address.kind for each in self.store.waiting()]

    def acknowledge(self, at: float) -> None:
        assert self.row is not None
        assert self.row.started is not None
        self.store.acknowledge([Ack(KEY, self.row.started, "ann", "on it", NOW + at)])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with opened(tmp_path) as found:
        yield found


@pytest.mark.parametrize("case", [PAGE, BROKEN, NO_DATA])
def test_it_goes_to_one_after_the_other(store: SqliteStore, case: Case) -> None:
    scene = Scene(store, terms())
    scene.be(case)
    assert scene.look(899) == []
    assert scene.look(900) == ["email"]
    assert scene.look(1799) == ["email"]
    assert scene.look(1800) == ["email", "pagerduty"]
    assert scene.look(9999) == ["email", "pagerduty"]
    found = store.db.execute("SELECT fields FROM ledger WHERE kind = 'escalation' ORDER BY seq")
    assert [json.loads(fields)["reason"] for (fields,) in found] == [
        "not acknowledged in 15 min, where 15 min was asked for",
        "not acknowledged in 30 min, where 15 min was asked for",
    ]


def test_whoever_takes_it_on_ends_it(store: SqliteStore) -> None:
    scene = Scene(store, terms())
    scene.be(PAGE)
    assert scene.look(900) == ["email"]
    scene.acknowledge(1000)
    assert scene.look(9999) == ["email"]


def test_the_end_of_the_alert_ends_it(store: SqliteStore) -> None:
    scene = Scene(store, terms())
    scene.be(PAGE)
    scene.be(OK)
    assert scene.look(9999) == []


def test_one_alert_is_passed_on_once_whatever_else_is_told_of_it(store: SqliteStore) -> None:
    """It became a page ten seconds after it began; from then on somebody is asked for."""
    scene = Scene(store, terms())
    for case in (TICKET, PAGE, BROKEN, PAGE):
        scene.be(case)
    assert scene.look(909) == []
    assert scene.look(911) == ["email"]
    assert [each.count for each in store.waiting()] == [1]
    assert json.loads(store.heads(NOW + 911)[0].body)["condition"] == "at_risk"


def test_a_ticket_wakes_nobody(store: SqliteStore) -> None:
    scene = Scene(store, terms())
    scene.be(TICKET)
    assert scene.look(9999) == []


def test_nobody_is_asked_where_the_contract_does_not_ask(store: SqliteStore) -> None:
    scene = Scene(store, terms(None))
    scene.be(PAGE)
    assert scene.look(9999) == []


def test_the_next_alert_asks_again(store: SqliteStore) -> None:
    scene = Scene(store, terms())
    scene.be(PAGE)
    scene.acknowledge(5)
    for case in (OK, BROKEN):
        scene.be(case)
    assert scene.look(919) == []
    assert scene.look(921) == ["email"]


PAGED = Late(1, "m1", "kept", FIRST_LINE, Topic.BROKEN, NOW - QUARTER, None, "")
ASKING = Urgency(120.0, (SECOND,), QUARTER)


@pytest.mark.parametrize(
    ("page", "urgency", "reason"),
    [
        (replace(PAGED, acknowledged=True), ASKING, "somebody has taken the alert on"),
        (PAGED, replace(ASKING, ack_within=None), "it is not late yet"),
        (replace(PAGED, created=NOW - 899), ASKING, "it is not late yet"),
        (replace(PAGED, steps=1, stepped_at=NOW - 9999), ASKING, "everybody was asked"),
    ],
)
def test_when_it_is_left(page: Late, urgency: Urgency, reason: str) -> None:
    assert unanswered.decide(page, urgency, NOW) == Leave(reason)  # type: ignore[arg-type]


def test_when_it_goes_on() -> None:
    said = "not acknowledged in 15 min, where 15 min was asked for"
    assert unanswered.decide(PAGED, ASKING, NOW) == PassOn(SECOND, False, said)
