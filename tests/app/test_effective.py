"""Dates are kept while keeptime runs: the keeper, the counter and the daemon change terms at their instant."""

import asyncio
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest

from keeptime.app.daemon import Daemon
from keeptime.app.declaring import Orders
from keeptime.app.following import Followers
from keeptime.app.keeper import Keeper
from keeptime.clock import Clock, SteadyClock
from keeptime.contract.terms import Contract
from keeptime.model.alert import AlertState
from keeptime.model.key import ObjectiveKey
from keeptime.model.sample import Sample
from keeptime.model.tally import Tally, TickRecord
from keeptime.model.verdict import Condition
from keeptime.observe.count import Counter
from keeptime.observe.series.reader import Reader
from keeptime.store.sqlite import SqliteStore
from keeptime.testing.explaining import FakeExplaining
from keeptime.testing.reports import FakeReports
from keeptime.testing.showable import sample
from keeptime.testing.taking import FakeIntake
from keeptime.testing.traced import FakeTraced
from keeptime.testing.virtual import VirtualClock, VirtualLoop

from .test_keeper import Store, contract

CHANGE = 1_782_856_800
"""2026-07-01T00:00 in Berlin, which is 22:00 in UTC; a whole number of ticks of 1 s and of 10 s."""

TERMS = """\
contract: kept
endpoint: {url: "http://127.0.0.1:9/"}
observe: [{probe: {every: 1s}}]
timezone: Europe/Berlin
objectives:
  - {name: fast, target: 90%, under: 500ms, over: 60s, until: 2026-07-01}
  - {name: fast, target: 50%, under: 200ms, over: 60s, from: 2026-07-01, until: "2026-07-01T00:01"}
  - {name: works, target: 90%, over: 60s}
policy:
  burn-rate:
    tiers: [{severity: page, long: 3s, short: 1s, factor: 1.5}]
consumers:
  - {name: checkout, tell: ["log:"]}
"""
FAST = ObjectiveKey("kept", "fast")
NINE_TENTHS = Fraction(9, 10)
WORKS = ObjectiveKey("kept", "works")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(SqliteStore.open(tmp_path / "data", tick_seconds=1.0, now=float(CHANGE)))


def keeper(store: Store, tick: int) -> Keeper:
    return Keeper(store, [contract(TERMS)], 1.0, tick)  # type: ignore[arg-type]


def record(tick: int, good: int = 10, bad: int = 0) -> TickRecord:
    return TickRecord(tick, {FAST: Tally(good=good, bad=bad), WORKS: Tally(good=good + bad)})


def test_the_terms_change_at_their_tick_and_the_history_goes_on(store: Store) -> None:
    one = keeper(store, CHANGE - 2)
    before = one.keep([record(CHANGE - 2, 10, 5), record(CHANGE - 1, 10, 5)], 0.0).verdicts[FAST]
    after = one.keep([record(CHANGE, 10, 5)], 0.0).verdicts[FAST]
    assert (before.target, before.threshold_seconds, before.bad) == (NINE_TENTHS, 0.5, 10)
    assert (after.target, after.threshold_seconds, after.bad) == (0.5, 0.2, 15), "counted under the same key"
    assert before.condition is not Condition.OK
    assert after.condition is Condition.OK, "a third bad is within the new target"


def test_ticks_nobody_lived_through_are_crossed_with_the_terms_of_each(store: Store) -> None:
    one = keeper(store, CHANGE - 2)
    one.keep([record(CHANGE - 2)], 0.0)
    kept = one.keep([record(CHANGE + 30)], 0.0)
    assert kept.verdicts[FAST].target == 0.5
    kept = one.keep([record(CHANGE + 600)], 0.0)
    assert list(kept.verdicts) == [WORKS], "neither version is in force any more"
    assert [each.name for each in kept.contracts[0].objectives] == ["works"]


def test_an_alert_ends_with_its_terms_and_nobody_is_told_that_it_recovered(store: Store) -> None:
    end = CHANGE + 60
    one = keeper(store, end - 5)
    kept = one.keep([record(end - 5 + n, 0, 10) for n in range(5)], 0.0)
    assert [message.topic for message in kept.messages] != []
    assert store.alerts()[FAST].state is AlertState.FIRING
    kept = one.keep([record(end, 10, 0)], 0.0)
    assert kept.messages == ()
    assert store.alerts()[FAST].state is AlertState.INACTIVE
    assert keeper(store, end + 1).keep([record(end + 1)], 0.0).messages == ()


def test_an_alert_whose_terms_ended_while_keeptime_was_off_is_closed(store: Store) -> None:
    end = CHANGE + 60
    keeper(store, end - 5).keep([record(end - 5 + n, 0, 10) for n in range(5)], 0.0)
    keeper(store, end + 100).keep([record(end + 100)], 0.0)
    assert store.alerts()[FAST].state is AlertState.INACTIVE


