"""How soon messages were taken, counted from the outbox: each once, by whoever took it first; over a restart."""

from pathlib import Path

import pytest

from keeptime.model.alert import Address, Aside, Message, Passed
from keeptime.model.change import Change
from keeptime.store.sqlite import SqliteStore
from keeptime.tell.own_promise import Told
from tests.store.given import FAST, FIRST, HOOK, LOG, NOW, message, opened

MAIL = Address("checkout", "email", "oncall@example.com")


def take(store: SqliteStore, address: Address, at: float) -> None:
    (head,) = [each for each in store.heads(at) if each.address == address]
    store.delivered(head.row, at, "204")


def counted(store: SqliteStore, at: float, audience: str = "checkout") -> tuple[int, int, int]:
    return store.told("digits", audience, 120, NOW - 28 * 86_400, at)


def test_each_message_counts_once_for_its_audience(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(Change(NOW, messages=(message("m1", FAST, HOOK, MAIL, LOG), message("m2"))))
        assert counted(store, NOW + 1) == (0, 0, 2)
        take(store, MAIL, NOW + 5)
        assert counted(store, NOW + 120) == (1, 0, 1)
        assert counted(store, NOW + 121) == (1, 1, 0)
        take(store, HOOK, NOW + 300)  # m1, again
        take(store, HOOK, NOW + 301)
        assert counted(store, NOW + 302) == (1, 1, 0)
        assert counted(store, NOW + 1, "operators") == (0, 0, 1)
        assert counted(store, NOW + 1, "nobody") == (0, 0, 0)
    with opened(tmp_path, tick=FIRST + 99) as store:
        assert counted(store, NOW + 1000) == (1, 1, 0)
        assert store.told("digits", "checkout", 120, NOW + 1, NOW + 1000) == (0, 0, 0)


def test_whoever_it_was_passed_on_to_counts_and_what_was_given_up_is_late(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(Change(NOW, messages=(message("m1"), message("m2"))))
        first, _ = store.late(NOW + 60, 60, 1)
        store.pass_on([Passed(first.row, MAIL, "late")], NOW + 60)
        take(store, MAIL, NOW + 61)
        (head,) = store.heads(NOW + 61)
        store.gave_up(head.row, NOW + 61, "it answered 410", channel=True)
        assert counted(store, NOW + 200) == (1, 1, 0)


def test_what_keeptime_says_of_itself_does_not_count(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        about = Message("s1", FAST._replace(objective="(keeptime)"), Aside.SERVICE, FIRST, b'{"id":"s1"}', (LOG,))
        store.commit(Change(NOW, messages=(about,)))
        assert counted(store, NOW + 999, "operators") == (0, 0, 0)


@pytest.mark.parametrize(
    ("in_time", "late", "word"),
    [
        (0, 0, "undecided"),
        (99, 0, "undecided"),
        (98, 1, "undecided"),
        (0, 2, "missed"),
        (100, 0, "met"),
        (99, 1, "met"),
        (98, 2, "missed"),
        (990, 10, "met"),
        (989, 11, "missed"),
    ],
)
def test_what_the_counts_come_to(in_time: int, late: int, word: str) -> None:
    told = Told("kept", "checkout", 120.0, in_time, late, 5)
    assert told.compliance == word
    assert told.share == (in_time / (in_time + late) if in_time + late else None)
