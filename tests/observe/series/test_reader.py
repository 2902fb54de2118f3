"""Reads on schedule: failures are told once and counted by the read that succeeds; the past fills the windows."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Sequence

import pytest

from keeptime.contract.terms import PrometheusSource
from keeptime.errors import SourceError
from keeptime.model.key import ObjectiveKey
from keeptime.model.tally import Tally
from keeptime.observe.series.api import Line
from keeptime.observe.series.backfill import chunks, past_of
from keeptime.observe.series.reader import Reader, Source, source_of
from keeptime.observe.series.reading import Tallies
from keeptime.testing.series import FakePrometheus
from keeptime.testing.virtual import VirtualClock, VirtualLoop

from .given import contract

COUNTERS = "\n      counters: {good: g, total: t}"
KEY = ObjectiveKey("api", "slow")
START = 1_000_000.0


def in_virtual_time(play: Callable[[VirtualClock], Coroutine[object, object, None]]) -> None:
    loop = VirtualLoop()
    try:
        loop.run_until_complete(play(VirtualClock(loop, START)))
    finally:
        loop.close()


def fill(api: FakePrometheus, seconds: int, good_per_second: float = 1.0) -> None:
    """Scrapes every 5 s from START on: one request a second."""
    for at in range(0, seconds + 1, 5):
        api.put("t", START + at, at)
        api.put("g", START + at, round(at * good_per_second))


def test_every_read_counts_what_came_since_the_last(caplog: pytest.LogCaptureFixture) -> None:
    api, counted = FakePrometheus(), list[tuple[int, Tallies]]()
    fill(api, 100, 0.9)

    async def play(clock: VirtualClock) -> None:
        reader = Reader([source_of(contract(COUNTERS), lambda _: api)], lambda *each: counted.append(each), clock)
        reader.start()
        await asyncio.sleep(31)
        await reader.stop()
        assert reader.reads("api") == {"ok": 3, "failed": 0, "capped": 0}

    in_virtual_time(play)
    assert [at / 1e9 - START for at, _ in counted] == [10, 20, 30]
    assert [each.get(KEY) for _, each in counted] == [Tally(), Tally(good=9, bad=1), Tally(good=9, bad=1)]
    assert api.closed


def test_a_read_that_fails_counts_nothing_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    api, counted, problems = FakePrometheus(), list[Tally](), list[str]()
    fill(api, 100)

    async def play(clock: VirtualClock) -> None:
        reader = Reader(
            [source_of(contract(COUNTERS), lambda _: api)], lambda _, each: counted.append(each[KEY]), clock
        )
        reader.start()
        await asyncio.sleep(11)
        api.broken = "Prometheus cannot be reached"
        await asyncio.sleep(30)
        problems.append(reader.problem("api"))
        api.broken = ""
        await asyncio.sleep(10)
        problems.append(reader.problem("api"))
        assert reader.reads("api") == {"ok": 2, "failed": 3, "capped": 0}
        await reader.stop()

    with caplog.at_level("INFO"):
        in_virtual_time(play)
    assert problems == ["Prometheus cannot be reached", ""]
    assert counted == [Tally(), Tally(good=40)]
    said = [record.message for record in caplog.records]
    assert said == ["api cannot be read: Prometheus cannot be reached", "api can be read again"]


def test_a_reload_disturbs_only_what_changed() -> None:
    apis: list[FakePrometheus] = []

    def connect(source: PrometheusSource) -> FakePrometheus:
        apis.append(FakePrometheus())
        fill(apis[-1], 100)
        return apis[-1]

    async def play(clock: VirtualClock) -> None:
        first = contract(COUNTERS)
        reader = Reader([source_of(first, connect)], lambda *_: None, clock, connect)
        reader.start()
        await reader.replace([first], reader.prepare([first]))
        assert len(apis) == 1
        changed = contract(COUNTERS, "{name: slow, target: 95%, under: 500ms, over: 1d}")
        await reader.replace([changed], reader.prepare([changed]))
        assert len(apis) == 2
        assert apis[0].closed
        with pytest.raises(SourceError):
            reader.prepare([contract("\n      histogram: {metric: m, buckets: [1s]}")])
        assert not apis[1].closed
        await reader.replace([], [])
        assert apis[1].closed

    in_virtual_time(play)


def test_the_past_is_read_in_steps_that_join() -> None:
    now = START + 40 * 86_400.0
    found = chunks(START, now)
    assert found[0][0] == START
    assert found[-1][1] == now
    assert all(before[1] == after[0] for before, after in itertools.pairwise(found))
    assert all((end - begin) / step <= 3001 for begin, end, step in found)
    assert {step for begin, _, step in found if begin < now - 36 * 86_400} == {3600.0}
    assert {step for begin, _, step in found if begin > now - 86_000} <= {60.0}


def test_the_past_counts_everything_once_and_the_present_goes_on_from_it() -> None:
    api = FakePrometheus()
    fill(api, 7200, 0.75)
    source = source_of(contract(COUNTERS), lambda _: api)

    async def play() -> tuple[Sequence[tuple[float, Tallies]], Tallies]:
        past = [each async for each in past_of(source, START, START + 7000, lambda *_: None)]
        return past, await source.reading.read(api, START + 7200)

    past, after = asyncio.run(play())
    total = sum((each[KEY] for _, each in past), Tally())
    assert total + after[KEY] == Tally(good=5400, bad=1800)
    assert total.events == 6960, "up to the last whole step before the end"


def test_progress_is_told() -> None:
    api, told = FakePrometheus(), list[tuple[str, float, float]]()
    fill(api, 100)

    async def play() -> None:
        source: Source = source_of(contract(COUNTERS), lambda _: api)
        async for _ in past_of(source, START, START + 7200, lambda *each: told.append(each)):
            pass

    asyncio.run(play())
    assert told[0] == ("api", 0.0, 7200.0)
    assert told[-1] == ("api", 7200.0, 7200.0)


def test_a_bug_ends_no_reading(caplog: pytest.LogCaptureFixture) -> None:
    class Odd(FakePrometheus):
        async def instant(self, expression: str, at: float) -> Sequence[Line]:
            if at == START + 10:
                raise ZeroDivisionError("of a library")
            return await super().instant(expression, at)

    api, counted = Odd(), list[Tally]()
    fill(api, 100)

    async def play(clock: VirtualClock) -> None:
        reader = Reader(
            [source_of(contract(COUNTERS), lambda _: api)], lambda _, each: counted.append(each[KEY]), clock
        )
        reader.start()
        await asyncio.sleep(11)
        assert "a bug of keeptime: ZeroDivisionError" in reader.problem("api")
        await asyncio.sleep(20)
        assert reader.problem("api") == ""
        await reader.stop()

    in_virtual_time(play)
    assert counted == [Tally(), Tally(good=10)]
