"""Steps of what nobody took: kept with all they tell of, over a restart, and forgotten with the message."""

import json
from dataclasses import replace
from pathlib import Path

from keeptime.model.ack import Ack
from keeptime.model.alert import Address, AlertRow, AlertState, Message, Passed, Topic
from keeptime.model.change import Change
from keeptime.model.verdict import Condition, Severity
from keeptime.store.posting import KEEP_SECONDS
from keeptime.tell.message import instant
from tests.store.given import FAST, FIRST, HOOK, LOG, NOW, message, opened

MAIL = Address("checkout", "email", "oncall@example.com")


def test_a_step_is_kept_whole_and_outlives_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(Change(NOW, messages=(message("m1"), message("m2"))))
        assert [each.row for each in store.late(NOW + 119, 120, 1)] == []
        first, second = store.late(NOW + 120, 120, 1)
        assert (first.message_id, first.address, first.steps, first.stepped_at) == ("m1", HOOK, 0, None)
        told = message("s1", FAST, LOG)
        store.pass_on([Passed(first.row, MAIL, "late", (told,)), Passed(second.row, None, "late")], NOW + 120)
    with opened(tmp_path, tick=FIRST + 20) as store:
        assert store.late(NOW + 239, 120, 1) == []
        first, second = store.late(NOW + 239, 120, 2)
        assert (first.steps, first.stepped_at, first.taken_on_the_way) == (1, NOW + 120, False)
        assert [(each.contract, each.address, each.count) for each in store.waiting()] == [
            ("digits", HOOK, 2),
            ("digits", MAIL, 1),
            ("digits", LOG, 1),
        ]
        copy = next(each for each in store.heads(NOW + 120) if each.address == MAIL)
        assert (copy.message_id, copy.created, copy.next_try) == ("m1", NOW, NOW + 120)
        store.delivered(copy.row, NOW + 130, "250")
        assert [each.taken_on_the_way for each in store.late(NOW + 239, 120, 2)] == [True, False]
        store.pass_on([Passed(first.row, MAIL, "again")], NOW + 240)
        first, _ = store.late(NOW + 239, 120, 9)
        assert (first.steps, first.stepped_at) == (2, NOW + 240)
        assert MAIL not in [each.address for each in store.waiting()]  # it goes nowhere twice


def test_what_was_given_up_is_late_at_once_and_not_for_ever(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(Change(NOW, messages=(message("m1"),)))
        store.gave_up(store.heads(NOW)[0].row, NOW + 2, "it answered 410", channel=True)
        (late,) = store.late(NOW + 3, 120, 1)
        assert (late.dead, late.error) == (NOW + 2, "it answered 410")
        assert store.late(NOW + 2 * 86_400, 120, 1) == []


def test_what_is_replayed_has_its_time_anew(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(Change(NOW, messages=(message("m1"), message("m2"))))
        store.gave_up(store.heads(NOW)[0].row, NOW + 2, "it answered 410", channel=True)
        store.replay(NOW + 9999, rows=None, contract=None)
        assert list(store.late(NOW + 9999 + 119, 120, 1)) == []
        assert list(store.not_taken(NOW + 9999 + 119, 120, 0, 9)) == []
        assert [each.message_id for each in store.late(NOW + 9999 + 120, 120, 1)] == ["m1", "m2"]
        (head,) = store.heads(NOW + 9999)
        store.failed(head.row, NOW + 10_000, NOW + 10_001, "it answered 503")
        assert [each.message_id for each in store.late(NOW + 10_000, 120, 1)] == ["m1"], "it was tried, and is old"


def test_steps_are_forgotten_with_their_message(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(Change(NOW, messages=(message("m1"),)))
        (late,) = store.late(NOW + 120, 120, 1)
        store.pass_on([Passed(late.row, MAIL, "late")], NOW + 120)
        for head in store.heads(NOW + 120):
            store.delivered(head.row, NOW + 121, "204")
        for later in (1, 2, 3):
            new = message(f"n{later}", FAST, HOOK, MAIL)
            at = NOW + KEEP_SECONDS * 1.5 * later
            store.commit(Change(at, messages=(new,)))
            for head in store.heads(at):
                store.delivered(head.row, at, "204")
        for table in ("escalation", "escalated"):
            with store.db.speaking():
                assert store.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0


def test_the_first_page_of_an_open_alert_is_asked_about(tmp_path: Path) -> None:
    row = AlertRow(FAST, AlertState.FIRING, Condition.BROKEN, Severity.PAGE, NOW, NOW)
    body = json.dumps({"severity": "page", "condition": "broken", "started": instant(NOW)}).encode()
    page = Message("m1", FAST, Topic.BROKEN, FIRST, body, (LOG,))
    with opened(tmp_path) as store:
        store.commit(Change(NOW, alerts=(row,), messages=(page,)))
        assert store.unanswered(["digits"]) == []  # nobody took it yet
        store.delivered(store.heads(NOW)[0].row, NOW, "written")
        (late,) = store.unanswered(["digits", "letters"])
        assert (late.message_id, late.address, late.steps, late.acknowledged) == ("m1", LOG, 0, False)
        store.pass_on([Passed(late.row, replace(LOG, target="other"), "not acknowledged")], NOW + 900)
        (late,) = store.unanswered(["digits"])
        assert (late.steps, late.stepped_at) == (1, NOW + 900)
        store.acknowledge([Ack(FAST, NOW, "ann", "", NOW + 901)])
        assert [each.acknowledged for each in store.unanswered(["digits"])] == [True]
        assert store.unanswered(["letters"]) == []
        over = replace(row, state=AlertState.RESOLVED, condition=Condition.OK, severity=None)
        store.commit(Change(NOW + 999, alerts=(over,)))
        assert store.unanswered(["digits"]) == []
