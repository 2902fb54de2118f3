"""Each message once, none lost by a handler that fails, what is missing named, memory bounded."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from keeptime.consumer import Courses, Gap, Inbox, Received, Seen, SeenInMemory, SeenInSqlite, silence
from keeptime.consumer.notice import Notice, read_notice
from keeptime.consumer.numbers import Numbers, Route
from keeptime.errors import StoreUnavailable, UsageError
from keeptime.model.verdict import Condition

from .given import BROKEN, NOW, OK, OTHER, PAGE, SECRET, bodies, encoded, signed

STORY = bodies(PAGE, BROKEN, OK)


def put(inbox: Inbox, body: dict[str, object], now: float = NOW) -> tuple[int, str]:
    data = encoded(body)
    answer = inbox.take(signed(data, str(body["id"]), now), data, now)
    return answer.status, answer.text


@pytest.fixture(params=["memory", "sqlite"])
def seen(request: pytest.FixtureRequest, tmp_path: Path) -> Seen:
    return SeenInMemory() if request.param == "memory" else SeenInSqlite(tmp_path / "seen.db")


def test_each_message_is_handed_over_once(seen: Seen) -> None:
    got: list[Received] = []
    inbox = Inbox(SECRET, got.append, seen)
    assert [put(inbox, body) for body in [STORY[0], *STORY]] == [
        (200, "taken"),
        (200, "known already"),
        (200, "taken"),
        (200, "taken"),
    ]
    assert [each.notice.topic for each in got if each.notice] == ["at_risk", "broken", "recovered"]
    assert [each.gap for each in got] == [None] * 3


def test_what_the_handler_did_not_finish_comes_again(seen: Seen) -> None:
    got: list[Received] = []

    def handle(received: Received) -> None:
        got.append(received)
        if len(got) == 1:
            raise OSError("the pager is down")

    inbox = Inbox(SECRET, handle, seen)
    with pytest.raises(OSError, match="pager"):
        put(inbox, STORY[0])
    assert put(inbox, STORY[0]) == (200, "taken")
    assert put(inbox, STORY[0]) == (200, "known already")
    assert len(got) == 2


def test_refusals_have_a_status_and_hand_nothing_over() -> None:
    inbox = Inbox(SECRET, _never)
    data = encoded(STORY[0])
    name = str(STORY[0]["id"])
    assert inbox.take(signed(data, name, secret=OTHER), data, NOW).status == 401
    assert inbox.take(signed(data, name), data, NOW + 900).status == 400
    assert inbox.take({}, data, NOW).status == 400
    assert inbox.take(signed(data, name), b"x" * 70_000, NOW).status == 413
    assert put(inbox, {**STORY[0], "reason": 5}) == (400, "the body's reason: expected text")


def test_a_type_that_is_not_known_is_handed_over_as_it_is() -> None:
    got: list[Received] = []
    inbox = Inbox(SECRET, got.append)
    assert put(inbox, {"type": "keeptime.report", "id": "h1", "n": 3})[0] == 200
    assert put(inbox, {"id": "h2"})[0] == 200
    assert [(each.type, each.notice, each.fields.get("n")) for each in got] == [
        ("keeptime.report", None, 3),
        ("", None, None),
    ]


def test_ids_in_a_file_outlive_the_process_and_are_dropped_when_old(tmp_path: Path) -> None:
    file = tmp_path / "seen.db"
    first = SeenInSqlite(file, keep_seconds=100)
    first.keep("a", NOW)
    first.close()
    again = SeenInSqlite(file, keep_seconds=100)
    assert again.has("a")
    again.keep("b", NOW + 101)
    assert not again.has("a")
    assert again.has("b")
    again.close()


def test_a_file_that_is_no_database_is_one_clear_error(tmp_path: Path) -> None:
    file = tmp_path / "seen.db"
    file.write_text("this is no database, and long enough to be looked at as one\n" * 20)
    with pytest.raises(StoreUnavailable, match="the ids of messages cannot be kept"):
        SeenInSqlite(file)


def test_a_file_that_is_locked_makes_the_message_come_again(tmp_path: Path) -> None:
    file = tmp_path / "seen.db"
    seen = SeenInSqlite(file)
    seen._file.execute("PRAGMA busy_timeout = 1")
    inbox = Inbox(SECRET, lambda received: None, seen)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable, match="try again"):
        put(inbox, STORY[0])
    other.close()
    assert put(inbox, STORY[0]) == (200, "taken")


def test_memory_is_bounded() -> None:
    seen = SeenInMemory(most=3)
    for name in "abcd":
        seen.keep(name, NOW)
    assert [seen.has(name) for name in "abcd"] == [False, True, True, True]


AT_RISK, BROKE, RECOVERED = map(read_notice, STORY)


def after(*taken: Notice, most: int = 10) -> Courses:
    courses = Courses(most)
    for notice in taken:
        courses.move(notice.id, notice.numbers, notice, nothing)
    return courses


def nothing(_: str) -> bool:
    return False


def gap(courses: Courses, notice: Notice) -> Gap | None:
    return courses.look(notice.numbers, notice, nothing)[0]


def test_without_numbers_a_change_that_was_not_heard_of_is_named_but_not_certain() -> None:
    assert gap(after(), RECOVERED) is None
    assert gap(after(AT_RISK), BROKE) is None
    found = gap(after(AT_RISK), RECOVERED)
    assert found is not None
    assert (found.certain, found.missing) == (False, None)
    assert found.text == (
        "sentiment-latency/p99 was at_risk (page) in the message before and broken (page) before this one: "
        "a message was lost, or was not meant for this receiver"
    )


def test_of_many_contracts_the_newest_are_remembered() -> None:
    def of(contract: str, number: int) -> Notice:
        numbers = Numbers(Route(contract, ""), "e", number, None, 0, ())
        return replace(AT_RISK, contract=contract, numbers=numbers)

    courses = after(*(of(f"c{each}", 1) for each in range(20)), most=5)
    assert gap(courses, of("c19", 9)) is not None
    assert gap(courses, of("c1", 9)) is None
    assert len(courses._standings) == len(courses._routes) == 5


def test_a_recovery_and_what_follows_is_no_gap() -> None:
    again = replace(AT_RISK, previous_condition=Condition.OK, previous_severity=None)
    assert gap(after(AT_RISK, BROKE, RECOVERED), again) is None


def test_silence_is_told_with_how_long() -> None:
    assert silence(NOW, NOW + 60, 60) is None
    assert silence(NOW, NOW + 120, 60) == "nothing heard for 2 min; expected something every 1 min"
    with pytest.raises(UsageError):
        silence(NOW, NOW, 0)


def test_an_inbox_knows_when_it_last_heard_something_genuine() -> None:
    inbox = Inbox(SECRET, lambda received: None)
    assert inbox.silence(NOW, 60, started=NOW - 61) is not None
    put(inbox, STORY[0])
    assert inbox.silence(NOW + 60, 60, started=NOW - 61) is None
    put(inbox, STORY[0], NOW + 50)
    assert inbox.silence(NOW + 60, 60, started=0) is None
    inbox.take({}, b"", NOW + 500)
    assert inbox.silence(NOW + 500, 60, started=0) is not None


def test_the_same_message_twice_at_once_is_handed_over_once() -> None:
    got: list[Received] = []
    begun, go = Event(), Event()

    def handle(received: Received) -> None:
        begun.set()
        go.wait(20)
        got.append(received)

    inbox = Inbox(SECRET, handle)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(put, inbox, STORY[0])
        begun.wait(20)
        second = threads.submit(put, inbox, STORY[0])
        go.set()
        assert (first.result(), second.result()) == ((200, "taken"), (200, "known already"))
    assert len(got) == 1


def test_it_loads_no_framework() -> None:
    code = (
        "import sys; began = set(sys.modules); import keeptime.consumer; "
        "print(*sorted({each.partition('.')[0] for each in set(sys.modules) - began} - sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    of_cryptography = {"_cffi_backend", "_openssl", "cffi"}
    assert set(done.stdout.split()) - of_cryptography == {"cryptography", "keeptime", "standardwebhooks"}


def _never(received: Received) -> None:
    raise AssertionError(received)
