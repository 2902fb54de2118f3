"""fsync gives EIO: what was decided and is stored nowhere is tried once more and told, then keeptime ends."""

import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.commands import run
from tests.e2e.keeping import until
from tests.faults.locked import locked
from tests.faults.scene import SLOW, scene
from tests.faults.unsyncing import unsyncing

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="tracing another process takes root")


def test_fault_10_one_fsync_error_is_survived_and_nothing_is_lost(tmp_path: Path) -> None:
    with scene(tmp_path) as stage:
        stage.keeptime.start()
        stage.keeptime.await_condition("ok")
        assert stage.keeptime.process is not None
        with unsyncing(stage.keeptime.process.pid, when="1"):
            until(lambda: "the disk gave an error" in stage.keeptime.log, 20, "the error to be met")
            stage.breach()
        until(lambda: stage.unsent() == 0, 20, "all to be marked")
        assert stage.keeptime.end() == 0
        stage.check_told()
        assert run("ledger", "verify", "--data", str(stage.keeptime.data)) == 0


def test_fault_10_errors_that_go_on_end_keeptime_after_an_unacknowledged_decision_was_told(tmp_path: Path) -> None:
    with scene(tmp_path) as stage:
        stage.keeptime.start()
        stage.keeptime.await_condition("ok")
        process = stage.keeptime.process
        assert process is not None
        with locked(stage.keeptime.data):
            stage.model.delay = SLOW
            stage.keeptime.await_condition("broken")
            assert stage.decided() == [], "it is in memory alone"
            failing = ExitStack()
            failing.enter_context(unsyncing(process.pid))
        with failing:
            assert process.wait(40) == 1
        assert "the disk could not be synced, twice" in stage.keeptime.log
        assert "Traceback" not in stage.keeptime.log
        assert "broken" in stage.told.topics(), "told before the end"
        stage.told.received.clear()
        stage.keeptime.start()
        until(lambda: "broken" in stage.told.topics(), 40, "the breach to be judged and told again")
        assert stage.keeptime.end() == 0
        assert run("ledger", "verify", "--data", str(stage.keeptime.data)) == 0
