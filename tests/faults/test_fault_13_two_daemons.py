"""A second daemon on the same database: it says who has it and ends; the first one is not disturbed."""

from pathlib import Path

from tests.faults.scene import scene


def test_fault_13_the_second_daemon_on_one_database_refuses_and_the_first_goes_on(tmp_path: Path) -> None:
    with scene(tmp_path) as stage:
        stage.keeptime.start()
        assert stage.keeptime.process is not None
        before = int(stage.keeptime.await_events(5)["good"])  # type: ignore[call-overload]
        code, said = stage.keeptime.refused()
        assert code == 1
        assert f"another keeptime (pid {stage.keeptime.process.pid}) uses this store" in said
        assert "Traceback" not in said
        stage.keeptime.await_events(before + 5)
        assert stage.keeptime.end() == 0
