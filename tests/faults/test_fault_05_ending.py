"""Told to end while messages wait: it ends in time, loses nothing, and sends the rest when it is back."""

import time
from pathlib import Path

import pytest

from tests.e2e.keeping import until
from tests.faults.proxy import Way
from tests.faults.scene import SLOW, scene


@pytest.mark.parametrize("way", [Way.REFUSE, Way.HANG])
def test_fault_05_sigterm_with_a_queue_ends_in_time_and_loses_nothing(tmp_path: Path, way: Way) -> None:
    with scene(tmp_path) as stage:
        stage.network.be(way)
        stage.keeptime.start()
        stage.model.delay = SLOW
        until(lambda: stage.unsent() > 0, 30, "a message that waits")
        began = time.monotonic()
        assert stage.keeptime.end() == 0
        assert time.monotonic() - began < 15, "2 s for probes and 5 s for messages, and what a busy machine takes"
        assert stage.unsent() > 0
        assert stage.told.received == []
        stage.network.be(Way.PASS)
        stage.model.delay = 0.0
        stage.keeptime.start()
        stage.await_topic("recovered", 60)
        stage.check_told()
        assert "broken" in stage.told.topics()
