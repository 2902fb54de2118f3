"""The keeper: ticks in, verdicts and messages out, one durable step per tick, through a store that fails."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from keeptime.app.keeper import Keeper
from keeptime.contract.load import load_text
from keeptime.contract.terms import Contract
from keeptime.errors import StoreError
from keeptime.model.ack import Ack
from keeptime.model.alert import AlertRow, AlertState, Heard, Topic
from keeptime.model.change import Change
from keeptime.model.history import History
from keeptime.model.incident import IncidentQuery
from keeptime.model.key import ObjectiveKey
from keeptime.model.tally import Tally, TickRecord
from keeptime.model.verdict import Condition
from keeptime.store.sqlite import SqliteStore

FIRST = 180_000_000
TERMS = """\
contract: kept
endpoint: {url: "http://127.0.0.1:9/"}
observe: [{probe: {every: 100ms}}]
objectives:
  - {name: p90, target: 90%, under: 200ms, over: 60s}
policy:
  burn-rate:
    tiers: [{severity: page, long: 3s, short: 1s, factor: 2}]
consumers:
  - {name: checkout, tell: ["log:"]}
"""
KEY = ObjectiveKey("kept", "p90")


def contract(text: str = TERMS) -> Contract:
    loaded = load_text(text.encode(), "kept.yaml")
    assert not [each for each in loaded.problems if each.severity == "error"], loaded.problems
    return loaded.contracts[0]


@dataclass
class Store:
    """A real store that can be told to fail so many times."""

    real: SqliteStore
    failures: int = 0
    committed: list[Change] = field(default_factory=list)

    def commit(self, change: Change) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreError("the disk is full")
        self.real.commit(change)
        self.committed.append(change)

    def histories(self, next_tick: int) -> Mapping[ObjectiveKey, History]:
        return self.real.histories(next_tick)

    def memory(self) -> Mapping[str, bytes]:
        return self.real.memory()

    def alerts(self) -> Mapping[ObjectiveKey, AlertRow]:
        return self.real.alerts()

    def acks(self) -> Mapping[ObjectiveKey, Ack]:
        return self.real.acks()

    def acknowledge(self, acks: Sequence[Ack]) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreError("the disk is full")
        self.real.acknowledge(acks)

    def heard_of(self, rows: Sequence[AlertRow]) -> Mapping[ObjectiveKey, Heard]:
        return self.real.heard_of(rows)

    def closed_to(self) -> Mapping[ObjectiveKey, int]:
        return self.real.closed_to()

    @property
    def ticks(self) -> list[int]:
        return [change.record.tick for change in self.committed if change.record]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(SqliteStore.open(tmp_path / "data", tick_seconds=1.0, now=float(FIRST)))


def keeper(store: Store, tick: int = FIRST, text: str = TERMS) -> Keeper:
    return Keeper(store, [contract(text)], 1.0, tick)  # type: ignore[arg-type]


def record(tick: int, good: int = 10, bad: int = 0) -> TickRecord:
    return TickRecord(tick, {KEY: Tally(good=good, bad=bad)})


def keep(one: Keeper, *records: TickRecord) -> Condition | None:
    kept = one.keep(records, float(records[-1].tick + 1))
    return kept.verdicts[KEY].condition if kept.verdicts else None


def test_a_failing_store_loses_nothing_and_order_is_kept(store: Store) -> None:
    one = keeper(store)
    assert keep(one, record(FIRST)) is Condition.OK
    store.failures = 3
    said = one.keep([record(FIRST + 1)], 0.0)
    assert said.problem == "1 ticks wait for the store: the disk is full"
    assert said.verdicts[KEY].condition is Condition.OK, "what is shown does not wait for the store"
    assert one.keep([record(FIRST + 2, 0, 10), record(FIRST + 3, 0, 10)], 0.0).problem.startswith("3 ticks")
    assert one.keep([], 0.0).problem.startswith("3 ticks")
    assert store.ticks == [FIRST]
    assert one.keep([], 0.0).problem == ""
    assert store.ticks == [FIRST, FIRST + 1, FIRST + 2, FIRST + 3]


def test_messages_wait_for_the_store_with_the_change_they_belong_to(store: Store) -> None:
    one = keeper(store)
    keep(one, record(FIRST))
    store.failures = 2
    said = one.keep([record(FIRST + n, 0, 10) for n in range(1, 5)], 0.0)
    assert [message.topic for message in said.messages] == ["at_risk"]
    assert store.real.heads(1e12) == []
    one.keep([], 0.0)
    assert store.real.heads(1e12) == []
    one.keep([], 0.0)
    (head,) = store.real.heads(1e12)
    assert json.loads(head.body)["type"].endswith("at_risk")


def test_a_new_life_goes_on_and_tells_nobody_twice(store: Store) -> None:
    one = keeper(store)
    keep(one, record(FIRST))
    said = one.keep([record(FIRST + n, 0, 10) for n in range(1, 5)], 0.0)
    assert len(said.messages) == 1
    again = keeper(store, FIRST + 5)
    said = again.keep([record(FIRST + 5, 0, 10)], 0.0)
    assert said.messages == ()
    assert (said.verdicts[KEY].good, said.verdicts[KEY].bad) == (10, 50)


def test_what_was_counted_in_a_judged_tick_is_stored_and_not_judged_again(store: Store) -> None:
    one = keeper(store, FIRST + 1)
    assert keep(one, record(FIRST, good=7)) is None
    assert store.ticks == [FIRST]
    said = one.keep([record(FIRST + 1)], 0.0)
    assert said.verdicts[KEY].good == 10


def test_ticks_that_nobody_lived_through_hold_no_data(store: Store) -> None:
    one = keeper(store)
    keep(one, record(FIRST))
    said = one.keep([TickRecord(FIRST + 300, incomplete=True)], 0.0)
    assert said.verdicts[KEY].sli is None, "the window holds nothing any more"


def test_replacing_keeps_what_stays_and_forgets_nothing_of_the_rest(store: Store) -> None:
    one = keeper(store)
    keep(one, record(FIRST, 9, 1))
    both = TERMS.replace("  - {name: p90", "  - {name: p50, target: 50%, under: 100ms, over: 60s}\n  - {name: p90")
    one.replace([contract(both)], 0.0)
    said = one.keep([record(FIRST + 1)], 0.0)
    assert said.verdicts[KEY].good == 19
    assert said.verdicts[ObjectiveKey("kept", "p50")].sli is None
    one.replace([contract(TERMS.replace("contract: kept", "contract: other"))], 0.0)
    one.keep([TickRecord(FIRST + 2)], 0.0)
    one.replace([contract()], 0.0)
    assert one.keep([record(FIRST + 3)], 0.0).verdicts[KEY].good == 29


def test_replacing_is_refused_while_changes_wait(store: Store) -> None:
    one = keeper(store)
    store.failures = 2
    one.keep([record(FIRST)], 0.0)
    with pytest.raises(StoreError, match="1 ticks wait"):
        one.replace([contract(TERMS.replace("contract: kept", "contract: other"))], 0.0)
    assert one.keep([record(FIRST + 1)], 0.0).verdicts[KEY].good == 20


def test_what_waits_is_sent_to_its_receiver_as_the_contracts_write_it_now(store: Store) -> None:
    one = keeper(store)
    keep(one, record(FIRST))
    (first,) = {address for change in store.committed for _, address in change.addresses}
    one.replace([contract(TERMS + "addresses: {allow: [10.0.0.0/8]}\n")], 0.0)
    assert store.committed[-1].addresses == (("kept", replace(first, allow=("10.0.0.0/8",))),)


@pytest.mark.parametrize("killed", [False, True])
def test_an_incident_is_one_step_with_its_alert_whatever_the_store_and_kills_do(store: Store, killed: bool) -> None:
    one = keeper(store)
    for nth in range(24):
        store.failures = nth % 3 if not killed else 0
        bad = 10 if 4 <= nth < 8 or 16 <= nth < 18 else 0
        one.keep([record(FIRST + nth, 10 - bad, bad)], float(FIRST + nth + 1))
        alert = store.real.alerts().get(KEY)
        lasting = store.real.incidents(IncidentQuery(open=True))
        firing = alert is not None and alert.state is AlertState.FIRING
        assert [each.started for each in lasting] == ([alert.started] if firing and alert else [])
        if killed:
            one = keeper(store, FIRST + nth + 1)
    one.keep([], 0.0)
    found = store.real.incidents(IncidentQuery())
    assert len(found) == 2
    for each in found:
        dossier = store.real.incident(each.id)
        assert dossier is not None
        assert dossier.incident.steps[-1].topic is Topic.RECOVERED
        told = {json.loads(sent.body)["incident"] for sent in store.real.transitions("kept", 99)}
        assert each.id in told
        assert {sent.message for sent in dossier.told} == {step.message for step in dossier.incident.steps}
