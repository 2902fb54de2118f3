"""Every step of telling, every day's exclusions and every edit of a contract is a row of the ledger."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from keeptime.errors import StoreError
from keeptime.model.change import Change
from keeptime.model.exclusion import FAILED, Exclusion, ExclusionKind
from keeptime.model.tally import Tally, TickRecord
from keeptime.model.version import ContractVersion
from keeptime.store.stored import Stored
from tests.store.given import FAST, FIRST, HOOK, LOG, NOW, RIGHT, TICK, message, opened

DAY = 8640
MIDNIGHT = -(-FIRST // DAY) * DAY
WEEKLY = Exclusion(ExclusionKind.MAINTENANCE, "weekly restart", "ops")


def rows(store: Stored, *kinds: str) -> list[tuple[str, dict[str, Any]]]:
    found = store.db.execute("SELECT kind, contract, fields FROM ledger ORDER BY seq")
    said = [(kind, {"contract": contract, **json.loads(fields)}) for kind, contract, fields in found]
    return [each for each in said if each[0] in kinds or (not kinds and each[0] != "epoch")]


def version(number: int, contract: str = "digits") -> ContractVersion:
    return ContractVersion(contract, f"v{number}", f"{contract}.yaml", f'{{"number":{number}}}')


def left_out(tick: int, failed: int, restarted: int) -> Change:
    reasons = {FAST: {FAILED: failed, WEEKLY: restarted}}
    return Change((tick + 1) * TICK, TickRecord(tick, {FAST: Tally(1)}, exclusions=reasons))


def test_a_decision_and_its_way_to_each_receiver(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        one = message("one", FAST, HOOK, LOG)
        store.commit(Change(NOW, messages=(one, one)))
        hook, log = store.heads(NOW)
        store.delivered(hook.row, NOW + 1, "204")
        store.failed(log.row, NOW + 1, NOW + 2, "no such file")
        store.gave_up(log.row, NOW + 2, "no such file", channel=False)
        store.replay(NOW + 3, rows=None, contract="digits")
        store.delivered(log.row, NOW + 4, "written")
        store.delivered(log.row, NOW + 5, "a second time changes nothing")
        of_hook = {"contract": "digits", "row": 1, "id": "one", "receiver": "webhook", "audience": "checkout"}
        of_log = {"contract": "digits", "row": 2, "id": "one", "receiver": "log", "audience": "operators"}
        (first, decision), *others = rows(store)
    assert first == "decision"
    assert decision == {
        "contract": "digits",
        "id": "one",
        "objective": "fast",
        "topic": "broken",
        "tick": FIRST,
        "reason": "",
        "body_sha256": hashlib.sha256(one.body).hexdigest(),
        "audiences": ["checkout", "operators"],
    }
    assert others == [
        ("delivery", {**of_hook, "answer": "204"}),
        ("dead_letter", {**of_log, "error": "no such file"}),
        ("replayed", of_log),
        ("delivery", {**of_log, "answer": "written"}),
    ]


def test_all_that_waited_behind_a_dead_channel_is_named(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for name in ("one", "two", "three"):
            store.commit(Change(NOW, messages=(message(name, FAST, HOOK, LOG),)))
        head = store.heads(NOW)[0]
        store.gave_up(head.row, NOW, "410", channel=True)
        assert [(each["id"], each["audience"]) for _, each in rows(store, "dead_letter")] == [
            ("one", "checkout"),
            ("two", "checkout"),
            ("three", "checkout"),
        ]
        dead = [each.row for each in store.letters(dead=True, most=9)]
        store.replay(NOW + 1, rows=dead[1:], contract=None)
        assert [each["id"] for _, each in rows(store, "replayed")] == ["two", "three"]


def test_what_a_day_left_out_once_it_is_over_and_again_where_more_comes_late(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(left_out(MIDNIGHT - 2, 1, 2))
        store.commit(left_out(MIDNIGHT - 1, 1, 0))
        assert rows(store) == []
        store.commit(left_out(MIDNIGHT, 5, 0))
        failed = {"kind": "errors", "reason": FAILED.reason, "author": "", "events": 2}
        weekly = {"kind": "maintenance", "reason": "weekly restart", "author": "ops", "events": 2}
        over = {"contract": "digits", "objective": "fast", "day": "2027-01-15", "reasons": [failed, weekly]}
        assert rows(store) == [("exclusion", over)]
        store.commit(left_out(MIDNIGHT - 1, 3, 0))  # late
    with opened(tmp_path, tick=MIDNIGHT + DAY) as store:
        store.commit(left_out(MIDNIGHT + DAY, 0, 0))
        *_, late, today = rows(store)
        assert late == ("exclusion", {**over, "reasons": [{**failed, "events": 5}, weekly]})
        assert today[1]["day"] == "2027-01-16"
        store.commit(left_out(MIDNIGHT + 2 * DAY, 0, 0))
        assert len(rows(store)) == 3, "a day on which nothing was left out has no row"


def test_an_edit_is_a_new_version_and_the_old_one_stays(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(Change(NOW, TickRecord(FIRST, {FAST: Tally(9, 1)}), versions=(version(1), version(1, "b"))))
        store.commit(Change(NOW + 1, versions=(version(1), version(1, "b"))))
        store.commit(Change(NOW + 2, TickRecord(FIRST + 1, {FAST: Tally(5)}), versions=(version(2),)))
    with opened(tmp_path, tick=FIRST + 2) as store:
        store.commit(Change(NOW + 20))
        store.commit(Change(NOW + 30, versions=(version(1), version(1, "b"))))
        changes = [(each["contract"], each["change"], each["before"], each["version"]) for _, each in rows(store)]
        assert changes == [
            ("digits", "new", None, "v1"),
            ("b", "new", None, "v1"),
            ("digits", "edited", "v1", "v2"),
            ("b", "removed", "v1", None),
            ("digits", "edited", "v2", "v1"),
            ("b", "new", None, "v1"),
        ]
        assert rows(store)[0][1]["sha256"] == hashlib.sha256(b'{"number":1}').hexdigest()
        uses = [(each.of.version, each.of.written, each.since, each.until) for each in store.versions("digits")]
        assert uses == [
            ("v1", '{"number":1}', NOW + 30, None),
            ("v2", '{"number":2}', NOW + 2, NOW + 30),
            ("v1", '{"number":1}', NOW, NOW + 2),
        ]
        counted = dict(store.tallies(FAST, FIRST, FIRST + 2, TICK))
        assert counted == {FIRST: Tally(9, 1), FIRST + 1: Tally(5)}, "counts of every version stay"
        assert store.versions("nobody") == ()


@pytest.mark.sqlite
def test_what_a_step_that_failed_wrote_is_not_in_the_ledger(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(Change(NOW, messages=(message("one"),)))
        before = store.ledger_head()
        store.db.execute("CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'full'); END")
        with pytest.raises(StoreError, match="full"):
            store.commit(Change(NOW, versions=(version(9),), messages=(message("two", RIGHT),)))
        assert store.ledger_head() == before
        assert store.versions("digits") == ()
