"""Histograms of the real SDK, and hand-made ones that are wrong: counted once, or refused with a reason."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from keeptime.contract.scope import Wanted
from keeptime.contract.traffic.otlp import Otlp, Take
from keeptime.model.key import Signal
from keeptime.model.tally import Tally
from keeptime.observe.otlp.services import MOST_SERVICES

from .otel import DURATION, Counted, Program, contract, objective

OK = {"http.response.status_code": 200, "http.route": "/predict"}
BROKE = {"http.response.status_code": 503, "error.type": "503"}


@pytest.mark.parametrize("delta", [False, True], ids=["cumulative", "delta"])
@pytest.mark.parametrize("exponential", [False, True], ids=["explicit", "exponential"])
@pytest.mark.parametrize("unit", ["s", "ms"])
def test_what_the_sdk_exports_is_counted_once(delta: bool, exponential: bool, unit: str) -> None:
    counted = Counted(contract(Otlp("otlp"), objectives=(objective("fast", 0.5), objective("works", None))))
    program = Program(delta=delta, exponential=exponential)
    histogram: Any = program.histogram(DURATION, unit)
    scale = 1 if unit == "s" else 1000
    for seconds in (0.05, 0.2, 0.9):
        histogram.record(seconds * scale, OK)
    histogram.record(0.01 * scale, BROKE)
    first = program.export()
    assert counted.metrics(first).rejected == 0
    assert counted.metrics(first).rejected == 0
    for _ in range(3):
        histogram.record(0.2 * scale, OK)
    histogram.record(7.0 * scale, OK)
    assert counted.metrics(program.export()).message == ""
    assert counted.counted() == {"fast": Tally(5, 3), "works": Tally(7, 1)}
    assert counted.view().requests == 8
    assert counted.view().results["repeated"] == 2


def test_a_threshold_between_two_bounds_leaves_what_lies_there_out() -> None:
    counted = Counted(contract(Otlp("otlp"), objectives=(objective("odd", 0.4),)))
    program = Program()
    histogram: Any = program.histogram()
    for seconds in (0.05, 0.35, 0.45, 0.9):
        histogram.record(seconds, OK)
    counted.metrics(program.export())
    assert counted.counted()["odd"] == Tally(1, 1, excluded=2)


def test_signals_of_tokens_and_the_better_histogram_is_taken() -> None:
    objectives = (objective("fast", 0.5), objective("first", 0.3, Signal.FIRST_TOKEN),
                  objective("each", 0.1, Signal.OUTPUT_TOKEN))  # fmt: skip
    counted = Counted(contract(Otlp("otlp"), objectives=objectives))
    program = Program()
    http: Any = program.histogram("http.server.request.duration")
    model: Any = program.histogram("gen_ai.server.request.duration")
    first: Any = program.histogram("gen_ai.server.time_to_first_token")
    token: Any = program.histogram("gen_ai.server.time_per_output_token")
    client: Any = program.histogram("http.client.request.duration")
    http.record(0.6)
    for histogram, seconds in ((model, 0.2), (first, 0.2), (first, 0.9), (token, 0.05), (client, 9.0)):
        histogram.record(seconds)
    counted.metrics(program.export())
    assert counted.counted() == {"fast": Tally(1), "first": Tally(1, 1), "each": Tally(1)}
    assert counted.view().results["superseded"] == 1


def test_a_request_that_failed_is_bad_for_tokens_that_did_not_come_too() -> None:
    objectives = (objective("fast", 0.5), objective("first", 0.3, Signal.FIRST_TOKEN))
    counted = Counted(contract(Otlp("otlp"), objectives=objectives))
    program = Program()
    model: Any = program.histogram("gen_ai.server.request.duration")
    first: Any = program.histogram("gen_ai.server.time_to_first_token")
    for histogram, seconds, said in (
        (model, 0.2, {}),
        (first, 0.2, {}),
        (model, 0.01, {"error.type": "OutOfMemory"}),
    ):
        histogram.record(seconds, said)
    counted.metrics(program.export())
    assert counted.counted() == {"fast": Tally(1, 1), "first": Tally(1, 1)}


def test_a_contract_may_call_attributes_as_it_likes() -> None:
    fast = replace(objective("fast", 0.5), where=(Wanted("model_version", ("v2",)),))
    entry = Otlp("otlp", attributes=(("model_version", "Model.Version"), ("nothing", "absent")))
    counted = Counted(contract(entry, objectives=(fast,)))
    program = Program()
    histogram: Any = program.histogram()
    for version in ("v1", "v2", "v2"):
        histogram.record(0.2, {"Model.Version": version})
    counted.metrics(program.export())
    assert counted.counted()["fast"] == Tally(2)


def test_only_the_resources_that_an_entry_is_about_and_as_it_says() -> None:
    entry = Otlp(
        "otlp",
        "sentiment",
        where=(Wanted("deployment_environment_name", ("te*",)),),
        metrics={"requests": "my.latency"},
        failed=(Wanted("outcome", ("bad",)),),
    )
    counted = Counted(contract(entry, objectives=(objective("fast", 0.5),)))
    for service in ("sentiment", "other"):
        program = Program(service)
        mine: Any = program.histogram("my.latency")
        usual: Any = program.histogram()
        mine.record(0.2, {"outcome": "good"})
        mine.record(0.2, {"outcome": "bad"})
        usual.record(0.2)
        said = counted.metrics(program.export())
        assert said.message == ("" if service == "sentiment" else "no contract here takes any of these histograms")
    assert counted.counted() == {"fast": Tally(1, 1)}


def test_what_is_no_histogram_and_is_asked_for_by_nobody_is_passed_over_in_silence() -> None:
    counted = Counted(contract(Otlp("otlp", "sentiment")))
    program = Program("other")
    program.meter.create_counter("requests").add(1)
    assert counted.metrics(program.export()).message == ""


def test_where_traces_are_taken_metrics_count_nothing() -> None:
    counted = Counted(contract(Otlp("otlp", take=Take.TRACES)))
    program = Program()
    histogram: Any = program.histogram()
    histogram.record(0.2)
    counted.metrics(program.export())
    assert counted.counted() == {}


class Made:
    """An export of one histogram, made by hand."""

    def __init__(self, counted: Counted, exponential: bool = False, unit: str = "s") -> None:
        self.request = ExportMetricsServiceRequest()
        self.resource = self.request.resource_metrics.add()
        self.metric = self.resource.scope_metrics.add().metrics.add(name=DURATION, unit=unit)
        self.data: Any = self.metric.exponential_histogram if exponential else self.metric.histogram
        self.data.aggregation_temporality = 1
        self.now = counted.clock.wall_ns()
        self.point = self.data.data_points.add(count=3, sum=0.6, time_unix_nano=self.now)
        if exponential:
            self.point.scale, self.point.positive.offset = 3, -20
            self.point.positive.bucket_counts.extend([1, 2])
        else:
            self.point.explicit_bounds.extend([0.1, 0.5])
            self.point.bucket_counts.extend([1, 2, 0])

    def other(self) -> None:
        """A second point that is well."""
        good = self.data.data_points.add()
        good.CopyFrom(self.point)
        good.attributes.add(key="other").value.bool_value = True

    @property
    def bytes(self) -> bytes:
        return bytes(self.request.SerializeToString())


def odd_points() -> dict[str, tuple[Any, str]]:
    nan, inf = float("nan"), float("inf")

    def bounds(point: Any, *new: float) -> None:
        del point.explicit_bounds[:]
        point.explicit_bounds.extend(new)

    def counts(point: Any, *new: int) -> None:
        del point.bucket_counts[:]
        point.bucket_counts.extend(new)

    return {
        "too few buckets": (lambda p: counts(p, 1, 2), "2 buckets do not fit 2 bounds"),
        "does not add up": (lambda p: counts(p, 1, 1, 0), "its buckets hold 2, its count says 3"),
        "NaN bound": (lambda p: bounds(p, 0.1, nan), "not finite numbers that ascend"),
        "infinite bound": (lambda p: bounds(p, 0.1, inf), "not finite numbers that ascend"),
        "bounds descend": (lambda p: bounds(p, 0.5, 0.1), "not finite numbers that ascend"),
        "negative": (lambda p: bounds(p, -5.0, 0.5), "a bucket of negative latencies"),
        "NaN sum": (lambda p: setattr(p, "sum", nan), "negative latencies"),
        "negative sum": (lambda p: setattr(p, "sum", -1.0), "negative latencies"),
        "negative min": (lambda p: setattr(p, "min", -1.0), "negative latencies"),
        "huge": (lambda p: setattr(p, "count", 2**63), "more than can be"),
        "no time": (lambda p: setattr(p, "time_unix_nano", 0), "time_unix_nano is missing"),
        "future": (lambda p: setattr(p, "time_unix_nano", p.time_unix_nano + 61 * 10**9), "in the future"),
        "old": (lambda p: setattr(p, "time_unix_nano", p.time_unix_nano - 3700 * 10**9), "s old"),
        "name": (lambda p: p.attributes.add(key="k" * 257), "name has 257 characters"),
        "labels": (lambda p: [p.attributes.add(key=f"a{n}") for n in range(99)] and
                   [setattr(a.value, "int_value", 1) for a in p.attributes], "more than 64 attributes"),
    }  # fmt: skip


@pytest.mark.parametrize(("change", "why"), odd_points().values(), ids=odd_points())
def test_a_point_that_is_wrong_is_refused_with_its_reason_and_the_others_are_counted(change: Any, why: str) -> None:
    counted = Counted()
    made = Made(counted)
    made.other()
    change(made.point)
    said = counted.metrics(made.bytes)
    assert said.rejected == 1
    assert why in said.message
    assert counted.counted()["fast"] == Tally(3)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda p: p.negative.bucket_counts.append(1), "negative latencies"),
        (lambda p: setattr(p, "scale", 40), "expected -10 to 20"),
        (lambda p: setattr(p, "zero_count", 5), "its buckets hold 8"),
        (lambda p: setattr(p.positive, "offset", 2_000_000_000), "beyond any latency"),
        (lambda p: p.positive.bucket_counts.extend([0] * 2001), "at most 2000"),
    ],
)
def test_an_exponential_point_that_is_wrong_is_refused(change: Any, why: str) -> None:
    counted = Counted()
    made = Made(counted, exponential=True)
    made.other()
    change(made.point)
    said = counted.metrics(made.bytes)
    assert (said.rejected, why in said.message) == (1, True)
    assert counted.counted()["fast"] == Tally(3)


@pytest.mark.parametrize("scale", [-10, -1, 0, 20])
def test_buckets_of_any_scale_are_counted_as_exactly_as_they_are(scale: int) -> None:
    counted = Counted()
    made = Made(counted, exponential=True)
    made.point.scale, made.point.positive.offset = scale, -1 if scale <= 0 else -(3 << scale)
    made.point.positive.bucket_counts[:] = [3]
    made.point.zero_count, made.point.count = 1, 4
    assert counted.metrics(made.bytes).rejected == 0
    assert counted.counted()["works"] == Tally(4)


def test_a_bucket_that_ends_beyond_all_numbers_is_counted() -> None:
    counted = Counted()
    made = Made(counted, exponential=True)
    made.point.scale, made.point.positive.offset = -10, 0
    made.point.positive.bucket_counts[:] = [3]
    assert counted.metrics(made.bytes).rejected == 0
    assert counted.counted()["fast"] == Tally(0, 3)


def test_series_that_differ_beyond_what_is_kept_of_a_value_are_two() -> None:
    counted = Counted()
    program = Program()
    histogram: Any = program.histogram()
    for last in "ab":
        histogram.record(0.2, {"url": "x" * 200 + last})
    counted.metrics(program.export())
    assert counted.counted()["works"] == Tally(2)


def test_a_metric_that_is_no_histogram_or_of_no_known_unit_or_temporality_is_refused() -> None:
    counted = Counted()
    for change, why in (
        (lambda made: made.metric.gauge.data_points.add(), "it is a gauge; expected a histogram"),
        (lambda made: setattr(made.metric, "unit", "furlong"), "its unit is 'furlong'"),
        (lambda made: setattr(made.data, "aggregation_temporality", 0), "temporality is not said"),
    ):
        made = Made(counted)
        change(made)
        said = counted.metrics(made.bytes)
        assert (said.rejected, why in said.message) == (1, True)
    assert counted.counted() == {}


def test_buckets_that_go_backwards_are_refused_and_counting_goes_on_from_there() -> None:
    counted = Counted()
    said = []
    for nth, buckets in enumerate(([1, 2, 0], [0, 2, 2], [1, 3, 2])):
        made = Made(counted)
        made.data.aggregation_temporality = 2
        made.point.start_time_unix_nano = made.now
        made.point.bucket_counts[:] = buckets
        made.point.count = sum(buckets)
        made.point.time_unix_nano += nth
        said.append(counted.metrics(made.bytes).message)
    assert said[0] == said[2] == ""
    assert "a bucket went backwards" in said[1]
    assert counted.counted()["works"] == Tally(5)


def test_a_program_that_began_anew_counts_from_nothing_and_one_that_ran_before_is_a_baseline() -> None:
    counted = Counted()
    for start, after in ((-10, 0), (-10, 1), (+1, 2)):
        made = Made(counted)
        made.data.aggregation_temporality = 2
        made.point.start_time_unix_nano = made.now + start * 10**9
        made.point.time_unix_nano += after
        counted.metrics(made.bytes)
    assert counted.counted()["works"] == Tally(3)


def test_services_without_end_are_refused_and_those_that_are_known_go_on() -> None:
    counted = Counted()
    request = ExportMetricsServiceRequest()
    for nth in range(MOST_SERVICES + 2):
        made = Made(counted)
        made.resource.resource.attributes.add(key="service.name").value.string_value = f"s{nth}"
        request.resource_metrics.extend(made.request.resource_metrics)
    said = counted.metrics(request.SerializeToString())
    assert (said.rejected, "more than 200 services" in said.message) == (2, True)
    made = Made(counted)
    made.point.time_unix_nano += 1
    made.resource.resource.attributes.add(key="service.name").value.string_value = "s0"
    assert counted.metrics(made.bytes).rejected == 0


def test_a_histogram_that_comes_up_in_a_program_that_was_looked_at_before_counts_from_nothing() -> None:
    counted = Counted()
    for name in ("process.memory.usage", DURATION):
        made = Made(counted)
        made.metric.name = name
        made.data.aggregation_temporality = 2
        made.point.start_time_unix_nano = made.now - 10 * 10**9
        counted.metrics(made.bytes)
    assert counted.counted()["works"] == Tally(3)


def test_no_recorded_value_and_exemplars_mean_nothing() -> None:
    counted = Counted()
    made = Made(counted)
    made.point.exemplars.add(as_double=9.0)
    made.other()
    made.point.flags = 1
    assert counted.metrics(made.bytes).rejected == 0
    assert counted.view().results == {"empty": 1, "ok": 1}


def test_a_million_labels_are_refused_and_other_services_are_untouched() -> None:
    counted = Counted()
    made = Made(counted)
    for nth in range(10_200):
        point = made.data.data_points.add(count=1, sum=0.1, time_unix_nano=made.now)
        point.attributes.add(key="user").value.int_value = nth
    said = counted.metrics(made.bytes)
    assert said.rejected == 201
    assert "more than 10000 series" in said.message
    assert len(next(iter(counted.otlps._histograms._services._services.values())).times) == 10_000
    other = Made(counted)
    other.resource.resource.attributes.add(key="service.name").value.string_value = "other"
    assert counted.metrics(other.bytes).rejected == 0


@pytest.mark.parametrize("known", [True, False], ids=["a program that is watched", "one that is not"])
def test_a_contract_that_comes_later_counts_nothing_of_what_was_before_it(known: bool) -> None:
    early = contract(Otlp("otlp", service="sentiment" if known else "another"))
    later = contract(Otlp("otlp", metrics={Signal.REQUESTS: "own"}), name="later")
    counted = Counted(early)
    program = Program()
    histogram: Any = program.histogram("own")
    histogram.record(0.2)
    usual: Any = program.histogram()
    usual.record(0.2)
    counted.metrics(program.export())
    counted.counter.replace([early, later])
    asyncio.run(counted.otlps.prepare([early, later])())
    counted.metrics(program.export())
    histogram.record(0.2)
    counted.metrics(program.export())
    (record,) = [each for each in counted.counter.finish(counted.clock.wall_ns() + 10**9) if each.tallies]
    assert {key.contract: tally for key, tally in record.tallies.items() if key.objective == "works"} == (
        {"served": Tally(1), "later": Tally(1)} if known else {"later": Tally(1)}
    )
