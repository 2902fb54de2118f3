"""Events in the store: once under a key, with their row of the ledger, found by page, shown with incidents, pruned,
and of an older store those of its contracts."""

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from keeptime.model.change import Change
from keeptime.model.event import BEFORE, LONGEST_AGO, Event, EventKind, EventQuery
from keeptime.model.key import ObjectiveKey
from keeptime.model.ledger import LedgerQuery
from keeptime.model.tally import Tally, TickRecord
from keeptime.model.verdict import Condition
from keeptime.model.version import ContractVersion
from keeptime.store import events as limits
from keeptime.store.opening import migrations
from keeptime.store.stored import Stored
from tests.store.given import FAST, FIRST, NOW, TICK, older, opened
from tests.store.test_incidents import ALL as INCIDENTS
from tests.store.test_incidents import change, life

ALL = EventQuery()
DEPLOY = Event(
    0, EventKind.DEPLOY, NOW - 5, ("digits",), "ci", "v2", "tokenizer", "https://ci.example/4", NOW, "job-4"
)


@pytest.fixture
def store(tmp_path: Path) -> Stored:
    return opened(tmp_path)


def noted(store: Stored, at: float, *contracts: str) -> Event:
    made, _ = store.note_event(Event(0, EventKind.CONFIG, at, contracts, "ann", noted=at))
    return made


def versions(store: Stored, at: float, **of: str) -> None:
    kept = [ContractVersion(name, version, f"{name}.yaml", version) for name, version in of.items()]
    store.commit(Change(at, versions=tuple(kept)))


def counted(store: Stored, tick: int, *names: str) -> None:
    tallies = {ObjectiveKey("digits", name): Tally(9, 1) for name in names}
    store.commit(Change((tick + 1) * TICK, TickRecord(tick, tallies, {})))


def seen(store: Stored) -> Sequence[tuple[str, float]]:
    return [(each.version, each.at) for each in store.events(replace(ALL, kind=EventKind.VERSION))]


def test_told_again_under_its_key_it_is_marked_once(store: Stored) -> None:
    made, new = store.note_event(DEPLOY)
    assert (made, new) == (replace(DEPLOY, id=made.id), True)
    assert store.note_event(replace(DEPLOY, at=NOW + 9, noted=NOW + 9)) == (made, False)
    assert store.note_event(replace(DEPLOY, key=""))[1]
    assert store.note_event(replace(DEPLOY, key=""))[1]
    rows = store.ledger(LedgerQuery(kind="event"))
    assert [(row.contract, row.fields["event"], row.at) for row in rows] == [
        ("digits", number, NOW) for number in (made.id, made.id + 1, made.id + 2)
    ]
    assert rows[0].fields["version"] == "v2"
    assert "job-4" not in json.dumps(rows[0].fields)


def test_they_are_found_by_contract_kind_time_and_page(store: Stored) -> None:
    deploy, _ = store.note_event(DEPLOY)
    every, other = noted(store, NOW - 20), noted(store, NOW - 10, "other", "third")
    same = noted(store, NOW - 5, "third")
    assert store.events(ALL) == (same, deploy, other, every)
    assert store.events(replace(ALL, contract="digits")) == (deploy, every)
    assert store.events(replace(ALL, contract="third")) == (same, other, every)
    assert store.events(replace(ALL, kind=EventKind.DEPLOY)) == (deploy,)
    assert store.events(replace(ALL, since=NOW - 10, until=NOW - 5)) == (other,)
    found, page = [], replace(ALL, most=1)
    while one := store.events(page):
        found += one
        page = replace(page, after=one[-1].id)
    assert tuple(found) == store.events(ALL)
    with pytest.raises(KeyError):
        store.events(replace(ALL, after=99))


def test_an_incident_shows_those_from_an_hour_before_it_until_its_end(store: Stored) -> None:
    noted(store, NOW - BEFORE - 1)
    near = [noted(store, NOW - BEFORE, "digits"), noted(store, NOW - 1), noted(store, NOW + 10)]
    noted(store, NOW - 2, "other")
    noted(store, NOW + 11)
    life(store, NOW, NOW + 10)
    store.commit(change(NOW + 2 * BEFORE, Condition.BROKEN, NOW + 2 * BEFORE))
    late = noted(store, NOW + 9 * BEFORE)
    lasting, over = (store.incident(each.id) for each in store.incidents(INCIDENTS))
    assert lasting is not None
    assert over is not None
    assert (over.events, lasting.events) == (tuple(near), (late,))


def test_contracts_mark_themselves_and_the_ledger_says_it_once(store: Stored) -> None:
    versions(store, NOW, digits="v1")
    versions(store, NOW + 1, digits="v1")
    versions(store, NOW + 2, digits="v2")
    versions(store, NOW + 3)
    marked = store.events(replace(ALL, contract="digits"))
    assert [(each.at - NOW, each.version, each.text) for each in marked] == [
        (3, "", "the contract was removed"),
        (2, "v2", "the contract was edited"),
        (0, "v1", "the contract is new"),
    ]
    assert {(each.kind, each.author) for each in marked} == {(EventKind.CONTRACT, "keeptime")}
    assert store.ledger(LedgerQuery(kind="event")) == ()


def test_a_version_that_the_contract_never_had_marks_itself_once(store: Stored) -> None:
    counted(store, FIRST, "fast", "fast[model_version=v1]")
    assert seen(store) == []
    counted(store, FIRST + 1, "fast", "fast[model_version=v2,region=eu]", "right[model_version=v2]")
    assert seen(store) == [("v2", (FIRST + 1) * TICK)]
    counted(store, FIRST + 2, "fast[model_version=v2,region=us]", "fast[model_version=other]", "late[region=eu]")
    counted(store, FIRST + 3, "fast[model_version=v1]")
    assert len(seen(store)) == len(store.ledger(LedgerQuery(kind="event"))) == 1


def test_they_are_kept_for_400_days_and_the_newest_of_very_many(
    store: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, young = noted(store, NOW, "digits"), noted(store, NOW + 10)
    store.commit(Change(NOW + LONGEST_AGO + 1))
    assert store.events(ALL) == (young,)
    assert old.id < young.id
    monkeypatch.setattr(limits, "MOST_KEPT", 2)
    newest = [noted(store, NOW + 20 + each) for each in range(3)]
    assert store.events(ALL) == (newest[2], newest[1])
    assert store.db.execute("SELECT count(*) FROM event_of").fetchone() == (2,)


def test_an_older_store_begins_with_those_of_its_contracts(tmp_path: Path) -> None:
    before = next(nth for nth, step in enumerate(migrations()) if "CREATE TABLE event (" in step)
    with closing(older(tmp_path, before)) as old, old.transaction():
        for version, since in (("v1", NOW), ("v2", NOW + 5)):
            old.execute(
                "INSERT INTO contract_version (contract, version, since, file, written) VALUES (?, ?, ?, '', '')",
                ("digits", version, since),
            )
    with opened(tmp_path) as store:
        marked = store.events(replace(ALL, contract="digits"))
        assert [(each.contracts, each.version, each.at, each.text) for each in marked] == [
            (("digits",), "v2", NOW + 5, "the contract was edited"),
            (("digits",), "v1", NOW, "the contract is new"),
        ]
        assert noted(store, NOW + 6).id > marked[0].id
        counted(store, FIRST, FAST.objective)
