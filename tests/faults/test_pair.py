"""A pair: the leader killed, stopped, cut off; clocks apart; the database away. Each takeover's time is printed."""

import json
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from tests.e2e.keeping import until
from tests.faults.pairing import SHORT, Two, pair
from tests.faults.proxy import Way
from tests.faults.shifting import shifting
from tests.postgres import Databases, postgres

WITHIN = 15.0
"""The promise, from the fault to the other's lead."""


@pytest.fixture
def url(databases: Databases) -> Iterator[str]:
    with databases.one() as url:
        yield url


def took(two: Two, what: str) -> None:
    seconds = two.await_lead(two.b)
    print(f"{what}: the other led after {seconds:.1f} s")
    assert seconds <= WITHIN


def topics(two: Two) -> list[str]:
    return two.told.topics()


def test_the_leader_is_killed_and_the_other_goes_on(tmp_path: Path, url: str) -> None:
    """At the default figures, with a message that waits and a breach that goes on."""
    with pair(tmp_path, url, "8s") as two:
        two.start()
        assert not two.b.leads
        assert json.loads(two.b.get("/api/v1/contracts"))["leader"] == two.a.url
        assert b"keeptime_leader 0.0" in two.b.get("/metrics")
        assert b"keeptime_leader 1.0" in two.a.get("/metrics")
        assert b"This keeptime stands by" in two.b.get("/")
        two.a.network.be(Way.REFUSE)
        two.breach()
        two.a.kill()
        took(two, "killed")
        two.model.delay = 0.0
        until(lambda: topics(two)[-1:] == ["recovered"], 40, "the end to be told")
        assert topics(two)[0] == "broken"
        two.await_told()
        two.check_told()
        assert two.b.end() == 0


@pytest.mark.soak
@pytest.mark.parametrize("how", ["stopped", "cut off", "hanging"])
def test_other_ways_to_go_at_the_default_figures(tmp_path: Path, url: str, how: str) -> None:
    with pair(tmp_path, url, "8s") as two:
        two.start()
        two.breach()
        {
            "stopped": two.a.stop,
            "cut off": lambda: two.a.database.be(Way.REFUSE),
            "hanging": lambda: two.a.database.be(Way.HANG),
        }[how]()
        took(two, how)
        if how == "stopped":
            time.sleep(60)
            two.a.go_on()
        two.a.database.be(Way.PASS)
        until(lambda: not two.a.leads, 20, "the old leader to stand by")
        two.model.delay = 0.0
        until(lambda: topics(two)[-1:] == ["recovered"], 40, "the end to be told")
        two.await_told()
        two.check_told()


def test_fault_04_a_leader_that_was_stopped_sends_nothing_on_waking(tmp_path: Path, url: str) -> None:
    """What it has to tell waits, and its way to the consumer is open again when it wakes."""
    with pair(tmp_path, url) as two:
        two.start()
        two.a.network.be(Way.REFUSE)
        two.breach()
        two.a.stop()
        took(two, "stopped")
        two.await_told()
        two.a.network.be(Way.PASS)
        before = two.a.network.taken
        two.a.go_on()
        until(lambda: not two.a.leads, 20, "the old leader to stand by")
        time.sleep(1.5)  # its next try was due long ago
        assert two.a.network.taken == before
        assert two.b.leads
        two.check_told()


def test_fault_36_an_old_leader_wakes_and_its_writes_are_fenced(tmp_path: Path, url: str) -> None:
    """It stops in the middle of a tick; what it had counted of that is in no store, and it stands by, ready."""
    with pair(tmp_path, url) as two:
        two.start()
        until(lambda: len(two.rows("SELECT * FROM counts_tick")) >= 2, 20, "two ticks")
        two.a.stop()
        took(two, "stopped")
        ticks = dict(two.rows("SELECT at, good + bad + skipped FROM counts_tick"))
        two.a.go_on()
        until(lambda: not two.a.leads, 20, "the old leader to stand by")
        after = dict(two.rows("SELECT at, good + bad + skipped FROM counts_tick"))
        newest = max(ticks)
        assert {at: count for at, count in after.items() if at < newest} == {
            at: count for at, count in ticks.items() if at < newest
        }
        assert two.rows("SELECT term FROM lease") == [(2,)]
        assert two.rows("SELECT count(*) FROM epoch") == [(2,)]
        assert "another keeptime leads now" in two.a.log
        assert two.b.end() == 0
        two.await_lead(two.a)  # and it can lead again


