"""Alerts that somebody takes on: in the store, in the messages that follow, and over with the alert."""

import json
from pathlib import Path

import pytest

from keeptime.app.keeper import Keeper
from keeptime.errors import StoreError
from keeptime.model.tally import Tally, TickRecord
from keeptime.store.sqlite import SqliteStore
from keeptime.tell.wording import worded
from tests.app.test_keeper import FIRST, KEY, Store, keeper


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(SqliteStore.open(tmp_path / "data", tick_seconds=1.0, now=float(FIRST)))


def breached(store: Store) -> Keeper:
    one = keeper(store)
    one.keep([TickRecord(FIRST + n, {KEY: Tally(bad=10)}) for n in range(5)], 0.0)
    return one


def test_it_is_kept_over_a_restart_and_stands_in_the_messages_that_follow(store: Store) -> None:
    (ack,) = breached(store).acknowledge("kept", "", "ann", "on it", 7.0)
    again = keeper(store, FIRST + 5)
    assert again.acks == {KEY: ack}
    ticks = [TickRecord(FIRST + 5 + n, {KEY: Tally(good=1000)}) for n in range(70)]
    messages = again.keep(ticks, 0.0).messages
    assert messages[-1].topic == "recovered"
    said = json.loads(messages[-1].body)["acknowledged"]
    assert said == {"author": "ann", "note": "on it", "at": "1970-01-01T00:00:07Z"}
    assert ("Taken on", "by ann at 1970-01-01 00:00:07 UTC: on it") in worded(messages[-1].body).lines
    assert again.acks == {}, "it ends with the alert"


def test_the_next_alert_is_not_acknowledged(store: Store) -> None:
    one = breached(store)
    one.acknowledge("kept", "p90", "ann", "", 7.0)
    one.keep([TickRecord(FIRST + 5 + n, {KEY: Tally(good=1000)}) for n in range(70)], 0.0)
    messages = one.keep([TickRecord(FIRST + 75 + n, {KEY: Tally(bad=9000)}) for n in range(5)], 0.0).messages
    assert messages
    assert {json.loads(each.body)["acknowledged"] for each in messages} == {None}
    assert one.acks == {}


def test_what_is_not_open_cannot_be_taken_on(store: Store) -> None:
    one = keeper(store)
    one.keep([TickRecord(FIRST, {KEY: Tally(good=10)})], 0.0)
    assert one.acknowledge("kept", "", "ann", "", 7.0) == ()
    assert store.acks() == {}


def test_where_the_store_fails_nobody_has_taken_it_on(store: Store) -> None:
    one = breached(store)
    store.failures = 1
    with pytest.raises(StoreError):
        one.acknowledge("kept", "", "ann", "", 7.0)
    assert one.acks == {}
