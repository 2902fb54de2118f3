"""Passing on what nobody took, on the real store: durable, once, with its ledger row and the operators told."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from keeptime.app.operators import Operators
from keeptime.app.passing import Passing
from keeptime.contract.terms import Consumer, Contract
from keeptime.contract.urgency import Urgency
from keeptime.model.alert import Address, Aside
from keeptime.model.change import Change
from keeptime.store.sqlite import SqliteStore
from keeptime.testing.outbox import in_place
from tests.store.given import NOW, opened
from tests.tell.given import BROKEN, PAGE, contract, tell_of

HOOK, MAIL, PAGER = (Address("checkout", kind, f"env:{kind.upper()}") for kind in ("webhook", "email", "pagerduty"))
ONCALL = Address("operators", "log", "operators.log")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def wall_ns(self) -> int:
        return round(self.now * 1e9)

    def monotonic_ns(self) -> int:
        return 0


def terms(*escalate: Address, operators: tuple[Address, ...] = (ONCALL,)) -> Contract:
    whole = contract(HOOK, operators=operators)
    consumer: Consumer = replace(whole.consumers[0], urgency=Urgency(120.0, escalate))
    return replace(whole, consumers=(consumer,), urgency=Urgency(120.0))


class Scene:
    """A store with one message that the webhook does not take; the operators' log takes everything."""

    def __init__(self, store: SqliteStore, whole: Contract) -> None:
        self.store, self.clock, self.whole = store, Clock(), whole
        self.woken, self.unmarked = 0, set[tuple[str, str]]()
        self.begin()
        (message,) = tell_of(whole, [PAGE])
        store.commit(Change(NOW, messages=(message,)))
        self.take(ONCALL)
        self.clock.now = NOW + 20

    def begin(self) -> None:
        """Another life of keeptime on the same store."""
        operators = Operators(self.store, in_place, self.clock, lambda: [self.whole], self.wake)
        self.passing = Passing(
            self.store, in_place, self.clock, lambda: [self.whole], operators, self.wake, self.unmarked
        )

    def wake(self) -> None:
        self.woken += 1

    def look(self, at: float) -> None:
        self.clock.now = NOW + at
        asyncio.run(self.passing.look())

    def take(self, address: Address) -> None:
        """This receiver takes what is due there."""
        for head in self.store.heads(self.clock.now):
            if head.address.id == address.id:
                self.store.delivered(head.row, self.clock.now, "204")

    def waiting(self) -> dict[str, int]:
        return {each.address.id: each.count for each in self.store.waiting()}

    def ledger(self) -> list[dict[str, object]]:
        found = self.store.db.execute("SELECT fields FROM ledger WHERE kind = 'escalation' ORDER BY seq")
        return [json.loads(fields) for (fields,) in found]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with opened(tmp_path) as found:
        yield found


def test_it_goes_to_one_after_the_other_and_on_being_tried(store: SqliteStore) -> None:
    scene = Scene(store, terms(MAIL, PAGER))
    scene.look(119)
    assert scene.waiting() == {HOOK.id: 1}
    scene.look(120)
    assert scene.waiting() == {HOOK.id: 1, ONCALL.id: 1, MAIL.id: 1}
    scene.look(239)
    assert scene.waiting()[MAIL.id] == 1
    assert PAGER.id not in scene.waiting()
    scene.look(240)
    assert scene.waiting() == {HOOK.id: 1, ONCALL.id: 1, MAIL.id: 1, PAGER.id: 1}
    scene.look(9999)
    assert scene.waiting() == {HOOK.id: 1, ONCALL.id: 1, MAIL.id: 1, PAGER.id: 1}
    assert scene.passing.steps == {("sentiment-latency", "checkout"): 2}
    assert scene.woken == 2


def test_what_was_taken_and_only_lacks_its_mark_is_not_passed_on(store: SqliteStore) -> None:
    scene = Scene(store, terms(MAIL))
    scene.unmarked.add((scene.whole.name, HOOK.id))
    scene.look(999)
    assert scene.waiting() == {HOOK.id: 1}
    scene.unmarked.clear()
    scene.look(1000)
    assert MAIL.id in scene.waiting()


def test_the_operators_are_told_once_whom_since_when_and_why(store: SqliteStore) -> None:
    scene = Scene(store, terms(MAIL))
    (head,) = store.heads(NOW)
    store.failed(head.row, NOW + 1, NOW + 999, "it answered 500 Internal Server Error; expected 2xx")
    scene.look(121)
    (told,) = [each for each in store.heads(NOW + 121) if each.topic is Aside.SERVICE]
    body = json.loads(told.body)
    assert body["type"] == "keeptime.service.undelivered"
    assert body["reason"] == (
        f"Message {head.message_id} (at_risk) was not taken for checkout by webhook in 2 min 1 s, and 2 min was "
        "promised; the last time: it answered 500 Internal Server Error; expected 2xx. It goes to the next of "
        "checkout now, by email, and it goes on being tried."
    )
    for later in (300, 5000):
        scene.look(later)
    assert scene.waiting()[ONCALL.id] == 1


