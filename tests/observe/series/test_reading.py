"""Good and all requests from each kind of series; what is not there is never good."""

import asyncio

import pytest

from keeptime.contract.terms import Contract
from keeptime.errors import SourceError
from keeptime.model.tally import Tally
from keeptime.observe.series.reading import Tallies, reading_of
from keeptime.testing.series import FakePrometheus

from .given import FAILED, HISTOGRAM, SLOW, contract

BUCKET = 'request_seconds_bucket{job="api",le=~"0\\\\.5"}'
BUCKET_FAILED = 'request_seconds_bucket{job="api",code=~"5..",le=~"0\\\\.5"}'
COUNT = 'request_seconds_count{job="api"}'
COUNT_FAILED = 'request_seconds_count{job="api",code=~"5.."}'


def read(of: Contract, *scrapes: dict[str, float]) -> list[Tallies]:
    """A read per scrape, ten seconds apart."""
    api, reading = FakePrometheus(), reading_of(of)

    async def all_of_them() -> list[Tallies]:
        found = []
        for place, scrape in enumerate(scrapes):
            at = 1000.0 + 10 * place
            for expression, value in scrape.items():
                api.put(expression, at, value)
            found.append(await reading.read(api, at))
        return found

    return asyncio.run(all_of_them())


def named(found: Tallies) -> dict[str, Tally]:
    return {key.objective: tally for key, tally in found.items()}


def test_a_histogram_counts_slow_and_failed_ones() -> None:
    start = {BUCKET: 90.0, BUCKET_FAILED: 0.0, COUNT: 100.0, COUNT_FAILED: 1.0}
    later = {BUCKET: 190.0, BUCKET_FAILED: 5.0, COUNT: 210.0, COUNT_FAILED: 7.0}
    first, second = read(contract(HISTOGRAM, SLOW, FAILED), start, later)
    assert named(first) == {"slow": Tally(), "failed": Tally()}
    assert named(second) == {"slow": Tally(good=95, bad=15), "failed": Tally(good=104, bad=6)}


def test_excluded_failures_are_left_out() -> None:
    only = "{name: slow, target: 99%, under: 500ms, over: 1d, errors: excluded}"
    start = {BUCKET: 0.0, BUCKET_FAILED: 0.0, COUNT: 0.0, COUNT_FAILED: 0.0}
    later = {BUCKET: 95.0, BUCKET_FAILED: 5.0, COUNT: 110.0, COUNT_FAILED: 10.0}
    assert named(read(contract(HISTOGRAM, only), start, later)[1]) == {"slow": Tally(good=90, bad=10, excluded=10)}


def test_a_bucket_that_is_not_there_is_an_error_that_names_those_that_are() -> None:
    api = FakePrometheus()
    api.put(COUNT, 1000.0, 5)
    for bound in ("0.1", "1.0", "+Inf"):
        api.put('count by (le) (request_seconds_bucket{job="api"})', 1000.0, 1, le=bound)
    of = contract("\n      histogram: {metric: request_seconds, selector: 'job=\"api\"'}")
    with pytest.raises(SourceError, match=r"no bucket at the threshold 500ms.*its bounds are 100ms, 1s"):
        asyncio.run(reading_of(of).read(api, 1000.0))


def test_a_threshold_that_is_no_bound_is_refused_before_anything_is_read() -> None:
    with pytest.raises(SourceError, match=r"600ms is no bucket bound of the histogram.*500ms and 1s"):
        reading_of(contract(HISTOGRAM, "99% of requests under 600ms over 1d"))


def test_no_series_at_all_is_an_error() -> None:
    with pytest.raises(SourceError, match="Prometheus has no series for request_seconds_count"):
        read(contract(), {})


def test_counters_of_good_and_all() -> None:
    of = contract("\n      counters: {good: 'a{ok=\"1\"}', total: [a, b]}")
    assert named(read(of, {'a{ok="1"}': 5, "a": 6, "b": 1}, {'a{ok="1"}': 15, "a": 18, "b": 4})[1]) == {
        "slow": Tally(good=10, bad=5)
    }


def test_counters_of_bad_and_all_need_no_bad_one_yet() -> None:
    of = contract("\n      counters: {bad: errors, total: a}")
    assert named(read(of, {"a": 6}, {"a": 18})[1]) == {"slow": Tally(good=12)}


def test_more_good_than_all_is_no_less_than_none_bad() -> None:
    of = contract("\n      counters: {good: g, total: t}")
    assert named(read(of, {"g": 0, "t": 0}, {"g": 12, "t": 10})[1]) == {"slow": Tally(good=10)}


