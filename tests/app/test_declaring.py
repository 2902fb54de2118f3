"""A declared exclusion reaches counting and judging from its beginning to its end, over reloads and restarts."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keeptime.app.declaring import MOST, REMEMBERED, Orders, StoredDeclaring
from keeptime.app.following import Followers
from keeptime.app.keeper import Keeper, Kept
from keeptime.app.quieting import Impossible
from keeptime.app.reloading import Reloading
from keeptime.app.swapping import Swapping
from keeptime.app.wire import Settings, build
from keeptime.contract.load import load_files
from keeptime.contract.terms import Contract
from keeptime.errors import StoreUnavailable
from keeptime.model.change import Change
from keeptime.model.declared import NOTICE, Declared
from keeptime.model.key import ObjectiveKey
from keeptime.observe.count import Counter
from keeptime.observe.series.reader import Reader
from keeptime.store.sqlite import SqliteStore
from keeptime.testing.showable import sample
from tests.nobody import nobody_listening

from .test_effective import AtOnce
from .test_keeper import contract

TERMS = """\
contract: kept
endpoint: {url: "http://127.0.0.1:9/"}
observe: [{probe: {every: 1s}}]
objectives:
  - {name: fast, target: 90%, under: 100ms, over: 600s, warn: {under: 50ms}}
  - {name: works, target: 90%, over: 600s}
consumers:
  - {name: checkout, tell: ["log:"]}