def test_the_copy_is_the_same_message_and_each_step_is_in_the_ledger(store: SqliteStore) -> None:
    scene = Scene(store, terms(MAIL))
    scene.look(120)
    rows = {each.address.kind: each for each in store.heads(NOW + 120)}
    assert rows["email"].message_id == rows["webhook"].message_id
    assert rows["email"].body == rows["webhook"].body
    assert rows["email"].created == NOW
    assert [(each["id"], each["to"]) for each in scene.ledger()] == [
        (rows["email"].message_id, {"audience": "checkout", "receiver": "email"})
    ]


def test_whoever_takes_it_ends_it(store: SqliteStore) -> None:
    scene = Scene(store, terms(MAIL, PAGER))
    scene.look(120)
    scene.take(MAIL)
    scene.look(9999)
    assert PAGER.id not in scene.waiting()


def test_what_was_taken_in_time_is_passed_to_nobody(store: SqliteStore) -> None:
    scene = Scene(store, terms(MAIL))
    scene.take(HOOK)
    scene.look(9999)
    assert scene.waiting() == {}
    assert scene.ledger() == []


def test_another_life_goes_on_where_the_last_one_was(store: SqliteStore) -> None:
    scene = Scene(store, terms(MAIL, PAGER))
    scene.look(120)
    scene.begin()
    scene.look(130)
    assert scene.waiting() == {HOOK.id: 1, ONCALL.id: 1, MAIL.id: 1}
    scene.look(240)
    assert scene.waiting() == {HOOK.id: 1, ONCALL.id: 1, MAIL.id: 1, PAGER.id: 1}


def test_a_channel_that_is_gone_is_passed_over_at_once(store: SqliteStore) -> None:
    """410: a dead letter, with all that waits behind it; of which the operators are told where it is given up."""
    scene = Scene(store, terms(MAIL))
    (head,) = store.heads(NOW)
    store.gave_up(head.row, NOW + 21, "it answered 410 Gone", channel=True)
    scene.look(22)
    assert scene.waiting() == {MAIL.id: 1}


def test_two_receivers_that_fail_send_one_message_to_the_next(store: SqliteStore) -> None:
    """And the operators hear of both."""
    other = replace(HOOK, target="env:OTHER")
    whole = terms(MAIL)
    whole = replace(whole, consumers=(replace(whole.consumers[0], tell=(HOOK, other)),))
    scene = Scene(store, whole)
    scene.look(120)
    assert scene.waiting() == {HOOK.id: 1, other.id: 1, MAIL.id: 1, ONCALL.id: 2}


def test_operators_who_take_nothing_breed_no_messages(store: SqliteStore) -> None:
    scene = Scene(store, terms())
    for at in range(120, 9999, 121):
        scene.look(at)
    assert scene.waiting() == {HOOK.id: 1, ONCALL.id: 1}


def test_a_receiver_that_is_told_no_more_is_left(store: SqliteStore) -> None:
    scene = Scene(store, terms(MAIL))
    scene.whole = replace(scene.whole, consumers=())
    scene.look(9999)
    assert scene.waiting() == {HOOK.id: 1}


def test_a_step_that_fails_changes_nothing(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another life then finds all of it undone, as after a kill in the middle."""
    scene = Scene(store, terms(MAIL))
    before = scene.waiting()
    monkeypatch.setattr("keeptime.store.ledger.Ledger.append", _broken)
    with pytest.raises(ZeroDivisionError):
        scene.look(120)
    monkeypatch.undo()
    assert scene.waiting() == before
    scene.begin()
    scene.look(131)
    assert scene.waiting() == {HOOK.id: 1, ONCALL.id: 1, MAIL.id: 1}


def _broken(*_: object) -> None:
    raise ZeroDivisionError


def test_a_backlog_is_gone_through_in_parts(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """And from the beginning again, once its end is reached."""
    monkeypatch.setattr("keeptime.app.passing.AT_ONCE", 2)
    scene = Scene(store, terms(MAIL))
    more = tell_of(scene.whole, [PAGE, BROKEN, PAGE, BROKEN, PAGE])[1:]
    for each in more:
        store.commit(Change(NOW, messages=(replace(each, addresses=(HOOK,)),)))
    assert scene.waiting() == {HOOK.id: 5}
    passed = []
    for at in range(120, 128):
        scene.look(at)
        passed.append(scene.passing.steps["sentiment-latency", "checkout"])
    assert passed[:3] == [2, 4, 5]
    assert scene.waiting()[MAIL.id] == 5
