"""Text pages: what real client libraries write is read, and what is wrong costs as little as is safe."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, Summary, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics

from keeptime.contract.presets.preset import Kind
from keeptime.errors import SourceCapped, SourceError
from keeptime.observe.scrape import page as pages
from keeptime.observe.scrape.page import Page
from keeptime.observe.scrape.text import TextPages

WANTED = {"took_seconds": Kind.HISTOGRAM, "asked_total": Kind.COUNTER, "said_seconds": Kind.SUMMARY}


def read(text: str, openmetrics: bool = False) -> Page:
    """Read twice: what is remembered of a page changes nothing."""
    pages = TextPages(WANTED)
    first, again = (pages.read(text.encode(), openmetrics=openmetrics) for _ in range(2))
    assert again == first
    return first


def served() -> CollectorRegistry:
    registry = CollectorRegistry()
    took = Histogram("took_seconds", "h", ["model", "path"], registry=registry, buckets=(0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 7.0):
        took.labels("a", 'x"},\\ {le="\n').observe(value, {"trace_id": "abc } # {"})
    took.labels("b", "").observe(2)
    Counter("asked", "c", registry=registry).inc(3)
    Summary("said_seconds", "s", registry=registry).observe(1)
    Counter("other", "of no interest", ["x"], registry=registry).labels("y").inc()
    return registry


@pytest.mark.parametrize("form", ["text", "openmetrics"])
def test_what_the_real_client_library_writes_is_read(form: str) -> None:
    body = generate_latest(served()) if form == "text" else openmetrics(served())
    page = TextPages(WANTED).read(body, openmetrics=form == "openmetrics")
    assert page.refused == []
    one, other = page.points["took_seconds"]
    assert dict(one.labels) == {"model": "a", "path": 'x"},\\ {le="\n'}
    assert (one.count, one.bounds, one.cumulative) == (4, (0.1, 1.0), (2, 3))
    assert (dict(other.labels)["model"], other.count, other.cumulative) == ("b", 1, (0, 0))
    assert one.created_ns is not None
    assert [each.count for each in page.points["asked_total"]] == [3]
    assert [each.count for each in page.points["said_seconds"]] == [1]
    assert set(page.points) == set(WANTED)


GOOD = """\
# TYPE took_seconds histogram
took_seconds_bucket{model="a",le="1"} 2
took_seconds_bucket{model="a",le="+Inf"} 3
took_seconds_count{model="a"} 3
took_seconds_bucket{model="b",le="1"} 1
took_seconds_bucket{model="b",le="+Inf"} 1
# TYPE asked_total counter
asked_total 5 1395066363000
process_start_time_seconds 1.5e+09
"""


def test_a_plain_page_with_timestamps_and_a_start() -> None:
    page = read(GOOD)
    assert [each.count for each in page.points["took_seconds"]] == [3, 1]
    assert page.points["asked_total"][0].count == 5
    assert page.started_ns == 1_500_000_000 * 10**9
    assert page.refusals == 0


WRONG_SERIES = {
    "no bucket \\+Inf": ('took_seconds_bucket{model="a",le="+Inf"} 3\n', ""),
    "holds nan": ('{model="a",le="1"} 2', '{model="a",le="1"} NaN'),
    "holds -2": ('{model="a",le="1"} 2', '{model="a",le="1"} -2'),
    "less than the 4": ('{model="a",le="1"} 2', '{model="a",le="1"} 4'),
    "'abc' or its 'le' is no number": ('{model="a",le="1"} 2', '{model="a",le="1"} abc'),
    "'2' or its 'le' is no number": ('{model="a",le="1"} 2', '{model="a",le="one"} 2'),
    "a bucket is there twice": (
        'model="a",le="1"} 2\n',
        'model="a",le="1"} 2\ntook_seconds_bucket{le="1.0",model="a"} 2\n',
    ),
    "the series is there twice": (
        '_count{model="a"} 3\n',
        '_count{model="a"} 3\ntook_seconds_count{model="a"} 3\n',
    ),
}


@pytest.mark.parametrize(("why", "change"), WRONG_SERIES.items(), ids=list(WRONG_SERIES))
def test_a_malformed_series_costs_itself_alone(why: str, change: tuple[str, str]) -> None:
    assert change[0] in GOOD
    page = read(GOOD.replace(*change))
    assert [dict(each.labels)["model"] for each in page.points["took_seconds"]] == ["b"]
    assert page.refusals == 1
    with pytest.raises(AssertionError, match=why):
        raise AssertionError(page.refused[0].why)
    assert page.refused[0].place.startswith("line ")


WRONG_FAMILY = {
    "labels cannot be read": ('{model="b",le="1"}', '{model=b,le="1"}'),
    "the label model is there twice": ('{model="b",le="1"}', '{model="b",model="b",le="1"}'),
    "is no sample": ('{model="b",le="1"} 1', '{model="b",le="1"'),
    "the line is no sample": (
        '_bucket{model="b",le="1"} 1',
        '_bucket{model="b",le="1"}1\ntook_seconds_bucket{model="b",le="1" 1',
    ),
    "characters of labels": ('model="b",le="1"', f'model="{"b" * 20_000}",le="1"'),
    "65 labels": ('model="b",le="1"', ",".join(f'l{nth}="1"' for nth in range(65))),
    "is a summary here": ("took_seconds histogram", "took_seconds summary"),
}


@pytest.mark.parametrize(("why", "change"), WRONG_FAMILY.items(), ids=list(WRONG_FAMILY))
def test_a_line_of_nobody_knows_whom_costs_its_family_and_no_other(why: str, change: tuple[str, str]) -> None:
    page = read(GOOD.replace(*change))
    assert "took_seconds" not in page.points
    assert page.points["asked_total"][0].count == 5
    assert why in page.refused[0].why


def test_of_pages_that_were_put_together_no_start_is_that_of_all() -> None:
    assert read(GOOD + "process_start_time_seconds 1.6e+09\n").started_ns is None


@pytest.mark.parametrize(
    "line",
    [
        "asked_total" + " \t" * 500_000,
        "asked_total{" + 'a="\\\\' * 300_000,
        "asked_total{" + "a=," * 300_000 + "} 1",
        "asked_total{" + ",".join(f'l{nth}="1"' for nth in range(100_000)) + "} 1",
        "asked_total 1" + " 1" * 500_000,
        "asked_total " + "1" * 1_000_000 + "x",
        "asked_total 1 # {" + "#" * 1_000_000,
    ],
    ids=["blanks", "quotes", "commas", "labels", "numbers", "digits", "exemplar"],
)
def test_a_line_without_end_takes_no_long_time(line: str) -> None:
    """In the suite's own time: what is tried twice would take hours."""
    assert len(read(GOOD + line + "\n").points["took_seconds"]) == 2


