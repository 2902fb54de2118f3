"""Killed while a decision is on its way: a hold goes on; what was not decided is judged again, or known unknown."""

import random
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.faults.scene import SLOW, scene

HOLD = 10.0
SUSTAINED = """\
contract: held
endpoint: {{url: "{url}", method: POST, json: {{data: 1}}}}
observe:
  - probe: {{every: 100ms, timeout: 1s}}
objectives:
  - 90% of requests under 200ms over 1h
policy:
  sustained: {{window: 10s, hold: 10s}}
consumers:
  - name: checkout
    tell: [{{webhook: {{url: "env:HOOK", secret: "env:HOOK_SECRET"}}}}]
"""


def test_fault_02_killed_each_eight_tenths_of_its_hold_the_breach_still_fires(tmp_path: Path) -> None:
    """The rule `for: 10s` of a program that forgets would never fire."""
    with scene(tmp_path, SUSTAINED) as stage:
        stage.model.delay = SLOW
        for _ in range(6):
            stage.keeptime.start()
            began = time.monotonic()  # of its life: under load a start takes as long as half of it
            while time.monotonic() - began < 0.8 * HOLD and not stage.told.received:
                time.sleep(0.1)
            if stage.told.received:
                break
            stage.keeptime.kill()
        else:
            pytest.fail(f"not told in six lives; {stage.keeptime.rows('SELECT * FROM alert')}")
        assert stage.told.topics() == ["broken"]
        assert "10 s" in str(stage.keeptime.objective()["reason"])


def test_fault_03_killed_before_it_decides_no_window_is_skipped(tmp_path: Path) -> None:
    """Lives too short to decide in; each tick from the first to the last is recorded, or known to be unknown."""
    chance = random.Random(3)
    with scene(tmp_path) as stage:
        stage.model.delay = SLOW
        for _ in range(4):
            stage.keeptime.start()
            time.sleep(chance.uniform(1.2, 2.2))
            stage.keeptime.kill()
        stage.keeptime.start()
        stage.await_topic("broken")
        assert stage.keeptime.end() == 0
        runs = [(int(a), int(b)) for a, b in stage.keeptime.rows("SELECT first, last FROM lived ORDER BY first")]  # type: ignore[call-overload]
        incomplete = {tick for (tick,) in stage.keeptime.rows("SELECT tick FROM incomplete")}
        for (_, last), (first, _) in pairwise(runs):
            assert last + 1 in incomplete, "the tick that was cut off is not taken for a quiet one"
            assert first in incomplete, "nor is the one in which the next life began"
        counted = stage.keeptime.rows("SELECT count(*) FROM counts_tick")
        assert counted[0][0], "what was judged is kept"
        stage.check_told()
