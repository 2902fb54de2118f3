"""Another program holds the database's write lock while a breach begins: it is told, and nothing is dropped."""

import time
from pathlib import Path

import pytest

from tests.cli.commands import run
from tests.e2e.keeping import until
from tests.faults.locked import locked
from tests.faults.scene import SLOW, scene

NOT_LIVED = "SELECT (SELECT max(last) + 1 - min(first) FROM lived) - (SELECT sum(last + 1 - first) FROM lived)"
EMPTY = "SELECT max(at >> 20) - min(at >> 20) + 1 - count(DISTINCT at >> 20) FROM counts_tick"


def check(folder: Path, seconds: float) -> None:
    with scene(folder) as stage:
        stage.keeptime.start()
        stage.keeptime.await_condition("ok")
        with locked(stage.keeptime.data):
            free_at = time.monotonic() + seconds
            stage.model.delay = SLOW
            until(lambda: "broken" in stage.told.topics(), 40, "the notice, though nothing can be stored")
            assert stage.decided() == []
            time.sleep(max(0.0, free_at - time.monotonic()))
            told = stage.told.once()
        until(lambda: len(stage.decided()) >= len(told) and stage.unsent() == 0, 40, "all to be stored and sent")
        assert stage.keeptime.end() == 0
        assert stage.told.once() == stage.decided()
        assert stage.keeptime.rows(NOT_LIVED) == [(0,)], "every tick is there"
        assert stage.keeptime.rows(EMPTY) == [(0,)], "and each with its counts"
        assert run("ledger", "verify", "--data", str(stage.keeptime.data)) == 0


def test_fault_14_a_lock_of_seconds_drops_nothing_and_hides_no_breach(tmp_path: Path) -> None:
    check(tmp_path, 8.0)


@pytest.mark.soak
def test_fault_14_a_lock_of_a_minute_drops_nothing_and_hides_no_breach(tmp_path: Path) -> None:
    check(tmp_path, 60.0)