def test_each_scraped_sample_of_a_gauge_is_one_request() -> None:
    of = contract("\n      gauges: {selector: 'job=\"blackbox\"'}")
    api, reading = FakePrometheus(), reading_of(of)
    success, duration = 'probe_success{job="blackbox"}', 'probe_duration_seconds{job="blackbox"}'
    outcomes = [(1, 0.1), (1, 0.4), (1, 0.7), (0, 0.001), (1, 0.5)]
    for place, (well, took) in enumerate(outcomes):
        api.put(success, 1001.0 + 3 * place, well)
        api.put(duration, 1001.0 + 3 * place, took)
    api.put(success, 990.0, 1)

    async def reads() -> list[Tallies]:
        return [await reading.read(api, at) for at in (1000.0, 1007.0, 1014.0)]

    first, second, third = asyncio.run(reads())
    assert named(first) == {}
    assert named(second) == {"slow": Tally(good=2, bad=1)}
    assert named(third) == {"slow": Tally(good=1, bad=1)}


def test_a_gauge_that_is_gone_is_an_error() -> None:
    of = contract("\n      gauges: {}")
    with pytest.raises(SourceError, match="no samples of probe_success"):
        read(of, {})


def test_a_native_histogram_counts_fractions_exactly_in_the_long_run() -> None:
    of = contract("\n      native_histogram: {metric: request_seconds}")
    count = "histogram_count(request_seconds)"
    good = f"(histogram_fraction(-Inf, 0.5, request_seconds) * {count} >= 0) or {count}"
    found = read(of, *({count: 10.0 * n, good: 9.5 * n} for n in range(5)))
    total = Tally()
    for each in found:
        total = total + named(each).get("slow", Tally())
    assert total == Tally(good=38, bad=2)


def test_a_counter_of_bad_ones_that_begins_is_not_good() -> None:
    """The first failure makes a series that was not there: its requests are in the total already."""
    of = contract("\n      counters: {bad: errors, total: a}")
    api, reading = FakePrometheus(), reading_of(of)
    where = {"job": "api", "instance": "a:80"}

    async def reads() -> Tallies:
        api.put("a", 1000.0, 100, **where)
        await reading.read(api, 1000.0)
        api.put("a", 1010.0, 150, **where)
        api.put("errors", 1010.0, 50, **where)
        return await reading.read(api, 1010.0)

    assert named(asyncio.run(reads())) == {"slow": Tally(bad=50)}


def test_all_requests_are_asked_for_before_good_ones() -> None:
    api = FakePrometheus()
    for expression in (BUCKET, BUCKET_FAILED, COUNT, COUNT_FAILED):
        api.put(expression, 1000.0, 1)
    asyncio.run(reading_of(contract(HISTOGRAM, SLOW, FAILED)).read(api, 1000.0))
    assert api.asked[0] == COUNT
    assert api.asked.index(BUCKET_FAILED) < api.asked.index(BUCKET)


def test_a_scrape_that_ends_after_the_read_is_counted_by_the_next_and_once() -> None:
    api, reading = FakePrometheus(), reading_of(contract("\n      gauges: {}"))

    def scraped(at: float) -> None:
        api.put("probe_success", at, 1)
        api.put("probe_duration_seconds", at, 0.1)

    async def reads() -> list[Tally]:
        scraped(995.0)
        await reading.read(api, 1000.0)
        found = [await reading.read(api, 1010.0)]
        scraped(1009.0)
        found = [*found, await reading.read(api, 1020.0), await reading.read(api, 1030.0)]
        return [named(each)["slow"] for each in found]

    assert asyncio.run(reads()) == [Tally(), Tally(good=1), Tally()]


def test_the_past_of_a_gauge_is_counted_once_and_the_present_goes_on_from_it() -> None:
    api, reading = FakePrometheus(), reading_of(contract("\n      gauges: {}"))
    for at in range(5, 50_000, 15):
        api.put("probe_success", float(at), at % 10 == 5)
        api.put("probe_duration_seconds", float(at), 0.1)

    async def reads() -> tuple[list[tuple[float, Tallies]], Tallies]:
        past = [each async for each in reading.past(api, 0.0, 49_000.0, 600.0)]
        return past, await reading.read(api, 50_000.0)

    past, after = asyncio.run(reads())
    total = sum((named(each)["slow"] for _, each in past), Tally()) + named(after)["slow"]
    every = range(5, 50_000, 15)
    good = sum(at % 10 == 5 for at in every)
    assert total == Tally(good=good, bad=len(every) - good)
    assert len(api.asked) <= 10, "a few queries, not one for each step"
    assert all(at % 600 == 0 or at == 49_000 for at, _ in past)
