"""Declared exclusions are kept, with their rows of the ledger."""

from dataclasses import replace
from pathlib import Path

from keeptime.model.declared import Declared
from keeptime.model.ledger import LedgerQuery
from keeptime.store.declared import KEEP_SECONDS
from tests.store.given import NOW, opened

NEW = Declared(0, "digits", "fast", "ann", "new racks", NOW + 60, NOW + 120, NOW)


def test_what_was_declared_outlives_a_restart_and_is_in_the_ledger(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        first = store.declare(NEW, NOW)
        second = store.declare(replace(NEW, objective="", until=NOW + 900), NOW)
        assert (first, second.id) == (replace(NEW, id=1), 2)
        ended = store.end_declared(second.ending("bob", "it was wrong", NOW + 300), NOW + 5)
        assert (ended.until, ended.ended_by, ended.ended_why) == (NOW + 300, "bob", "it was wrong")
    with opened(tmp_path) as store:
        assert list(store.declared(NOW)) == [first, ended]
        assert list(store.declared(NOW + 120)) == [ended]
        assert list(store.newest_declared("digits", 9)) == [ended, first]
        assert list(store.newest_declared("digits", 1)) == [ended]
        assert store.newest_declared("other", 9) == []
        rows = [each for each in store.ledger(LedgerQuery(contract="digits")) if "exclusion" in each.kind]
    assert [(each.kind, each.fields["exclusion"], each.fields["author"]) for each in rows] == [
        ("exclusion_declared", 1, "ann"),
        ("exclusion_declared", 2, "ann"),
        ("exclusion_ended", 2, "bob"),
    ]
    assert rows[0].fields["from"] == NOW + 60


def test_it_is_kept_as_long_as_the_counts(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.declare(NEW, NOW)
        later = NOW + 200 + KEEP_SECONDS
        for ids in ([2, 1], [3, 2]):
            store.declare(replace(NEW, begins=later, until=later + 1), later)
            assert [each.id for each in store.newest_declared("digits", 9)] == ids, "no number is given twice"
