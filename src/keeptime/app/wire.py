"""Builds a daemon from its parts: the only place that knows which store, prober and receivers there are."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from keeptime.app.causes import Causes
from keeptime.app.daemon import Daemon
from keeptime.app.declaring import REMEMBERED, Orders
from keeptime.app.evident import Evident
from keeptime.app.filling import Filling
from keeptime.app.following import Follower, Followers
from keeptime.app.footing import Footing
from keeptime.app.keeper import Keeper
from keeptime.app.past_series import StoredPast
from keeptime.app.ports import Counting
from keeptime.app.question import Asking
from keeptime.app.reading import read_contracts
from keeptime.app.regular import RegularReports
from keeptime.app.reports import StoredReports
from keeptime.app.spying import Spying
from keeptime.app.storing import StoreThread
from keeptime.app.taking import Taking
from keeptime.app.tracing import FoundTraces
from keeptime.clock import SECOND, SteadyClock
from keeptime.contract.terms import Contract
from keeptime.errors import UsageError
from keeptime.model.key import tick_of
from keeptime.model.sample import Sample, Skipped
from keeptime.observe.count import Counter
from keeptime.observe.engine import Engine
from keeptime.observe.intake.line import Line
from keeptime.observe.intake.push import Pushes
from keeptime.observe.keeping import Keeping
from keeptime.observe.log.follower import LogFollower
from keeptime.observe.once import probe_once
from keeptime.observe.otlp.receive import Otlps
from keeptime.observe.pyspy import PySpy
from keeptime.observe.scrape.scraper import Scraper
from keeptime.observe.series.reader import Reader, source_of
from keeptime.observe.tracing.looking import TraceLooker
from keeptime.store.looking import looking_at
from keeptime.store.sqlite import SqliteStore

AHEAD = 1
"""A store that is ahead of the clock by more ticks was written under another wall clock."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run. `data`: the store's folder; `tick_seconds` must divide a minute; `paths`: what a reload reads."""

    data: Path
    tick_seconds: float
    paths: tuple[str, ...] = ()


async def build(contracts: Sequence[Contract], settings: Settings, footing: Footing | None = None) -> Daemon:
    """A daemon that is ready to start; without a footing it is alone, on SQLite.

    Raises a KeeptimeError where it cannot be; then nothing is left open.
    """
    footing = footing or alone(settings.data)
    clock = SteadyClock(footing.clock)
    in_store = StoreThread()
    now_ns = clock.wall_ns()
    async with AsyncExitStack() as unfinished:
        unfinished.callback(in_store.close)
        store = await in_store(footing.open, tick_seconds=settings.tick_seconds, now=now_ns / 1e9)
        unfinished.push_async_callback(in_store, store.close)
        next_tick, now_ns = _begin(clock, settings.tick_seconds, await in_store(store.last_tick))
        orders = Orders(await in_store(store.declared, now_ns / 1e9 - REMEMBERED))
        contracts = orders.applied(contracts)
        sources = [source_of(each) for each in contracts if each.source is not None]
        filling = Filling(store, in_store, settings.tick_seconds)
        await filling.fill(sources, next_tick)
        keeping = Keeping(contracts)
        counter = Counter(contracts, settings.tick_seconds, start_ns=now_ns, keeping=keeping)
        last = LastSamples(counter)
        keeper = await in_store(Keeper, store, contracts, settings.tick_seconds, next_tick)
        counter.know(keeper.segments)
        line = Line()
        pushes = Pushes(contracts, counter, line, clock, settings.tick_seconds)
        otlps = Otlps(contracts, counter, line, clock, settings.tick_seconds)
        followers: list[Follower] = [
            pushes,
            otlps,
            LogFollower(contracts, counter.add, clock),
            Scraper(contracts, counter.put_batch, clock),
        ]
        intake, evident = Taking(pushes, otlps), Evident(keeping, store, in_store, clock, lambda: daemon.contracts)
        past = StoredPast(store, in_store, settings.tick_seconds)
        asking = Asking(evident, past, store, in_store, settings.tick_seconds, lambda: daemon.in_force)
        causes = Causes(evident, asking, store, in_store, clock, lambda: daemon.url, lambda: daemon.woken())
        tracing = FoundTraces(intake, causes, TraceLooker(), lambda: daemon.contracts)
        daemon = Daemon(
            contracts=contracts,
            tick_seconds=settings.tick_seconds,
            store=store,
            in_store=in_store,
            keeper=keeper,
            counting=counter,
            prober=Engine(contracts, last.add, overdue=counter.overdue, offset=clock.offset_ns),
            following=Followers(Reader(sources, counter.put, clock), followers),
            intake=intake,
            explaining=causes,
            tracing=tracing,
            reports=StoredReports(footing.look),
            orders=orders,
            fill=filling.fill,
            probe_once=_probe,
            clock=clock,
            last_samples=last.samples,
            read=partial(read_contracts, settings.paths, settings.tick_seconds),
            right=footing.right,
        )
        reports = RegularReports(footing.look, store, in_store, lambda: daemon.contracts, daemon.woken)
        spying = Spying(PySpy(), evident.take, lambda: daemon.contracts, clock)
        daemon.join(tracing, causes, reports, spying)
        unfinished.pop_all()
        return daemon


def alone(data: Path) -> Footing:
    """On SQLite in this folder."""
    return Footing(partial(SqliteStore.open, data), partial(looking_at, data))


def _begin(clock: SteadyClock, tick_seconds: float, last: int | None) -> tuple[int, int]:
    """The first tick to judge, and the instant (Unix nanoseconds) from which on is counted.

    That is the present, unless an earlier life has judged it already: a wall clock that was set back since must not
    stop all judging until it is there again.
    """
    now_ns = clock.wall_ns()
    now = tick_of(now_ns, tick_seconds)
    if last is None or now > last:
        return now, now_ns
    if last - now > AHEAD:
        clock.not_before(round((last + 1) * tick_seconds * SECOND))
        now_ns = clock.wall_ns()
    return last + 1, now_ns


class LastSamples:
    """Passes outcomes on to be counted, and keeps the newest sample of each contract for show."""

    def __init__(self, counting: Counting) -> None:
        self.samples: dict[str, Sample] = {}
        self._count = counting.add

    def add(self, outcome: Sample | Skipped) -> None:
        """Called in the prober's thread."""
        if isinstance(outcome, Sample):
            self.samples[outcome.contract] = outcome
        self._count(outcome)


def _probe(contract: Contract) -> Sample:
    if not contract.probes or contract.endpoint is None:
        raise UsageError(f"{contract.name} has no probe to send")
    return probe_once(contract.endpoint, contract.probes[0], contract=contract.name)
