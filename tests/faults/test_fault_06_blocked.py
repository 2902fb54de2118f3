"""The event loop is blocked, or the process stands still: it is noticed, said, and over when it is over."""

import asyncio
import logging
import time
from pathlib import Path

import pytest

from keeptime.app.looplag import BLOCKED, LoopLag
from keeptime.app.noticing import Noticing
from keeptime.clock import SteadyClock
from tests.e2e.keeping import until
from tests.faults.scene import scene


def hold_up(seconds: float) -> None:
    time.sleep(seconds)


def test_fault_06_a_blocked_loop_is_said_while_it_is_with_the_place(caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []

    async def tell(code: str, sentence: str, contract: str | None) -> None:
        told.append(code)

    async def story() -> tuple[float, list[str]]:
        noticing = Noticing(SteadyClock(), dict, tell)
        running = asyncio.create_task(noticing.run())
        await asyncio.sleep(0.2)
        assert noticing.loop_lag < BLOCKED
        hold_up(BLOCKED + 1)
        said_meanwhile = caplog.text
        await asyncio.sleep(0.7)
        found = noticing.loop_lag, noticing.problems()
        await asyncio.sleep(1)
        running.cancel()
        assert "is blocked since 2 s in hold_up (test_fault_06_blocked.py:" in said_meanwhile
        return found

    with caplog.at_level(logging.ERROR):
        lag, problems = asyncio.run(story())
    assert BLOCKED <= lag < BLOCKED + 3
    (problem,) = problems
    assert problem.startswith("keeptime stood still for ")
    assert told == ["blocked"]


def test_fault_06_the_thread_that_watches_ends_with_the_loop() -> None:
    lag = LoopLag()

    async def story() -> None:
        lag.start()
        await asyncio.sleep(0.1)

    asyncio.run(story())
    lag._thread.join(5)
    assert not lag._thread.is_alive()


def test_fault_06_a_process_that_stood_still_says_so_and_goes_on(tmp_path: Path) -> None:
    with scene(tmp_path) as stage:
        stage.keeptime.start()
        stage.keeptime.await_events(10)
        stage.keeptime.stop()
        time.sleep(BLOCKED + 1.5)
        stage.keeptime.go_on()
        until(lambda: "keeptime stood still for" in stage.keeptime.get("/healthz").decode(), 10, "it to be said")
        shown = stage.keeptime.get("/metrics").decode().splitlines()
        (line,) = [each for each in shown if each.startswith("keeptime_loop_lag")]
        assert float(line.split()[1]) >= BLOCKED
        assert stage.told.received == []
        stage.breach()