def test_fault_35_both_send_and_the_ids_and_bodies_are_equal(tmp_path: Path, url: str) -> None:
    """The leader is cut off from the database while the consumer's answer drips: it was told, and nobody knows."""
    with pair(tmp_path, url) as two:
        two.start()
        two.a.network.every = 0.05
        two.a.network.be(Way.DRIP)
        two.breach()
        until(lambda: bool(two.told.received), 20, "the first to be told")
        two.a.database.be(Way.REFUSE)
        took(two, "cut off")
        two.await_told()
        (first, *others) = two.told.received
        assert first in others, "the other sent it too, the same id and bytes"
        two.check_told()
        until(lambda: bool(two.a.health()["problems"]), 20, "the old leader to say so")
        two.a.database.be(Way.PASS)
        until(lambda: not two.a.leads, 20, "the old leader to stand by")
        two.check_told()


def test_fault_24_a_pair_five_minutes_apart_has_the_same_ticks_and_ids(tmp_path: Path, url: str) -> None:
    with (
        shifting(tmp_path / "ahead", 300.0) as ahead,
        shifting(tmp_path / "behind", -300.0) as behind,
        pair(tmp_path, url, SHORT, (ahead.environment, behind.environment)) as two,
    ):
        two.start()
        two.a.network.be(Way.REFUSE)
        two.breach()
        (name,) = two.decided()
        (body,) = (json.loads(bytes(each)) for (each,) in two.rows("SELECT body FROM message"))  # type: ignore[arg-type]
        assert abs(datetime.fromisoformat(body["at"]).timestamp() - time.time()) < 60, "it goes by the database"
        assert "this machine's clock is +300 s off the database's" in two.a.log
        two.a.kill()
        took(two, "killed, with its clock ten minutes ahead of the other's")
        two.await_told()
        assert two.told.once()[0] == name
        until(lambda: len(two.rows("SELECT * FROM lived")) >= 2, 20, "the other's first tick")
        runs = two.rows("SELECT first, last FROM lived ORDER BY first")
        gaps = [later[0] - before[1] for before, later in pairwise(runs)]  # type: ignore[operator]
        assert max(gaps) < 60, "no tick was jumped over but those of the takeover"
        two.check_told()


def test_a_database_that_restarts_costs_no_tick(tmp_path: Path) -> None:
    """The leader counts and judges on, and commits what waits once it is back, under its own term."""
    with postgres() as server, pair(tmp_path, server.url()) as two:
        two.start()
        until(lambda: len(two.rows("SELECT * FROM counts_tick")) >= 2, 20, "two ticks")
        server.stop()
        until(lambda: bool(two.a.health()["problems"]), 20, "it to be said")
        time.sleep(3.0)  # more than the lease
        server.start()
        until(lambda: two.a.health()["problems"] == [], 30, "all to be well again")
        assert two.a.leads
        assert two.rows("SELECT term FROM lease") == [(1,)]
        assert len(two.rows("SELECT * FROM lived")) == 1, "every tick was lived through"
        assert two.b.health()["pair"]["leads"] is False  # type: ignore[index]


def test_a_database_that_is_not_there_is_one_clear_error(tmp_path: Path, url: str) -> None:
    with pair(tmp_path, url) as two:
        two.a.database.be(Way.REFUSE)
        code, said = two.a.refused()
        assert code == 1
        assert f"127.0.0.1:{two.a.database.port}" in said
        assert "it cannot be reached; trying again helps" in said
        code, said = two.a.refused("--data", str(tmp_path))
        assert (code, "give one of them" in said) == (2, True)
        code, said = two.a.refused("--lease", "1h")
        assert (code, "expected 2s to 60s" in said) == (2, True)
