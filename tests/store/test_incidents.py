"""Incidents in the store: one step with the alert, told with receipts, paged, pruned, made of older messages."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keeptime.model.ack import Ack
from keeptime.model.alert import Address, AlertRow, AlertState, Message, Passed, Topic
from keeptime.model.change import Change
from keeptime.model.incident import How, IncidentQuery
from keeptime.model.key import ObjectiveKey
from keeptime.model.outcome import GaveUp
from keeptime.model.silence import Silence
from keeptime.model.verdict import Condition, Severity
from keeptime.store.incidents import KEEP_SECONDS
from keeptime.store.stored import Stored
from tests.store.given import FAST, FIRST, HOOK, LOG, NOW, RIGHT, opened

ALL = IncidentQuery()
SEGMENT = ObjectiveKey("digits", "fast[model_version=v2]")
NEXT = Address("operators", "log", "next")


@pytest.fixture
def store(tmp_path: Path) -> Stored:
    return opened(tmp_path)


def change(
    at: float, condition: Condition, began: float, key: ObjectiveKey = FAST, to: Sequence[Address] = (HOOK, LOG)
) -> Change:
    """The alert and what is told of it, in one step."""
    over = condition is Condition.OK
    severity = None if condition in (Condition.OK, Condition.NO_DATA) else Severity.PAGE
    state = AlertState.RESOLVED if over else AlertState.FIRING
    topic = Topic.RECOVERED if over else Topic(condition)
    said = {
        "type": f"keeptime.objective.{topic}",
        "contract_version": "v1",
        "condition": condition,
        "severity": severity,
        "at": _instant(at),
        "started": _instant(began),
        "reason": f"{condition} at {at - NOW:g}",
        "counts": {"sli": 0.75},
    }
    message = Message(f"{key.objective}-{topic}-{at}", key, topic, 1, json.dumps(said).encode(), tuple(to))
    return Change(at, alerts=(AlertRow(key, state, condition, severity, at, began),), messages=(message,))


def life(store: Stored, began: float, ended: float, key: ObjectiveKey = FAST) -> None:
    store.commit(change(began, Condition.BROKEN, began, key))
    store.commit(change(ended, Condition.OK, began, key))


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def test_it_begins_worsens_and_ends_with_the_alert(store: Stored) -> None:
    store.commit(change(NOW, Condition.AT_RISK, NOW))
    store.commit(change(NOW + 10, Condition.BROKEN, NOW))
    (lasting,) = store.incidents(ALL)
    assert (lasting.ended, lasting.condition, lasting.reason) == (None, Condition.BROKEN, "broken at 10")
    store.commit(change(NOW + 30, Condition.OK, NOW))
    (over,) = store.incidents(ALL)
    assert (over.id, over.ended, over.how, over.version) == (lasting.id, NOW + 30, How.RECOVERED, "v1")
    found = store.incident(over.id)
    assert found is not None
    assert [(step.topic, step.at - NOW) for step in found.incident.steps] == [
        (Topic.AT_RISK, 0), (Topic.BROKEN, 10), (Topic.RECOVERED, 30),
    ]  # fmt: skip
    assert {step.figures.sli for step in found.incident.steps} == {0.75}
    assert store.incident("digits.fast.19700101T000000Z") is None


def test_a_step_that_fails_leaves_neither_alert_nor_incident(store: Stored) -> None:
    whole = change(NOW, Condition.BROKEN, NOW)
    unreadable = replace(whole, messages=(*whole.messages, Message("x", RIGHT, Topic.BROKEN, 1, b"{", (HOOK,))))
    with pytest.raises(ValueError):
        store.commit(unreadable)
    assert (store.incidents(ALL), store.alerts(), store.heads(NOW)) == ((), {}, [])
    store.commit(whole)
    assert len(store.incidents(ALL)) == len(store.alerts()) == 1


def test_who_was_told_when_and_what_they_answered(store: Stored) -> None:
    store.commit(change(NOW, Condition.BROKEN, NOW))
    hook, log = sorted(store.heads(NOW), key=lambda row: row.address.audience)
    store.failed(hook.row, NOW + 1, NOW + 2, "503")
    store.pass_on([Passed(log.row, NEXT, "not taken")], NOW + 3)
    store.delivered(hook.row, NOW + 4, "204")
    store.mark([GaveUp(log.row, NOW + 5, "410", channel=False)])
    (one,) = store.incidents(ALL)
    found = store.incident(one.id)
    assert found is not None
    first, second, copy = found.told
    assert (first.address, first.attempts, first.taken, first.answer, first.dead) == (HOOK, 1, NOW + 4, "204", None)
    assert (second.address, second.taken, second.answer, second.dead) == (LOG, None, "410", NOW + 5)
    assert (copy.address, copy.taken, copy.origin, copy.topic) == (NEXT, None, log.row, Topic.BROKEN)


def test_acks_are_of_this_alert_and_silences_of_its_time(store: Stored) -> None:
    life(store, NOW, NOW + 10)
    ended = store.silence(Silence(0, "digits", "", "ann", "before", NOW + 20, NOW + 900), NOW + 15)
    store.end_silence(ended.id, "ann", "", NOW + 25)
    store.silence(Silence(0, "digits", "fast", "bob", "host", NOW + 35, NOW + 900), NOW + 35)
    store.silence(Silence(0, "digits", "right", "bob", "other", NOW + 35, NOW + 900), NOW + 35)
    store.commit(change(NOW + 30, Condition.BROKEN, NOW + 30))
    store.acknowledge([Ack(FAST, NOW + 30, "ann", "on it", NOW + 33), Ack(FAST, NOW + 30, "bob", "", NOW + 34)])
    newest, before = (store.incident(each.id) for each in store.incidents(ALL))
    assert newest is not None
    assert before is not None
    assert [ack.author for ack in newest.acks] == ["bob", "ann"]
    assert [silence.reason for silence in newest.silences] == ["host"]
    assert (before.acks, before.silences) == ((), ())


def test_a_message_that_a_silence_holds_back_says_so(store: Stored) -> None:
    made = store.silence(Silence(0, "digits", "", "ann", "moving", NOW, NOW + 60), NOW)
    life(store, NOW + 1, NOW + 2)
    store.settle_silences(NOW + 60)
    (one,) = store.incidents(ALL)
    found = store.incident(one.id)
    assert found is not None
    held = [each for each in found.told if each.address == LOG]
    assert [(each.muted, each.passed) for each in held] == [(made.id, NOW + 60)] * 2


def test_they_are_found_by_name_state_time_and_page(store: Stored) -> None:
    for start in range(0, 50, 10):
        life(store, NOW + start, NOW + start + 5)
    store.commit(change(NOW + 60, Condition.NO_DATA, NOW + 60, RIGHT))
    store.commit(change(NOW + 61, Condition.BROKEN, NOW + 61, SEGMENT))
    assert [each.key for each in store.incidents(replace(ALL, open=True))] == [SEGMENT, RIGHT]
    assert len(store.incidents(replace(ALL, open=False))) == 5
    assert [each.started for each in store.incidents(replace(ALL, objective="fast", since=NOW + 35))] == [
        NOW + 40, NOW + 30,
    ]  # fmt: skip
    assert store.incidents(replace(ALL, contract="other")) == ()
    whole = store.incidents(ALL)
    seen, page = [], replace(ALL, most=3)
    while found := store.incidents(page):
        seen += found
        page = replace(page, after=found[-1].id)
        life(store, NOW + 100 + len(seen), NOW + 100.5 + len(seen))
    assert tuple(seen) == whole, "what begins meanwhile moves no page"
    with pytest.raises(KeyError):
        store.incidents(replace(ALL, after="no such"))


def test_of_each_contract_the_newest_are_shown(store: Stored) -> None:
    for number in range(4):
        life(store, NOW + 10 * number, NOW + 10 * number + 1)
        life(store, NOW + 10 * number, NOW + 10 * number + 1, ObjectiveKey("other", "fast"))
    shown = store.newest_incidents(NOW + 15, 2)
    assert [(each.key.contract, each.started - NOW) for each in shown] == [
        ("other", 30), ("digits", 30), ("other", 20), ("digits", 20),
    ]  # fmt: skip
    assert len(store.newest_incidents(NOW + 25, 2)) == 2


def test_one_that_is_over_is_kept_for_400_days_and_one_that_lasts_for_good(store: Stored) -> None:
    life(store, NOW, NOW + 10)
    store.commit(change(NOW, Condition.BROKEN, NOW, RIGHT))
    store.commit(Change(NOW + KEEP_SECONDS + 9))
    assert len(store.incidents(ALL)) == 2
    store.commit(Change(NOW + KEEP_SECONDS + 11))
    assert [each.key for each in store.incidents(ALL)] == [RIGHT]


def test_a_store_of_an_older_keeptime_begins_with_what_its_messages_tell(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        life(store, NOW, NOW + 10)
        store.commit(change(NOW + 20, Condition.AT_RISK, NOW + 20))
        store.commit(change(NOW + 30, Condition.BROKEN, NOW + 20))
        life(store, NOW + 40, NOW + 50, SEGMENT)
        store.commit(Change(NOW, messages=(Message("odd", RIGHT, Topic.BROKEN, 1, b'{"id":"odd"}', ()),)))
        store.commit(change(NOW + 60, Condition.BROKEN, NOW + 60, RIGHT))
        store.commit(
            Change(NOW + 70, alerts=(AlertRow(RIGHT, AlertState.INACTIVE, Condition.OK, None, NOW + 70, None),))
        )
        names = [each.id for each in store.incidents(ALL)]
        before = [store.incident(each) for each in names]
        with store.db.transaction():
            store.db.execute("DELETE FROM incident")
    with opened(tmp_path, tick=FIRST + 10) as again:
        assert [again.incident(each) for each in names] == before
        assert len(again.incidents(ALL)) == len(names) == 4
    with opened(tmp_path, tick=FIRST + 20) as third:
        assert len(third.incidents(ALL)) == 4
