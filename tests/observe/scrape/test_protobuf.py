"""Protobuf pages: what a real Prometheus writes is read, native histograms mean what Prometheus takes them for, and
what is malformed costs itself."""

import json
import math
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.contract.presets.preset import Kind
from keeptime.errors import SourceCapped, SourceError
from keeptime.model.sketch import Sketch
from keeptime.observe.cumulative import Totals
from keeptime.observe.scrape.fetching import ACCEPT
from keeptime.observe.scrape.page import Page, Point
from keeptime.observe.scrape.protobuf import ProtobufPages
from keeptime.observe.scrape.spreading import spread
from keeptime.observe.scrape.text import TextPages
from tests.servers import DIRECT, get_json, running

from .given import COUNTER, GAUGE, HISTOGRAM, SUMMARY, delimited, family, labelled, put_native, varint

WANTED = {"took_seconds": Kind.HISTOGRAM, "asked_total": Kind.COUNTER, "said_seconds": Kind.SUMMARY}
OBSERVED = [0.0, 0.01, 0.011, 0.12, 0.5, 0.5, 1.0, 1.001, 3.0, 90.0]


def read(*families: Any) -> Page:
    return ProtobufPages(WANTED).read(delimited(*families))


def classic(count: int = 3) -> Any:
    took = family("took_seconds", HISTOGRAM)
    found = labelled(took, model="a").histogram
    found.sample_count = count
    for bound, upto in ((0.1, 1), (1.0, 2)):
        found.bucket.add(upper_bound=bound, cumulative_count=upto)
    found.created_timestamp.seconds, found.created_timestamp.nanos = 1_500_000_000, 5
    return took


def only(page: Page, name: str = "took_seconds") -> Point:
    assert page.refused == []
    (point,) = page.points[name]
    return point


def test_a_classic_histogram_needs_no_last_bucket() -> None:
    found = only(read(classic()))
    assert (found.count, found.bounds, found.cumulative) == (3, (0.1, 1.0), (1, 2))
    assert (found.labels, found.created_ns) == ((("model", "a"),), 1_500_000_000 * 10**9 + 5)


def test_counters_summaries_and_the_start_of_the_process() -> None:
    asked, said, started = family("asked_total", COUNTER), family("said_seconds", SUMMARY), family("x", GAUGE)
    labelled(asked).counter.value = 7
    labelled(said).summary.sample_count = 2
    started.name = "process_start_time_seconds"
    labelled(started).gauge.value = 1.5e9
    page = read(asked, said, started)
    assert (only(page, "asked_total").count, only(page, "said_seconds").count) == (7, 2)
    assert page.started_ns == 1_500_000_000 * 10**9


@pytest.mark.parametrize("name", ["asked", "asked_total"])
def test_a_counter_may_be_named_without_its_suffix(name: str) -> None:
    asked = family(name, COUNTER)
    labelled(asked).counter.value = 7
    assert only(read(asked), "asked_total").count == 7


def native(values: list[float], schema: int = 3) -> Any:
    took = family("took_seconds", HISTOGRAM)
    put_native(labelled(took).histogram, values, schema)
    return took


@pytest.mark.parametrize("schema", [-4, -1, 0, 3, 8])
def test_a_native_histogram_is_the_sketch_of_its_observations(schema: int) -> None:
    found = only(read(native(OBSERVED, schema)))
    assert found.native is not None
    assert found.native.sketch.count == found.count == len(OBSERVED)
    spans = spread(Totals(found.count, sketch=found.native.sketch), found.native.zero, 1, ()).spans
    for value in OBSERVED:
        assert any(low < value <= high or value <= high < 1e-30 for low, high in spans), value
    if schema >= 0:
        sketch = Sketch(schema)
        for value in OBSERVED:
            sketch.add(value)
        assert found.native.sketch.buckets == sketch.buckets


