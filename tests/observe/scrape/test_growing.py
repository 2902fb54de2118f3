"""From pages to batches: what was counted since the last page, told apart by what is known of the requests."""

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.openmetrics.exposition import generate_latest

from keeptime.contract.presets.matchers import Matchers
from keeptime.contract.presets.preset import Kind, Metric
from keeptime.contract.sources import Unit
from keeptime.errors import SourceError
from keeptime.model.batch import Batch, Sides
from keeptime.model.key import Signal
from keeptime.observe.scrape.growing import MOST_SETS, Asked, Growing, Grown
from keeptime.observe.scrape.page import Page, wanted_of
from keeptime.observe.scrape.protobuf import ProtobufPages
from keeptime.observe.scrape.text import TextPages

from .given import HISTOGRAM, delimited, family, labelled, put_native

S = 1_000_000_000
REQUESTS = Metric(Signal.REQUESTS, Kind.HISTOGRAM, ("took_seconds",), failed=Matchers('code!~"2.."'))


class Looked:
    """A server's pages, one each ten seconds."""

    def __init__(self, *metrics: Metric, attributes: dict[str, str] | None = None, selector: str = "") -> None:
        self._growing = Growing(Asked("c", "scrape", metrics, attributes or {"model": "name"}, Matchers(selector)))
        self._pages, self._proto = TextPages(wanted_of(metrics)), ProtobufPages(wanted_of(metrics))
        self._at = 0

    def look(self, page: bytes | CollectorRegistry, thresholds: tuple[float, ...] = ()) -> Grown:
        text = page if isinstance(page, bytes) else generate_latest(page)
        return self._advance(self._pages.read(text, openmetrics=not isinstance(page, bytes)), thresholds)

    def look_at(self, protobuf: bytes, thresholds: tuple[float, ...] = ()) -> Grown:
        return self._advance(self._proto.read(protobuf), thresholds)

    def _advance(self, page: Page, thresholds: tuple[float, ...]) -> Grown:
        self._at += 10 * S
        return self._growing.advance(page, self._at, dict.fromkeys(Signal, thresholds))


def server(registry: CollectorRegistry) -> Histogram:
    return Histogram("took_seconds", "h", ["name", "code", "worker"], registry=registry, buckets=(0.1, 0.5, 1.0))


def only(grown: Grown) -> Batch:
    (batch,) = grown.batches
    return batch


