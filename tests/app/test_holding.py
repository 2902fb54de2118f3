"""The lease as the event loop holds it: a hanging database, a process that stood still, and the time of both."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from keeptime.app import holding
from keeptime.app.agreed import AgreedClock
from keeptime.app.holding import Holding, Pace
from keeptime.clock import SECOND, boot_ns
from keeptime.errors import StoreUnavailable
from keeptime.store.postgresql.lease import Seen

FREE = (-(1 << 62), 1 << 62)


class FakeLease:
    """Answers at once, or hangs until it is cut off."""

    where = "here"

    def __init__(self) -> None:
        self.hangs = threading.Event()
        self.taken_by_another = False
        self.cuts = 0
        self._cut = threading.Event()

    def look(self) -> Seen:
        if self.hangs.is_set():
            self._cut.wait(10)
            self._cut.clear()
            raise StoreUnavailable("cut off")
        return Seen(1, "me", "http://me", 0.0, False, FREE, boot_ns())

    def take(self, seen: Seen, url: str) -> Seen | None:
        return self.look()

    def renew(self, term: int, url: str) -> Seen | None:
        return None if self.taken_by_another else self.look()

    def cut(self) -> None:
        self.cuts += 1
        self._cut.set()

    def close(self) -> None:
        """Nothing."""


def run(work: Callable[[Holding, FakeLease], object], pace: Pace) -> None:
    async def main() -> None:
        lease = FakeLease()
        held = Holding(lease, pace, AgreedClock())  # type: ignore[arg-type]
        try:
            await work(held, lease)  # type: ignore[misc]
        finally:
            lease.hangs.clear()
            held.close()

    asyncio.run(main())


def test_a_lease_is_held_by_this_machines_own_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after SIGSTOP: nobody was asked, nothing ran, and time has passed."""

    async def work(held: Holding, _: FakeLease) -> None:
        assert not held.held
        await held.take(await held.look())
        assert held.held
        later = boot_ns() + 8 * SECOND
        monkeypatch.setattr(holding, "boot_ns", lambda: later)
        assert not held.held

    run(work, Pace(8.0))


def test_a_lease_that_another_has_is_let_go_of_at_once() -> None:
    async def work(held: Holding, lease: FakeLease) -> None:
        await held.take(await held.look())
        lease.taken_by_another = True
        assert await held.renew(1) is None
        assert not held.held

    run(work, Pace(60.0))


def test_a_database_that_hangs_is_cut_off_and_asked_again() -> None:
    async def work(held: Holding, lease: FakeLease) -> None:
        await held.take(await held.look())
        lease.hangs.set()
        with pytest.raises(StoreUnavailable, match="does not answer"):
            await held.renew(1)
        assert "does not answer" in held.problem
        assert lease.cuts >= 1
        lease.hangs.clear()
        assert await held.renew(1) is not None
        assert held.problem == ""

    run(work, Pace(2.0))


def test_the_agreed_time_moves_only_as_far_as_an_answer_shows() -> None:
    clock = AgreedClock()
    clock.agree(100, 200)
    assert clock.wall_ns() - boot_ns() == pytest.approx(200, abs=1e8)
    clock.agree(150, 250)  # within: nothing is wrong
    assert clock._ahead == 200
    clock.agree(300, 400)
    assert clock._ahead == 300


def test_the_figures_of_the_pace() -> None:
    """At the default figures whoever stands by leads within 15 s, with some seconds to restore."""
    usual = Pace()
    assert (usual.lease, usual.renew, usual.look) == (8.0, 2.0, 1.0)
    assert usual.lease + usual.look <= 10
    assert usual.patience + usual.renew < usual.lease - usual.margin, "one answer may fail"