def test_a_float_histogram_counts_its_whole_part() -> None:
    took = family("took_seconds", HISTOGRAM)
    found = labelled(took).histogram
    found.schema, found.zero_threshold, found.sample_count_float, found.zero_count_float = 0, 0.001, 5.5, 1.25
    found.positive_span.add(offset=1, length=2)
    found.positive_count.extend([1.75, 2.5])
    point = only(read(took))
    assert point.native is not None
    assert (point.count, point.native.sketch.zeros, point.native.sketch.buckets) == (5, 1, {0: 1, 1: 2})


def _negative(found: Any) -> None:
    found.negative_delta.append(1)


def _schema(found: Any) -> None:
    found.schema = 9


def _spans(found: Any) -> None:
    found.positive_span.add(offset=1, length=4_000_000_000)


def _deltas(found: Any) -> None:
    found.positive_delta[0] = -5


def _zero(found: Any) -> None:
    found.zero_threshold = math.nan


def _more(found: Any) -> None:
    found.sample_count = 1


def _far(found: Any) -> None:
    found.positive_span[0].offset = 2**30


def _backwards(found: Any) -> None:
    found.bucket.add(upper_bound=1.0, cumulative_count=5)
    found.bucket.add(upper_bound=2.0, cumulative_count=4)


WRONG = {
    "negative": _negative,
    "schema 9 is not known": _schema,
    "do not fit each other": _spans,
    "expected a count": _deltas,
    "zero bucket is malformed": _zero,
    "more than the 1 that were counted": _more,
    "a bucket holds": _far,
    "less than the 5 of a smaller one": _backwards,
}


@pytest.mark.parametrize(("why", "change"), WRONG.items(), ids=list(WRONG))
def test_a_malformed_histogram_costs_itself_alone(why: str, change: Any) -> None:
    took = native(OBSERVED)
    put_native(labelled(took, model="b").histogram, OBSERVED)
    change(took.metric[0].histogram)
    page = read(took)
    assert [each.labels for each in page.points["took_seconds"]] == [(("model", "b"),)]
    assert why in page.refused[0].why


def test_labels_twice_and_series_twice_are_refused() -> None:
    asked = family("asked_total", COUNTER)
    for _ in range(2):
        labelled(asked, a="1").counter.value = 3
    labelled(asked, a="2").label.add(name="a", value="3")
    page = read(asked)
    assert [each.why.rpartition(": ")[2] for each in page.refused] == [
        "it is there twice",
        "a label is there twice",
    ]
    assert len(page.points["asked_total"]) == 1


def test_a_family_that_cannot_be_read_costs_itself() -> None:
    good = classic()
    broken = b"\x0a\x0basked_total\x22\x7f"
    page = ProtobufPages(WANTED).read(varint(len(broken)) + broken + delimited(good))
    assert only_refusal(page) == ("byte 0", "the family asked_total is no message")
    assert len(page.points["took_seconds"]) == 1


def only_refusal(page: Page) -> tuple[str, str]:
    (found,) = page.refused
    return found.place, found.why


def test_after_broken_framing_nothing_is_read_and_it_is_said_where() -> None:
    whole = delimited(classic())
    page = ProtobufPages(WANTED).read(whole + b"\x7f\x01")
    assert len(page.points["took_seconds"]) == 1
    assert only_refusal(page)[0] == f"byte {len(whole)}"
    with pytest.raises(SourceError, match="no protobuf"):
        ProtobufPages(WANTED).read(b"# HELP this is text")


def test_another_type_than_expected_is_refused() -> None:
    took = family("took_seconds", SUMMARY)
    labelled(took).summary.sample_count = 1
    assert "is a summary here; expected a histogram" in read(took).refused[0].why


def test_too_many_series_are_refused_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keeptime.observe.scrape.protobuf.MOST_SERIES", 2)
    asked = family("asked_total", COUNTER)
    for nth in range(3):
        labelled(asked, a=str(nth)).counter.value = 1
    with pytest.raises(SourceCapped):
        read(asked)