def test_what_came_since_the_last_page_by_attributes_and_with_failures() -> None:
    registry = CollectorRegistry()
    took, looked = server(registry), Looked(REQUESTS)
    took.labels("a", "200", "1").observe(0.3)
    assert looked.look(registry).batches == []
    for worker in ("1", "2"):
        took.labels("a", "200", worker).observe(0.3)
        took.labels("a", "200", worker).observe(0.05)
    took.labels("a", "500", "1").observe(0.01)
    took.labels("b", "200", "1").observe(7)
    batches = {each.attributes["model"]: each for each in looked.look(registry).batches}
    assert (batches["a"].count, batches["a"].failed) == (5, 1)
    assert batches["a"].sides(S // 2) == Sides(4, 0, 0)
    assert batches["a"].sides(S // 5) == Sides(2, 0, 2), "between 0.1 and 0.5 nobody knows"
    assert batches["b"].sides(S) == Sides(0, 1, 0)
    assert batches["a"].attributes == {"model": "a", "observer": "scrape"}
    assert looked.look(registry).batches == []


def test_only_series_that_are_selected_count() -> None:
    registry = CollectorRegistry()
    took, looked = server(registry), Looked(REQUESTS, selector='name="a"')
    looked.look(registry)
    took.labels("a", "200", "1").observe(0.3)
    took.labels("b", "200", "1").observe(0.3)
    assert only(looked.look(registry)).count == 1


@pytest.mark.parametrize(("count", "since", "counted"), [(3, 200, 3), (3, 100, 2), (1, 100, 0)])
def test_a_series_that_began_later_counts_from_zero_though_it_has_more_than_before(
    count: int, since: int, counted: int
) -> None:
    looked = Looked(BARE)
    said = 'took_seconds_bucket{{name="a",le="+Inf"}} {}\ntook_seconds_created{{name="a"}} {}.5\n'
    looked.look(said.format(1, 100).encode())
    assert sum(each.count for each in looked.look(said.format(count, since).encode()).batches) == counted


PAGE = """\
took_seconds_bucket{{name="a",le="1"}} {a}
took_seconds_bucket{{name="a",le="+Inf"}} {a}
took_seconds_bucket{{name="b",le="1"}} {b}
took_seconds_bucket{{name="b",le="+Inf"}} {b}
process_start_time_seconds {start}
"""
BARE = Metric(Signal.REQUESTS, Kind.HISTOGRAM, ("took_seconds",))


def page(a: int, b: int, start: int) -> bytes:
    return PAGE.format(a=a, b=b, start=start).encode()


def counted(grown: Grown) -> dict[str, int]:
    return {each.attributes["model"]: each.count for each in grown.batches}


def test_a_process_that_began_anew_lost_all_its_counts_if_one_of_them_fell() -> None:
    looked = Looked(BARE)
    looked.look(page(10, 10, 100))
    assert counted(looked.look(page(12, 3, 200))) == {"a": 12, "b": 3}
    assert counted(looked.look(page(13, 3, 200))) == {"a": 1}


def test_an_exporter_that_began_anew_while_all_counts_went_on_counts_nothing_twice() -> None:
    looked = Looked(BARE)
    looked.look(page(10, 10, 100))
    assert counted(looked.look(page(11, 10, 200))) == {"a": 1}
    assert counted(looked.look(page(11, 2, 200))) == {"b": 2}, "of that one alone"


def test_buckets_that_go_backwards_are_refused_and_others_count() -> None:
    looked = Looked(BARE)
    looked.look(page(10, 10, 100))
    bad = page(12, 11, 100).replace(b'name="a",le="1"} 12', b'name="a",le="1"} 1')
    grown = looked.look(bad)
    assert counted(grown) == {"b": 1}
    assert [each.why for each in grown.refused] == ["malformed"]


def test_counters_of_failures_stand_beside_the_metric() -> None:
    metric = Metric(Signal.REQUESTS, Kind.COUNTER, ("ok_total",), failures=("lost_total",))
    registry = CollectorRegistry()
    good, lost = Counter("ok", "c", registry=registry), Counter("lost", "c", registry=registry)
    looked = Looked(metric)
    looked.look(registry)
    good.inc(4)
    lost.inc(2)
    batch = only(looked.look(registry))
    assert (batch.count, batch.failed) == (6, 2)
    assert batch.sides(None) == Sides(4, 0, 0)
    assert batch.sides(S) == Sides(0, 0, 4), "a counter tells no latency"


def test_a_metric_in_milliseconds_is_judged_in_seconds_and_of_several_names_the_first_that_is_there() -> None:
    metric = Metric(Signal.FIRST_TOKEN, Kind.HISTOGRAM, ("newer_ms", "older_ms"), Unit.MILLISECONDS)
    registry = CollectorRegistry()
    took, looked = Histogram("older_ms", "h", registry=registry, buckets=(100, 200)), Looked(metric)
    looked.look(registry)
    took.observe(150)
    batch = only(looked.look(registry))
    assert batch.signal is Signal.FIRST_TOKEN
    assert [(each.low, each.high) for each in batch.spans] == [(0.1, 0.2)]


@pytest.mark.parametrize(("threshold", "blind"), [(0.05, {0.05}), (0.1, set()), (1.0, set()), (2.0, {2.0})])
def test_at_a_threshold_that_the_servers_own_bounds_do_not_enclose_nothing_is_known(
    threshold: float, blind: set[float]
) -> None:
    registry = CollectorRegistry()
    took, looked = server(registry), Looked(REQUESTS)
    looked.look(registry)
    for value in (0.02, 0.7, 7.0):
        took.labels("a", "200", "1").observe(value)
    took.labels("a", "500", "1").observe(0.02)
    grown = looked.look(registry, (threshold, 0.5))
    assert grown.blind == blind
    sides = only(grown).sides(round(threshold * S))
    assert sides == (Sides(0, 0, 3) if blind else Sides(1 + (threshold == 1.0), 2 - (threshold == 1.0), 0))
    assert only(grown).sides(S // 2) == Sides(1, 2, 0), "at another threshold all is known as before"
    assert only(grown).failed == 1


def native(values: list[float], bounds: tuple[float, ...] = ()) -> bytes:
    took = family("took_seconds", HISTOGRAM)
    found = labelled(took, name="a").histogram
    put_native(found, values)
    for bound in bounds:
        found.bucket.add(upper_bound=bound, cumulative_count=sum(each <= bound for each in values))
    return delimited(took)


def test_a_native_histogram_gives_a_sketch_and_leaves_one_bucket_undecided() -> None:
    looked = Looked(BARE)
    looked.look_at(native([0.2]))
    batch = only(looked.look_at(native([0.2, 0.0, 0.3, 0.5, 2.0])))
    assert batch.sketch is not None
    assert (batch.count, batch.sketch.count) == (4, 4)
    assert batch.sides(S) == Sides(3, 1, 0), "1 s is a bound of every schema"
    assert batch.sides(3 * S // 10) == Sides(1, 2, 1)


@pytest.mark.parametrize(("threshold", "sides"), [(0.45, Sides(2, 0, 0)), (0.3, Sides(1, 1, 0))])
def test_of_two_layouts_the_one_that_decides_is_taken(threshold: float, sides: Sides) -> None:
    looked = Looked(BARE)
    looked.look_at(native([], (0.3, 2.0)))
    batch = only(looked.look_at(native([0.25, 0.4], (0.3, 2.0)), (threshold,)))
    assert batch.sides(round(threshold * S)) == sides


def test_sets_of_attributes_are_capped_and_every_request_still_counts() -> None:
    registry = CollectorRegistry()
    took, looked = server(registry), Looked(REQUESTS)
    looked.look(registry)
    for nth in range(MOST_SETS + 20):
        took.labels(f"m{nth}", "200", "1").observe(0.3)
    batches = looked.look(registry).batches
    assert len(batches) == MOST_SETS + 1
    assert sum(each.count for each in batches) == MOST_SETS + 20
    assert max(each.count for each in batches if each.attributes["model"] == "other") == 20


def test_what_is_missing_is_told_and_a_gauge_is_not_missed() -> None:
    registry = CollectorRegistry()
    Gauge("last_seconds", "g", registry=registry).set(3)
    gauge = Metric(Signal.FIRST_TOKEN, Kind.GAUGE, ("last_seconds",))
    grown = Looked(REQUESTS, gauge).look(registry)
    assert grown.missing == [REQUESTS]
    assert grown.batches == []


def test_two_workers_that_answer_in_turn_are_told_and_not_counted_again_and_again() -> None:
    looked = Looked(BARE)
    looked.look(page(1000, 1000, 100))
    assert sum(counted(looked.look(page(10, 10, 200))).values()) == 20, "it looks like a restart"
    with pytest.raises(SourceError, match="several answer in turn"):
        looked.look(page(1001, 1001, 100))
    assert counted(looked.look(page(11, 10, 200))) == {"a": 1}


def test_without_a_start_they_are_found_out_by_counts_that_fall() -> None:
    looked, said = Looked(BARE), list[str]()
    for nth in range(1, 10):
        for count in (1000 + nth, 10 + nth):
            try:
                looked.look(page(count, count, 100).rpartition(b"process")[0])
            except SourceError as error:
                said.append(str(error))
    assert len(said) == 18 - 5
    assert all("fell 3 times" in each for each in said)
