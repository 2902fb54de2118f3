"""The wall clock is set by an hour or a year, to and fro, before and while keeptime runs: nothing is told that is
not so, and what is so is told."""

import json
from dataclasses import dataclass
from pathlib import Path

from keeptime.clock import FOLLOWED, MOST_FOLLOWED, SECOND, STANDS, SteadyClock
from tests.e2e.keeping import until
from tests.faults.scene import Scene, scene
from tests.faults.shifting import HOUR, YEAR


@dataclass
class Machine:
    """The machine's clocks, in the test's hands."""

    mono: int = 10**15
    wall: int = 1_800_000_000 * SECOND

    def wall_ns(self) -> int:
        return self.wall

    def monotonic_ns(self) -> int:
        return self.mono

    def live(self, seconds: float) -> None:
        self.mono += round(seconds * SECOND)
        self.wall += round(seconds * SECOND)


def passed(machine: Machine, clock: SteadyClock, seconds: int) -> int:
    """How far the steady clock gets while the machine lives so many seconds, looked at each second."""
    before = last = clock.wall_ns()
    for _ in range(seconds):
        machine.live(1)
        assert clock.wall_ns() > last, "it never goes back"
        last = clock.wall_ns()
    return last - before


def test_fault_23_a_steady_clock_goes_on_while_the_machines_is_set_to_and_fro() -> None:
    machine = Machine()
    clock = SteadyClock(machine)
    for off in (HOUR, -HOUR, YEAR, -YEAR):
        machine.wall += round(off * SECOND)
        assert passed(machine, clock, 30) == 30 * SECOND
        assert clock.step_ns == round(off * SECOND)
        machine.wall -= round(off * SECOND)
        assert passed(machine, clock, 30) == 30 * SECOND
        assert clock.step_ns == 0


def test_fault_23_a_step_forward_that_stands_is_followed_and_one_back_never() -> None:
    machine = Machine()
    clock = SteadyClock(machine)
    machine.wall += round(HOUR * SECOND)
    assert passed(machine, clock, STANDS // SECOND + 2) == STANDS + round(HOUR * SECOND) + 2 * SECOND
    machine.wall -= round(HOUR * SECOND)
    assert passed(machine, clock, 600) == 600 * SECOND
    assert clock.step_ns == -round(HOUR * SECOND)
    machine.wall += MOST_FOLLOWED * 3
    assert passed(machine, clock, 600) == 600 * SECOND


def test_fault_23_what_a_clock_drifts_is_followed_slowly() -> None:
    machine = Machine()
    clock = SteadyClock(machine)
    for off in (FOLLOWED, -FOLLOWED):
        machine.wall += off
        assert abs(passed(machine, clock, 1) - SECOND) == SECOND // 10
        passed(machine, clock, 60)
        assert clock.wall_ns() == machine.wall


def test_fault_23_what_an_earlier_life_has_judged_is_not_judged_again() -> None:
    machine = Machine()
    clock = SteadyClock(machine)
    ahead = machine.wall + round(HOUR * SECOND)
    clock.not_before(ahead)
    assert clock.wall_ns() == ahead
    assert passed(machine, clock, 600) == 600 * SECOND
    clock.not_before(machine.wall)
    assert clock.wall_ns() == ahead + 600 * SECOND


def judged(stage: Scene) -> int:
    """The newest tick that is in the store."""
    return int(stage.keeptime.rows("SELECT coalesce(max(last), 0) FROM lived")[0][0])  # type: ignore[call-overload]


def await_ticks(stage: Scene, more: int = 3) -> None:
    before = judged(stage)
    until(lambda: judged(stage) >= before + more, 20, f"{more} more ticks after the clock was set")


def test_fault_23_set_while_it_runs_it_judges_every_tick_and_tells_what_is_so(tmp_path: Path) -> None:
    with scene(tmp_path) as stage:
        stage.keeptime.start()
        await_ticks(stage, 5)
        for off in (HOUR, -HOUR, YEAR, -YEAR):
            stage.clock.set(off)
            await_ticks(stage)
            assert "keeptime's, which goes on" in stage.keeptime.get("/healthz").decode()
        assert stage.told.received == [], "nothing was amiss"
        stage.breach()
        stage.clock.set(YEAR)
        stage.mend()
        stage.clock.set(0)
        until(lambda: stage.keeptime.get("/healthz").startswith(b'{"healthy":true'), 10, "all to be well again")
        assert stage.keeptime.end() == 0
        stage.check_told()
        assert len(stage.keeptime.rows("SELECT * FROM lived")) == 1, "no tick was missed"
        said = [json.loads(body)["at"][:4] for _, body in stage.told.received]
        assert len(set(said)) == 1, "messages go by the time that has passed"


def test_fault_23_set_between_two_lives_it_judges_and_tells_at_once(tmp_path: Path) -> None:
    with scene(tmp_path) as stage:
        for off in (0.0, HOUR, -HOUR, -YEAR):
            stage.clock.set(off)
            stage.keeptime.start()
            await_ticks(stage)
            stage.keeptime.kill()
        assert stage.told.received == [], "nothing was amiss"
        stage.keeptime.start()
        stage.breach()
        stage.mend()
        stage.check_told()
