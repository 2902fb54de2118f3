"""Alerts of objectives that are judged no more: who is told, and what the message says."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from keeptime.app.keeper import Keeper
from keeptime.errors import StoreUnavailable
from keeptime.model.alert import AlertState, Message
from keeptime.model.change import Change
from keeptime.model.key import ObjectiveKey
from keeptime.model.tally import Tally, TickRecord
from keeptime.store.sqlite import SqliteStore
from keeptime.tell.withdraw import Gone, withdrawn
from tests.app.test_keeper import FIRST, KEY, TERMS, Store, contract, keeper

OTHER = contract(TERMS.replace("contract: kept", "contract: other"))
SOME = (
    TERMS
    + """\
  - {name: never-heard, tell: ["log:never"], about: [recovered]}
  - {name: reports, tell: ["log:reports"], about: [at_risk]}
operators: {tell: ["log:operators"]}
"""
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(SqliteStore.open(tmp_path / "data", tick_seconds=1.0, now=float(FIRST)))


def breached(store: Store, text: str = SOME) -> Keeper:
    one = keeper(store, text=text)
    told = one.keep([TickRecord(FIRST + n, {KEY: Tally(bad=10)}) for n in range(5)], 0.0).messages
    assert [each.topic for each in told] == ["at_risk"]
    return one


def test_whoever_heard_of_the_alert_hears_that_it_is_watched_no_more(store: Store) -> None:
    one = breached(store)
    (told,) = one.replace([OTHER], FIRST + 9.0)
    assert [each.audience for each in told.addresses] == ["checkout", "reports", "operators"]
    said = json.loads(told.body)
    assert said["type"] == "keeptime.objective.withdrawn"
    assert (said["condition"], said["state"], said["previous"]["condition"]) == ("at_risk", "resolved", "at_risk")
    assert said["reason"].startswith("the contract was withdrawn while its objective was at risk; before that: ")
    assert store.real.db.execute("SELECT kind FROM ledger WHERE kind = 'withdrawn'").fetchone()
    assert store.alerts()[KEY].state is AlertState.RESOLVED, "committed with the reload, not with the next tick"
    assert one.keep([TickRecord(FIRST + 5)], 0.0).messages == ()


def test_a_contract_that_comes_back_begins_without_an_alert(store: Store) -> None:
    one = breached(store)
    one.replace([OTHER], 0.0)
    one.replace([contract(SOME)], 0.0)
    (told,) = one.keep([TickRecord(FIRST + 5, {KEY: Tally(bad=10)})], 0.0).messages
    (again,) = one.replace([OTHER], 0.0)
    assert told.topic == "at_risk"
    assert again.topic == "withdrawn"
    assert len(store.real.transitions("kept", 9)) == 4, "another alert, another id"


def starting(store: Store, tick: int) -> tuple[Message, ...]:
    one = Keeper(store, [OTHER], 1.0, tick)  # type: ignore[arg-type]
    return one.keep([TickRecord(tick)], 0.0).messages


def test_gone_at_the_start_it_is_told_once_and_with_the_id_that_a_reload_gives(store: Store) -> None:
    breached(store)
    row = store.alerts()[KEY]
    by_reload = withdrawn(row, store.heard_of([row])[KEY], 0.0, gone=Gone.CONTRACT)
    (at_start,) = starting(store, FIRST + 5)
    assert starting(store, FIRST + 6) == ()
    assert at_start.id == by_reload.id
    assert [each.topic for each in store.real.transitions("kept", 9)] == ["withdrawn", "at_risk"]


def test_a_reload_that_the_store_refuses_ends_nothing(store: Store) -> None:
    one = breached(store)
    store.failures = 1
    with pytest.raises(Exception, match="disk is full"):
        one.replace([OTHER], 0.0)
    assert [each.name for each in one.in_force] == ["kept"]
    assert store.alerts()[KEY].state is AlertState.FIRING
    (told,) = one.replace([OTHER], 0.0)
    assert told.topic == "withdrawn"


class LosesAnAnswer(Store):
    """Of one commit the answer is lost, though it was kept; the same one again is known, as on PostgreSQL."""

    lost: Change | None = None

    def commit(self, change: Change) -> None:
        if change is self.lost:
            return
        super().commit(change)
        if self.lost is None and change.record is None:
            self.lost = change
            raise StoreUnavailable("the connection failed")


def test_a_reload_whose_answer_is_lost_is_done(store: Store) -> None:
    losing = LosesAnAnswer(store.real)
    one = breached(losing)
    (told,) = one.replace([OTHER], 0.0)
    assert told.topic == "withdrawn"
    assert losing.lost is not None
    assert [each.name for each in one.in_force] == ["other"], "what the store has, too"


def test_nothing_is_told_where_nothing_was_wrong_or_nobody_heard(store: Store) -> None:
    one = keeper(store)
    one.keep([TickRecord(FIRST, {KEY: Tally(good=10)})], 0.0)
    assert one.replace([OTHER], 0.0) == ()
    silent = breached(
        store, TERMS.replace('{name: checkout, tell: ["log:"]}', '{name: x, tell: ["log:"], about: [recovered]}')
    )
    assert silent.replace([OTHER], 0.0) == ()
    assert store.alerts()[KEY].state is AlertState.RESOLVED


def test_only_the_alert_that_is_open_counts(store: Store) -> None:
    one = breached(store)
    key = ObjectiveKey("kept", "p90")
    (row,) = [each for each in store.alerts().values() if each.key == key]
    assert row.started is not None
    assert store.heard_of([replace(row, started=row.started - 60)]) == {}
    assert set(store.heard_of([row])) == {key}
    assert one.next_tick == FIRST + 5