def test_an_alert_whose_terms_a_reload_has_ended_is_closed(store: Store) -> None:
    one = keeper(store, CHANGE)
    one.keep([record(CHANGE + n, 0, 10) for n in range(5)], 0.0)
    assert store.alerts()[FAST].state is AlertState.FIRING
    ended = "".join(line for line in TERMS.splitlines(keepends=True) if "target: 50%" not in line)
    assert one.replace([contract(ended)], 0.0) == ()
    assert one.keep([record(CHANGE + 6, 10, 0)], 0.0).messages == ()
    assert store.alerts()[FAST].state is AlertState.INACTIVE


def test_while_the_store_fails_the_old_terms_go_on(store: Store) -> None:
    one = keeper(store, CHANGE - 1)
    store.failures = 3
    one.keep([record(CHANGE - 1)], 0.0)
    late = one.keep([record(CHANGE)], 0.0)
    assert late.problem
    assert late.verdicts[FAST].target == NINE_TENTHS
    assert one.keep([record(CHANGE + 1)], 0.0).verdicts[FAST].target == 0.5


def answer(at: float, seconds: float = 0.3) -> Sample:
    return sample("kept", seconds, sent=at)


def test_a_request_is_judged_by_the_terms_of_the_instant_at_which_it_was_due() -> None:
    counter = Counter([contract(TERMS)], 1.0, start_ns=(CHANGE - 1) * 10**9)
    counter.add(answer(CHANGE + 0.0))
    counter.add(answer(CHANGE - 0.001))  # it ends after the change
    counter.add(answer(CHANGE + 60))
    tallies = {each.tick: each.tallies for each in counter.close((CHANGE + 70) * 10**9)}
    assert tallies[CHANGE - 1][FAST] == Tally(good=1)
    assert tallies[CHANGE][FAST] == Tally(bad=1)
    assert list(tallies[CHANGE + 60]) == [WORKS]


class NoProber:
    """A prober that sends nothing: the test gives the counter what probes would."""

    def start(self) -> None: ...

    def stop(self, deadline: float) -> None: ...

    def prepare(self, contracts: Sequence[Contract]) -> None:
        raise AssertionError("the prober goes on undisturbed")

    def in_flight(self, contract: str) -> int:
        return 0

    def troubles(self) -> dict[str, str]:
        return {}

    def stats(self) -> dict[str, float]:
        return {}


class AtOnce:
    """A store's thread that is this one, so that the virtual loop waits for it."""

    async def __call__(self, call, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        return call(*args, **kwargs)

    def close(self) -> None: ...


def daemon(clock: Clock, counter: Counter, store: SqliteStore, terms: str = TERMS) -> Daemon:
    contracts = [contract(terms)]
    in_store = AtOnce()

    async def fill(*_: object) -> None: ...

    return Daemon(
        contracts=contracts,
        read=lambda: contracts,
        tick_seconds=1.0,
        store=store,
        in_store=in_store,  # type: ignore[arg-type]
        keeper=Keeper(store, contracts, 1.0, CHANGE - 5),
        counting=counter,
        prober=NoProber(),
        following=Followers(Reader([], counter.put, clock)),
        intake=FakeIntake(),
        explaining=FakeExplaining(),
        tracing=FakeTraced(),
        reports=FakeReports(),
        orders=Orders(),
        fill=fill,
        probe_once=lambda _: sample("kept"),
        clock=SteadyClock(clock),
        last_samples={},
    )


def test_a_running_daemon_changes_terms_by_itself(tmp_path: Path) -> None:
    loop = VirtualLoop()
    clock = VirtualClock(loop, CHANGE - 5)
    counter = Counter([contract(TERMS)], 1.0, start_ns=(CHANGE - 5) * 10**9)
    store = SqliteStore.open(tmp_path / "data", tick_seconds=1.0, now=float(CHANGE - 5))

    async def scenario() -> list[tuple[list[str], list[str], list[float]]]:
        running = daemon(clock, counter, store)
        await running.start()
        shown = []
        for second in range(68):
            counter.add(answer(CHANGE - 5 + second))
            await asyncio.sleep(1)
            if second in (4, 10, 67):
                (view,) = running.snapshot().contracts
                named = [f"{each.name} {each.under}" for each in view.contract.objectives]
                others = [f"{each.name} {each.under}" for each in view.other_terms]
                shown.append((named, others, [float(each.target) for each in view.verdicts if each]))
        await running.stop()
        return shown

    before, after, ended = loop.run_until_complete(scenario())
    loop.close()
    assert before == (["fast 0.5", "works None"], ["fast 0.2"], [0.9, 0.9])
    assert after == (["fast 0.2", "works None"], ["fast 0.5"], [0.5, 0.9])
    assert ended == (["works None"], ["fast 0.5", "fast 0.2"], [0.9])