def test_the_place_of_a_refusal_is_its_line() -> None:
    page = read(GOOD.replace('{model="b",le="1"}', "{model=b}"))
    assert str(page.refused[0]).startswith("line 5: ")


def test_what_nobody_asks_for_may_be_anything() -> None:
    page = read(GOOD + 'other{x="1" 7 }\n\x00\n{}\n  \nother 1 2 3 4\n')
    assert (page.refusals, len(page.points)) == (0, 2)


def test_a_page_that_ends_within_a_line_lost_its_last_count() -> None:
    page = read(GOOD + "asked_total 12")
    assert "asked_total" not in page.points
    assert "ends within a line" in page.refused[0].why


def test_an_openmetrics_page_without_its_end_is_cut_off() -> None:
    with pytest.raises(SourceError, match="cut off"):
        read(GOOD, openmetrics=True)
    assert read(GOOD + "# EOF\n", openmetrics=True).points


def test_too_many_series_are_refused_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keeptime.observe.scrape.text.MOST_SERIES", 10)
    with pytest.raises(SourceCapped, match="more than 10 series"):
        read("".join(f'asked_total{{x="{nth}"}} 1\n' for nth in range(11)))
    assert len(read("".join(f'asked_total{{x="{nth}"}} 1\n' for nth in range(10))).points["asked_total"]) == 10


def test_too_many_lines_are_refused_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keeptime.observe.scrape.text.MOST_LINES", 10)
    with pytest.raises(SourceCapped, match="more than 10 lines"):
        read("\n" * 11)
    assert read("\n" * 10).points == {}


def test_refusals_are_counted_and_the_first_ones_said() -> None:
    page = read("".join(f'asked_total{{x="{nth}"}} -1\n' for nth in range(100)))
    assert (page.refusals, len(page.refused)) == (100, pages.SAID)


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from('took_seconds_bucketasked_total{}=",\\ 0123456789.eE+-#\n\t\r'), max_size=200))
def test_any_text_gives_a_page(text: str) -> None:
    for point in (each for points in read(text).points.values() for each in points):
        assert 0 <= point.count < 2**53
        assert list(point.cumulative) == sorted(point.cumulative)
        assert not any(math.isnan(each) for each in point.bounds)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), max_size=8), st.lists(st.floats(0, 20), max_size=8), max_size=5
    )
)
def test_whatever_labels_and_values_the_library_writes_come_back(values: dict[str, list[float]]) -> None:
    registry = CollectorRegistry()
    took = Histogram("took_seconds", "h", ["model"], registry=registry)
    for model, found in values.items():
        for value in found:
            took.labels(model).observe(value)
    page = TextPages(WANTED).read(openmetrics(registry), openmetrics=True)
    counted = {dict(each.labels)["model"]: each.count for each in page.points.get("took_seconds", [])}
    assert counted == {model: len(found) for model, found in values.items() if found}