def test_a_family_that_would_fill_the_memory_costs_itself_and_too_many_cost_the_page() -> None:
    asked, took = family("asked_total", COUNTER), b"\x0a\x0ctook_seconds" + b"\x22\x00" * 2_200_000
    labelled(asked).counter.value = 7
    page = ProtobufPages(WANTED).read(varint(len(took)) + took + delimited(asked))
    assert only_refusal(page) == ("byte 0", "the family took_seconds is larger than 4 MiB")
    assert page.points["asked_total"][0].count == 7
    with pytest.raises(SourceCapped, match="more than 100000 families"):
        ProtobufPages(WANTED).read(b"\x00" * 200_000)


def test_a_histogram_of_too_many_buckets_is_refused() -> None:
    took = classic()
    for _ in range(10_001):
        took.metric[0].histogram.bucket.add()
    assert "10003 buckets" in read(took).refused[0].why


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 200))
def test_any_bytes_give_a_page_or_a_source_error(noise: bytes, at: int) -> None:
    good = delimited(native(OBSERVED), classic())
    for data in (noise, good[:at] + noise + good[at + len(noise) :]):
        try:
            page = ProtobufPages(WANTED).read(data)
        except SourceError:
            continue
        for point in (each for points in page.points.values() for each in points):
            assert point.count >= 0
            if point.native is not None:
                spread(Totals(point.count, sketch=point.native.sketch), point.native.zero, 1, (0.5,))


@contextmanager
def serving(body: bytes) -> Iterator[str]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", ACCEPT.partition(";q")[0])
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_real_prometheus_takes_our_pages_as_we_do_and_we_read_its_own(tmp_path: Path) -> None:
    """Its feature native-histograms scrapes protobuf; its own metrics come as protobuf too."""
    page = delimited(native(OBSERVED))
    with serving(page) as target:
        config = {
            "scrape_configs": [
                {"job_name": "m", "scrape_interval": "1s", "static_configs": [{"targets": [target]}]}
            ]
        }
        (tmp_path / "p.yml").write_text(json.dumps(config))
        options = (f"--config.file={tmp_path / 'p.yml'}", f"--storage.tsdb.path={tmp_path / 'tsdb'}")
        command = ("prometheus", *options, "--web.listen-address=127.0.0.1:0", "--enable-feature=native-histograms")
        with running(command, tmp_path / "log", ready="/-/ready") as server:
            found = read(native(OBSERVED)).points["took_seconds"][0]
            assert found.native is not None
            for low, high, count in buckets_in(server.url):
                spans = spread(Totals(found.count, sketch=found.native.sketch), found.native.zero, 1, ()).spans
                fitting = [key for key in spans if key == pytest.approx((max(low, 0.0), high), rel=1e-9, abs=1e-38)]
                assert [spans[key] for key in fitting] == [count], (low, high)
            wanted = {"prometheus_http_request_duration_seconds": Kind.HISTOGRAM}
            request = DIRECT.open(_asking(server.url, ACCEPT), timeout=5).read()
            plain = DIRECT.open(_asking(server.url, "text/plain"), timeout=5).read()
            ours, text = ProtobufPages(wanted).read(request), TextPages(wanted).read(plain, openmetrics=False)
            ((name, points),) = ours.points.items()
            known = {each.labels: each for each in text.points[name]}
            assert points
            assert ours.started_ns == text.started_ns
            assert all(each.bounds == known[each.labels].bounds for each in points)


def _asking(url: str, accept: str) -> urllib.request.Request:
    return urllib.request.Request(f"{url}/metrics", headers={"Accept": accept})


def buckets_in(url: str) -> list[tuple[float, float, float]]:
    """Of the native histogram, once Prometheus has it."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        answer: Any = get_json(f"{url}/api/v1/query?query=took_seconds")
        if found := answer["data"]["result"]:
            return [
                (float(low), float(high), float(count))
                for _, low, high, count in found[0]["histogram"][1]["buckets"]
            ]
        time.sleep(0.2)
    raise AssertionError("Prometheus did not scrape the native histogram")
