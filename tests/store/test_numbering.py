"""Numbers of messages in the real store: an epoch for each start, frozen with the row, none for what is older."""

import json
from contextlib import closing
from pathlib import Path

from keeptime.model.change import Change
from keeptime.model.numbers import Numbers, Taken
from keeptime.tell.message import numbered
from tests.store.given import FAST, FIRST, HOOK, NOW, RIGHT, message, older, opened


def test_a_sequence_goes_on_over_restarts_and_objectives_and_each_start_is_an_epoch(tmp_path: Path) -> None:
    epochs = []
    for start in range(3):
        with opened(tmp_path, tick=FIRST + start) as store:
            store.commit(Change(NOW, messages=(message(f"a{start}", FAST), message(f"b{start}", RIGHT))))
            for sequence in (2 * start + 1, 2 * start + 2):
                (head,) = store.heads(NOW)
                assert head.numbers is not None
                assert head.numbers.sequence == sequence
                epochs.append(head.numbers.epoch)
                store.delivered(head.row, NOW, "204")
    assert epochs == sorted(epochs)
    assert len(set(epochs)) == 3
    assert [each.partition("Z-")[0] for each in epochs[::2]] == [
        "2027-01-15T08:00:10.000000",
        "2027-01-15T08:00:20.000000",
        "2027-01-15T08:00:30.000000",
    ]


def test_the_last_message_that_a_receiver_took_is_known(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert store.last_taken("digits", HOOK) is None
        store.commit(Change(NOW, messages=(message("m1"), message("m2"))))
        (first,) = store.heads(NOW)
        store.delivered(first.row, NOW, "204")
        taken = store.last_taken("digits", HOOK)
        assert first.numbers is not None
        assert taken == Taken(first.numbers.epoch, 1, "m1")
        assert store.last_taken("letters", HOOK) is None


def test_numbers_are_frozen_with_the_row_and_the_bytes_with_them(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(Change(NOW, messages=(message("m1"),)))
        (first,) = store.heads(NOW)
        store.failed(first.row, NOW, NOW, "it answered 500")
    with opened(tmp_path, tick=FIRST + 9) as store:
        (again,) = store.heads(NOW)
    assert again.numbers == first.numbers
    assert numbered(again) == numbered(first)
    assert json.loads(numbered(first)) == {
        "audience": "checkout",
        "epoch": first.numbers and first.numbers.epoch,
        "id": "m1",
        "missing": {"count": 0, "ids": []},
        "previous_id": None,
        "sequence": 1,
    }


def test_a_row_of_an_older_keeptime_has_no_numbers_and_the_next_one_names_it(tmp_path: Path) -> None:
    with closing(older(tmp_path, 4)) as old:
        old.execute("INSERT INTO objective VALUES (1, ?, ?, NULL)", FAST)
        old.execute(
            "INSERT INTO message (message_id, objective, topic, tick, created, body) "
            "VALUES ('old', 1, 'broken', 1, 0, ?)",
            (b'{"id":"old"}',),
        )
        old.execute(
            "INSERT INTO route (contract, address, fields, kind) VALUES ('digits', ?, ?, 'webhook')",
            (HOOK.id, json.dumps({"audience": "checkout", "kind": "webhook", "target": "env:HOOK"})),
        )
        old.execute("INSERT INTO outbox (message, route, objective, created, next_try) VALUES (1, 1, 1, 0, 0)")
    with opened(tmp_path) as store:
        store.commit(Change(NOW, messages=(message("m1"),)))
        (head,) = store.heads(NOW)
        assert head.numbers is None
        assert json.loads(numbered(head)) == {
            **{"audience": "checkout", "id": "old"},
            **{"epoch": None, "missing": None, "previous_id": None, "sequence": None},
        }
        store.delivered(head.row, NOW, "204")
        (head,) = store.heads(NOW)
        assert head.numbers == Numbers(head.numbers.epoch if head.numbers else "", 1, "old")


def test_each_epoch_is_a_row_of_the_ledger(tmp_path: Path) -> None:
    for _ in range(2):
        with opened(tmp_path) as store:
            rows = store.db.execute("SELECT fields FROM ledger WHERE kind = 'epoch' ORDER BY seq")
            named = [json.loads(fields)["epoch"] for (fields,) in rows]
            assert named == [name for (name,) in store.db.execute("SELECT name FROM epoch ORDER BY id")]
    assert len(named) == 2
