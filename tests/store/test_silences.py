"""Silences in the store: what they hold back, and what is sent when they are over."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from keeptime.model.ack import Ack
from keeptime.model.alert import KEEPTIME, Address, AlertRow, AlertState, Aside, Message, Passed, Topic
from keeptime.model.change import Change
from keeptime.model.key import ObjectiveKey
from keeptime.model.silence import Silence
from keeptime.model.verdict import Condition, Severity
from keeptime.store.sqlite import SqliteStore
from tests.store.given import FAST, HOOK, NOW, RIGHT, opened

LOG = Address("operators", "log", "stdout")
MINE = Silence(0, "digits", "fast", "ann", "moving hosts", NOW, NOW + 3600)
BEGAN, LATER = "2027-01-15T08:00:00Z", "2027-01-15T09:00:00Z"


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return opened(tmp_path)


def told(
    store: SqliteStore,
    name: str,
    at: float,
    condition: str = "broken",
    key: ObjectiveKey = FAST,
    began: str = BEGAN,
) -> None:
    """A message to the consumer and the operators."""
    topic = Topic.RECOVERED if condition == "ok" else Topic(condition)
    said = {
        "type": f"keeptime.objective.{topic}",
        "condition": condition,
        "severity": "page",
        "started": began,
        "reason": "",
    }
    message = Message(name, key, topic, int(at), json.dumps(said).encode(), (HOOK, LOG))
    store.commit(Change(at, messages=(message,)))


def sent(store: SqliteStore, at: float = 1e12) -> list[tuple[str, str]]:
    """Deliver all there is to deliver: (audience, message) in the order in which it goes out."""
    found = []
    while heads := store.heads(at):
        for head in heads:
            store.delivered(head.row, at, "204")
            found.append((head.address.audience, head.message_id))
    return found


def ledger(store: SqliteStore, kind: str) -> list[dict[str, object]]:
    rows = store.db.execute("SELECT fields FROM ledger WHERE kind = ? ORDER BY seq", (kind,))
    return [json.loads(fields) for (fields,) in rows]


def test_operators_are_muted_consumers_never(store: SqliteStore) -> None:
    made = store.silence(MINE, NOW)
    told(store, "one", NOW + 1)
    told(store, "other", NOW + 1, key=RIGHT)
    assert sorted(sent(store)) == [("checkout", "one"), ("checkout", "other"), ("operators", "other")]
    (held,) = store.letters(dead=False, most=9)
    assert (held.muted, held.address.audience, held.message_id) == (made.id, "operators", "one")
    (waiting,) = store.muted()
    assert (waiting.contract, waiting.count) == ("digits", 1)
    assert ledger(store, "decision")[0]["muted_by_silence"] == made.id
    assert ledger(store, "silence")[0]["reason"] == "moving hosts"


def test_what_is_muted_takes_no_number_until_it_is_sent(store: SqliteStore) -> None:
    told(store, "before", NOW - 1)
    (first,) = [each for each in store.heads(NOW) if each.address == LOG]
    made = store.silence(MINE, NOW)
    told(store, "held", NOW + 1)
    store.end_silence(made.id, "ann", "", NOW + 2)
    store.delivered(first.row, NOW, "204")
    told(store, "recovered", NOW + 1, "ok")
    (second,) = [each for each in store.heads(NOW + 9) if each.address == LOG]
    assert first.numbers is not None
    assert second.numbers is not None
    assert second.numbers.sequence == first.numbers.sequence + 1
    assert second.numbers.previous_id == "before"


def test_the_newest_is_sent_at_the_end_where_it_says_something_else(store: SqliteStore) -> None:
    told(store, "at-risk", NOW - 9, "at_risk")
    sent(store)
    made = store.silence(MINE, NOW)
    told(store, "broken", NOW + 1)
    told(store, "no-data", NOW + 2, "no_data")
    assert [each for each in sent(store) if each[0] == "operators"] == []
    over, objectives = store.end_silence(made.id, "bob", "found it", NOW + 3)
    assert over is not None
    assert (over.ended, over.ended_by, over.ended_why) == (NOW + 3, "bob", "found it")
    assert objectives == (FAST,)
    assert sent(store) == [("operators", "no-data")]
    assert store.muted() == []
    assert store.letters(dead=False, most=9) == ()
    assert ledger(store, "silence_ended")[0]["how"] == "by hand"


@pytest.mark.parametrize(
    ("before", "during", "says"),
    [
        ([], ["broken", "ok"], []),
        (["broken"], ["at_risk", "broken"], []),
        (["broken"], ["ok"], ["during-0"]),
        (["broken", "ok"], ["broken"], ["during-0"]),
        ([], ["at_risk", "broken"], ["during-1"]),
    ],
)
def test_what_is_no_news_stays_muted(
    store: SqliteStore, before: list[str], during: list[str], says: list[str]
) -> None:
    for number, each in enumerate(before):
        told(store, f"before-{number}", NOW - 9 + number, each)
    sent(store)
    store.silence(MINE, NOW)
    for number, each in enumerate(during):
        told(store, f"during-{number}", NOW + 1 + number, each)
    sent(store)
    store.settle_silences(NOW + 3600)
    assert [name for audience, name in sent(store) if audience == "operators"] == says


def test_an_alert_that_began_anew_meanwhile_is_news(store: SqliteStore) -> None:
    told(store, "first", NOW - 9)
    sent(store)
    store.silence(MINE, NOW)
    told(store, "over", NOW + 1, "ok")
    told(store, "second", NOW + 2, began=LATER)
    sent(store)
    store.settle_silences(NOW + 3600)
    assert sent(store) == [("operators", "second")]


def test_what_came_after_the_silence_makes_what_is_muted_old(store: SqliteStore) -> None:
    store.silence(MINE, NOW)
    told(store, "held", NOW + 1)
    sent(store)
    told(store, "after", NOW + 3600)
    over, objectives = store.settle_silences(NOW + 3601)
    assert len(over) == 1
    assert objectives == ()
    assert ("operators", "after") in sent(store)
    assert sent(store) == []


def test_two_silences_hold_until_the_last_of_them_is_over(store: SqliteStore) -> None:
    first = store.silence(MINE, NOW)
    whole = store.silence(Silence(0, "digits", "", "bob", "all of it", NOW, NOW + 9), NOW)
    told(store, "held", NOW + 1)
    sent(store)
    assert store.end_silence(first.id, "ann", "", NOW + 2)[1] == ()
    assert len(store.muted()) == 1
    assert store.settle_silences(NOW + 9) == ((store.newest_silences(9)[0],), (FAST,))
    assert whole.id == store.newest_silences(9)[0].id


def test_it_mutes_from_its_beginning_until_before_its_end_and_never_what_is_of_keeptime_itself(
    store: SqliteStore,
) -> None:
    store.silence(Silence(0, "digits", "", "ann", "tonight", NOW + 10, NOW + 20), NOW)
    for at, name in ((9, "before"), (10, "in"), (19.9, "still"), (20, "after")):
        told(store, name, NOW + at)
    itself = Message("itself", ObjectiveKey("digits", KEEPTIME), Aside.SERVICE, 1, b"{}", (LOG,))
    store.commit(Change(NOW + 11, messages=(itself,)))
    assert [name for audience, name in sent(store) if audience == "operators"] == ["before", "after", "itself"]


def test_ended_stays_ended_and_is_not_ended_twice(store: SqliteStore) -> None:
    made = store.silence(MINE, NOW)
    once, _ = store.end_silence(made.id, "ann", "", NOW + 1)
    assert store.end_silence(made.id, "bob", "", NOW + 2) == (once, ())
    assert store.settle_silences(NOW + 9999) == ((), ())
    assert store.end_silence(99, "bob", "", NOW + 2) == (None, ())
    assert len(ledger(store, "silence_ended")) == 1


def test_a_refresh_repeats_what_was_told_and_not_what_is_muted(store: SqliteStore) -> None:
    told(store, "told", NOW - 9)
    sent(store)
    store.silence(MINE, NOW)
    told(store, "muted", NOW + 1, "no_data")
    sent(store)
    assert [each.message_id for each in store.latest("log")] == ["told"]


def test_muted_rows_are_pruned_when_their_time_is_over(store: SqliteStore) -> None:
    store.silence(MINE, NOW)
    told(store, "one", NOW + 1)
    told(store, "two", NOW + 2, "ok")
    sent(store)
    store.settle_silences(NOW + 3600)
    store.commit(Change(NOW + 91 * 86_400))
    assert store.db.execute("SELECT count(*) FROM outbox WHERE muted IS NOT NULL").fetchone() == (0,)


def test_what_is_muted_is_not_late_and_what_is_acknowledged_says_so(store: SqliteStore) -> None:
    row = AlertRow(FAST, AlertState.FIRING, Condition.BROKEN, Severity.PAGE, NOW, NOW)
    store.commit(Change(NOW, alerts=(row,)))
    told(store, "one", NOW)
    made = store.silence(MINE, NOW)
    told(store, "muted", NOW + 1)
    assert sorted(each.message_id for each in store.late(NOW + 999, 120.0, 1)) == ["muted", "one", "one"]
    assert not any(each.acknowledged for each in store.late(NOW + 999, 120.0, 1))
    store.acknowledge([Ack(FAST, NOW, "ann", "", NOW + 2)])
    assert all(each.acknowledged for each in store.late(NOW + 999, 120.0, 1))
    store.commit(Change(NOW, alerts=(replace(row, started=NOW + 3),)))
    assert not any(each.acknowledged for each in store.late(NOW + 999, 120.0, 1)), "another alert"
    assert made.id == 1
    assert store.told("digits", "operators", 120.0, NOW - 1, NOW + 999) == (0, 1, 0), (
        "what is muted was not promised"
    )


def test_who_is_passed_on_to_is_muted_like_anybody(store: SqliteStore) -> None:
    told(store, "one", NOW)
    store.silence(MINE, NOW)
    pager = Address("operators", "pagerduty", "env:PAGER")
    (late,) = [each for each in store.late(NOW + 999, 120.0, 1) if each.address == HOOK]
    store.pass_on([Passed(late.row, pager, "late")], NOW + 999)
    assert [name for audience, name in sent(store) if audience == "operators"] == ["one"], "the log's alone"
    assert [each.address for each in store.muted()] == [pager]


def test_who_was_to_be_passed_on_to_does_not_hear_of_an_alert_that_is_over(store: SqliteStore) -> None:
    pager = Address("operators", "pagerduty", "env:PAGER")
    told(store, "one", NOW)
    (late,) = [each for each in store.late(NOW + 999, 120.0, 1) if each.address == LOG]
    store.silence(MINE, NOW + 998)
    store.pass_on([Passed(late.row, pager, "late")], NOW + 999)
    told(store, "end", NOW + 1000, "ok")
    assert [each for each in sent(store) if each[0] == "operators"] == [("operators", "one")]
    _, objectives = store.settle_silences(NOW + 3600)
    assert objectives == (FAST,)
    assert sent(store) == [("operators", "end")], "the log's; the pager never heard of it"
    assert store.muted() == []


def test_an_acknowledgement_is_kept_and_proven(store: SqliteStore, tmp_path: Path) -> None:
    first, second = Ack(FAST, NOW, "ann", "on it", NOW + 1), Ack(FAST, NOW, "bob", "", NOW + 2)
    store.acknowledge([first])
    store.acknowledge([second])
    store.close()
    with opened(tmp_path) as again:
        assert again.acks() == {FAST: second}
        assert [each["author"] for each in ledger(again, "ack")] == ["ann", "bob"]
