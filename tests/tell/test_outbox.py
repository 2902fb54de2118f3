"""What every outbox promises. A store's own tests run these too: give them an `outbox` and a way to `put`."""

from collections.abc import Callable

import pytest

from keeptime.model.alert import Address, Message, Topic, Waiting
from keeptime.tell.ports import Outbox
from keeptime.testing.outbox import FakeOutbox
from tests.tell.given import BROKEN, NOW, OK, PAGE, contract, tell_of

HOOK = Address("checkout", "webhook", "env:HOOK", "env:SECRET")
PAGER = Address("operators", "alertmanager", "http://127.0.0.1:9093")
Put = Callable[[Message, float], None]


@pytest.fixture
def outbox() -> FakeOutbox:
    return FakeOutbox()


@pytest.fixture
def put(outbox: FakeOutbox) -> Put:
    return outbox.put


@pytest.fixture
def told(put: Put) -> list[Message]:
    """Three messages to two addresses, one second apart."""
    messages = tell_of(contract(HOOK, operators=[PAGER]), [PAGE, BROKEN, OK])
    for seconds, message in enumerate(messages):
        put(message, NOW + seconds)
    return messages


def test_an_empty_one_has_nothing(outbox: Outbox) -> None:
    assert (list(outbox.heads(NOW)), outbox.next_due(), list(outbox.waiting())) == ([], None, [])
    assert list(outbox.latest("webhook")) == []


def test_heads_are_the_oldest_of_each_address_as_they_were_put(outbox: Outbox, told: list[Message]) -> None:
    heads = outbox.heads(NOW + 10)
    assert {head.address for head in heads} == {HOOK, PAGER}
    for head in heads:
        assert (head.message_id, head.topic, head.body) == (told[0].id, told[0].topic, told[0].body)
        assert (head.contract, head.attempts, head.created, head.next_try) == ("sentiment-latency", 0, NOW, NOW)


def test_a_head_that_failed_holds_back_what_is_behind_it(outbox: Outbox, told: list[Message]) -> None:
    first = next(head for head in outbox.heads(NOW) if head.address == HOOK)
    outbox.failed(first.row, NOW, NOW + 60, "it answered 500")
    assert [head.address for head in outbox.heads(NOW + 59)] == [PAGER]
    again = next(head for head in outbox.heads(NOW + 60) if head.address == HOOK)
    assert (again.row, again.attempts, again.next_try) == (first.row, 1, NOW + 60)
    assert outbox.next_due() == NOW


def test_what_is_delivered_makes_room_for_the_next(outbox: Outbox, told: list[Message]) -> None:
    seen = []
    while heads := [head for head in outbox.heads(NOW + 10) if head.address == HOOK]:
        seen.append(heads[0].topic)
        outbox.delivered(heads[0].row, NOW + 10, "204")
    assert seen == [Topic.AT_RISK, Topic.BROKEN, Topic.RECOVERED]
    assert list(outbox.waiting()) == [Waiting("sentiment-latency", PAGER, 3, NOW)]


def test_latest_is_what_was_taken_last_and_nothing_while_a_newer_waits(outbox: Outbox, told: list[Message]) -> None:
    latest = []
    while heads := [head for head in outbox.heads(NOW + 10) if head.address == PAGER]:
        outbox.delivered(heads[0].row, NOW + 10, "200")
        latest.append([row.topic for row in outbox.latest("alertmanager")])
    assert latest == [[], [], [Topic.RECOVERED]]
    assert list(outbox.latest("webhook")) == []


def test_contracts_are_apart(outbox: Outbox, put: Put) -> None:
    for name in ("first", "second"):
        put(tell_of(contract(HOOK, name=name), [PAGE])[0], NOW)
    assert sorted(head.contract for head in outbox.heads(NOW)) == ["first", "second"]
    assert sorted(waiting.contract for waiting in outbox.waiting()) == ["first", "second"]