"""
START = 1_800_000_000
FAST, WORKS = ObjectiveKey("kept", "fast"), ObjectiveKey("kept", "works")


class SetClock:
    """Stands still until it is set."""

    at = float(START)

    def wall_ns(self) -> int:
        return round(self.at * 1e9)

    def monotonic_ns(self) -> int:
        return self.wall_ns()


class Undisturbed:
    """A prober whose endpoints and schedules stay as they are."""

    def prepare(self, contracts: Sequence[Contract]) -> Callable[[], None]:
        return lambda: None


class Failing:
    """A store that takes no changes of contracts for a while."""

    def __init__(self, store: SqliteStore) -> None:
        self.store, self.fails = store, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def commit(self, change: Change) -> None:
        if self.fails and change.record is None:
            raise StoreUnavailable("the disk is full")
        self.store.commit(change)


class Scene:
    """Real parts of a daemon: its store, counter, keeper, and how it goes over to contracts."""

    def __init__(self, folder: Path, clock: SetClock) -> None:
        self.clock, self.contracts = clock, [contract(TERMS)]
        self.store = Failing(SqliteStore.open(folder / "data", tick_seconds=1.0, now=clock.at))
        orders = Orders(self.store.declared(clock.at - REMEMBERED))
        applied = orders.applied(self.contracts)
        self.counter = Counter(applied, 1.0, start_ns=clock.wall_ns())
        self.keeper = Keeper(self.store, applied, 1.0, round(clock.at))
        following = Followers(Reader([], self.counter.put, clock))
        parts = (self.keeper, self.counter, Undisturbed(), following, self._fill)
        swapping = Swapping(AtOnce(), *parts, lambda: clock.at, lambda _: None, lambda _: None)  # type: ignore[arg-type]
        self.reloading = Reloading(applied, lambda: self.contracts, orders.before(swapping), self._refused)
        told = (clock, lambda: self.contracts, orders)
        self.declaring = StoredDeclaring(self.reloading, self.store, AtOnce(), *told)  # type: ignore[arg-type]
        self.kept: Kept | None = None

    def live(self, seconds: int) -> None:
        """Every second a request that took 300 ms."""
        for _ in range(seconds):
            self.counter.add(sample("kept", 0.3, sent=self.clock.at))
            self.clock.at += 1
            self.kept = self.keeper.keep(self.counter.close(self.clock.wall_ns()), self.clock.at)

    def counted(self, key: ObjectiveKey) -> tuple[int, int, int]:
        """Good, bad and excluded so far."""
        assert self.kept is not None
        verdict = self.kept.verdicts[key]
        return verdict.good, verdict.bad, verdict.excluded

    async def _fill(self, *_: object) -> None: ...

    async def _refused(self, why: str) -> None: ...


def settled(scene: Scene) -> None:
    """A tick is judged once it is closed."""
    scene.live(3)


def test_what_is_due_in_its_span_does_not_count_and_everything_else_does(tmp_path: Path) -> None:
    async def story() -> Scene:
        scene = Scene(tmp_path, SetClock())
        scene.live(10)
        made = await scene.declaring.declare("kept", "fast", "ann", "new racks", None, START + 100)
        assert (made.begins, made.until) == (START + 10 + NOTICE, START + 100)
        scene.live(110)
        return scene

    scene = asyncio.run(story())
    settled(scene)
    good, bad, excluded = scene.counted(FAST)
    assert (good, excluded) == (0, 30)
    assert scene.counted(WORKS)[2] == 0, "it was not declared for this one"
    assert sum(scene.counted(WORKS)) == bad + 30
    found = scene.store.left_out("kept", 0, 40_000, 9)
    assert {(each.objective, str(each.exclusion), each.events) for each in found} == {
        ("fast", "new racks (ann)", 30),
        ("fast-warn", "new racks (ann)", 30),
    }
    assert scene.keeper.in_force[0].version == scene.contracts[0].version
    assert len(scene.store.versions("kept")) == 1, "the contract says what it said"


def test_it_outlives_a_reload_and_a_restart_and_ends_when_it_is_ended(tmp_path: Path) -> None:
    clock = SetClock()

    async def before() -> None:
        scene = Scene(tmp_path, clock)
        scene.live(1)
        await scene.declaring.declare("kept", "", "ann", "new racks", START + 70.0, START + 10_000.0)
        await scene.reloading.reload("bob")
        scene.live(79)
        scene.keeper.keep(scene.counter.finish(clock.wall_ns()), clock.at)
        scene.store.close()

    async def after() -> Scene:
        scene = Scene(tmp_path, clock)
        scene.live(20)
        (one,) = await scene.declaring.all("kept")
        ended = await scene.declaring.end(one.id, "bob", "they stand")
        assert ended.until == START + 100 + NOTICE
        scene.live(100)
        return scene

    asyncio.run(before())
    scene = asyncio.run(after())
    settled(scene)
    assert scene.counted(FAST)[2] == scene.counted(WORKS)[2] == 90, "from 70 to 160"


def test_what_cannot_be_gone_over_to_is_taken_back(tmp_path: Path) -> None:
    async def story() -> None:
        scene = Scene(tmp_path, SetClock())
        scene.live(2)
        scene.store.fails = True
        with pytest.raises(StoreUnavailable):
            await scene.declaring.declare("kept", "", "ann", "new racks", None, START + 500)
        (one,) = await scene.declaring.all("kept")
        assert (one.until, one.ended_by) == (one.begins, "keeptime")
        scene.store.fails = False
        await scene.reloading.reload("bob")
        scene.live(100)
        assert scene.counted(FAST)[2] == 0

    asyncio.run(story())


@pytest.mark.parametrize(
    ("contract", "objective", "begins", "why"),
    [
        ("nobody", "", None, "no contract 'nobody' is kept; expected one of kept"),
        ("kept", "slow", None, "promises no objective 'slow'; expected one of fast, works"),
        ("kept", "fast-warn", None, "promises no objective"),
        ("kept", "", START - 3600.0, "signed in the ledger"),
    ],
)
def test_what_would_change_what_was_judged_is_refused(
    tmp_path: Path, contract: str, objective: str, begins: float | None, why: str
) -> None:
    async def story() -> None:
        scene = Scene(tmp_path, SetClock())
        with pytest.raises(Impossible, match=why):
            await scene.declaring.declare(contract, objective, "ann", "r", begins, START + 500)
        with pytest.raises(Impossible, match="there is no exclusion 7"):
            await scene.declaring.end(7, "ann", "")
        assert await scene.declaring.all("kept") == []

    asyncio.run(story())


def test_there_are_not_very_many(tmp_path: Path) -> None:
    rows = [Declared(n, "kept", "", "a", "r", START + 60, START + 70, START) for n in range(MOST)]

    async def story() -> None:
        scene = Scene(tmp_path, SetClock())
        scene.declaring._orders.rows = tuple(rows)
        with pytest.raises(Impossible, match="has 100 exclusions"):
            await scene.declaring.declare("kept", "", "ann", "r", None, START + 500)

    asyncio.run(story())


async def wired(folder: Path) -> Contract:
    """As a daemon that starts on this store goes by it."""
    daemon = await build(load_files([str(folder / "kept.yaml")]).contracts, Settings(folder / "data", 1.0))
    await daemon.start()
    await daemon.stop()
    return daemon.contracts[0]


def test_a_daemon_starts_with_what_was_declared(tmp_path: Path) -> None:
    with nobody_listening() as port:
        (tmp_path / "kept.yaml").write_text(TERMS.replace("127.0.0.1:9/", f"127.0.0.1:{port}/"))
        far = 4_000_000_000.0
        with SqliteStore.open(tmp_path / "data", tick_seconds=1.0, now=1000.0) as store:
            new = Declared(0, "kept", "works", "ann", "new racks", far, far + 5, 1000.0)
            store.declare(new, 1000.0)
            store.declare(replace(new, contract="other"), 1000.0)
        started = asyncio.run(wired(tmp_path))
    (window,) = started.ordered
    assert (window.start, window.lasts, window.objectives) == ("2096-10-02T07:06:40", 5.0, ("works",))
