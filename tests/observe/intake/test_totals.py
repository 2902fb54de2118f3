"""Totals that programs post: what came since the last time is counted, once."""

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.model.tally import Tally
from keeptime.observe.intake import totals
from keeptime.observe.intake.push import Posted
from keeptime.observe.intake.refusing import TooMany, Unreadable

from .given import NOW, Given, contract, objective

SERIES = {
    "signal": "requests",
    "attributes": {"route": "/predict"},
    "count": 10,
    "failed": 1,
    "within": {"0.5": 7},
    "scale": 5,
    "zeros": 0,
    "sum": 3.5,
    "buckets": {"-70": 7, "-10": 2},
}


def body(*series: object, at: float = NOW, started: float | None = NOW - 30, instance: str = "one") -> bytes:
    return json.dumps({"instance": instance, "started": started, "at": at, "series": series}).encode()


def test_totals_of_a_program_that_began_since_keeptime_did_count_from_nothing_and_then_what_came() -> None:
    found = Given()
    said = found.push(body(SERIES, started=NOW + 1))
    assert (said.taken, said.refused) == (1, 0)
    assert said.thresholds == {"requests": (0.5,), "first_token": (0.3,)}
    found.now.go(5)
    more = SERIES | {"count": 15, "within": {"0.5": 11}, "buckets": {"-70": 11, "-10": 3}}
    found.push(body(more, at=NOW + 5, started=NOW + 1))
    assert found.counted() == {"fast": Tally(11, 4), "works": Tally(14, 1)}
    assert found.pushes.views("served")[0].requests == 15


def test_totals_of_a_program_that_ran_before_are_a_baseline() -> None:
    found = Given()
    found.push(body(SERIES))
    assert found.counted() == {}


def test_a_series_that_comes_up_in_a_program_that_was_looked_at_before_counts_from_nothing() -> None:
    found = Given()
    found.push(body())
    found.now.go(5)
    found.push(body(SERIES, at=NOW + 5))
    assert found.counted()["works"] == Tally(9, 1)


def test_the_same_or_older_totals_again_count_nothing() -> None:
    found = Given()
    found.push(body(SERIES, started=NOW + 1))
    assert found.push(body(SERIES, started=NOW + 1)).taken == 1
    found.push(body(SERIES | {"count": 2, "failed": 0}, at=NOW - 1, started=NOW + 1))
    assert found.counted()["works"] == Tally(9, 1)
    assert found.pushes.views("served")[0].results == {"ok": 1, "repeated": 2}


def test_a_threshold_that_was_not_counted_is_decided_by_the_buckets_and_what_lies_between_is_left_out() -> None:
    found = Given(contract(objectives=(objective("exact", 0.5), objective("other", 0.22))))
    found.push(body(SERIES, started=NOW + 1))
    counted = found.counted()
    assert counted["exact"] == Tally(7, 3)
    assert counted["other"] == Tally(0, 3, excluded=7)


def test_several_instances_are_summed_and_one_that_began_anew_counts_from_nothing() -> None:
    found = Given()
    found.push(body(SERIES, started=NOW + 1, instance="one"))
    found.push(body(SERIES, started=NOW + 1, instance="two"))
    found.now.go(10)
    found.push(body(SERIES, started=NOW + 9, at=NOW + 10, instance="one"))
    assert found.counted()["works"] == Tally(27, 3)


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ({"count": -1}, "count: given -1"),
        ({"count": 1.5}, "count: given 1.5"),
        ({"count": True}, "count: given True"),
        ({"count": 10**16}, "expected a whole number from 0 to 10^15"),
        ({"failed": 11}, "11 of 10 failed"),
        ({"within": {"0.5": 10}}, "buckets hold 10 observations, more than the 9"),
        ({"within": {"zero": 1}}, "'zero' is no threshold"),
        ({"within": {"nan": 1}}, "'nan' is no threshold"),
        ({"within": {"0.5": -1}}, "within '0.5': given -1"),
        ({"within": []}, "within: expected an object"),
        ({"buckets": {"-70": -1}}, "bucket '-70': given -1"),
        ({"buckets": {"-70": 10}}, "buckets hold 10 observations"),
        ({"buckets": {"9999": 1}}, "'9999' is no index"),
        ({"buckets": {"x": 1}}, "'x' is no index"),
        ({"buckets": {str(n): 0 for n in range(2001)}}, "at most 2000"),
        ({"scale": 99}, "scale"),
        ({"sum": float("nan")}, "sum: given nan"),
        ({"sum": -1}, "sum: given -1"),
        ({"zeros": -1}, "zeros: given -1"),
        ({"signal": "token_rate"}, "expected one of requests, first_token"),
        ({"signal": "speed"}, "expected one of requests, first_token"),
        ({"more": 1}, "'more' is unknown"),
        ({"attributes": {"status": "200"}}, "keeptime gives itself"),
    ],
)
def test_a_series_that_contradicts_itself_is_refused_and_the_others_are_counted(
    odd: dict[str, object], why: str
) -> None:
    found = Given()
    other = SERIES | {"attributes": {"route": "/other"}}
    said = found.push(body(SERIES | odd, other, 7, started=NOW + 1))
    assert (said.taken, said.refused) == (1, 2)
    assert said.first[0][0] == 0
    assert why in said.first[0][1]
    assert found.counted()["works"] == Tally(9, 1)


def test_buckets_that_went_backwards_are_refused_and_counting_goes_on_from_there() -> None:
    found = Given()
    found.push(body(SERIES, started=NOW + 1))
    found.now.go(5)
    said = found.push(body(SERIES | {"count": 12, "buckets": {"-70": 3, "-10": 2}}, at=NOW + 5, started=NOW + 1))
    assert "went backwards" in said.first[0][1]
    found.now.go(5)
    found.push(body(SERIES | {"count": 14, "buckets": {"-70": 5, "-10": 2}}, at=NOW + 10, started=NOW + 1))
    assert found.counted()["works"] == Tally(11, 1)


def test_a_million_labels_are_refused_and_another_contract_is_untouched() -> None:
    found = Given(contract(), contract(name="other"))
    for first in range(0, 12_000, 4_000):
        many = [SERIES | {"attributes": {"user": str(nth)}} for nth in range(first, first + 4_000)]
        said = found.push(body(*many, started=NOW + 1, at=found.now.ns / 1e9))
        found.now.go(1)
    assert (said.taken, said.refused, len(said.first)) == (2_000, 2_000, 20)
    assert "more than 10000 series" in said.first[0][1]
    assert found.push(body(SERIES, started=NOW + 1), contract="other").taken == 1


@pytest.mark.parametrize(
    "said",
    [
        {"series": []},
        {"instance": "", "series": []},
        {"instance": "x" * 201, "series": []},
        {"instance": 5, "series": []},
        {"instance": "one", "series": {}},
        {"instance": "one", "series": [], "more": 1},
        {"instance": "one", "series": [], "at": NOW - 4000},
        {"instance": "one", "series": [], "at": NOW + 100},
        {"instance": "one", "series": [], "at": "now"},
        {"instance": "one", "series": [], "started": NOW + 100},
    ],
)
def test_a_head_that_means_nothing_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(Unreadable):
        Given().push(json.dumps(said).encode())


def test_instances_without_end_fill_no_memory() -> None:
    found = Given()
    for nth in range(totals.MOST_INSTANCES + 5):
        found.pushes._take(Posted("served", b'{"instance": "i%d", "series": []}' % nth))
    assert len(found.pushes._growing._of["served"].newest) == totals.MOST_INSTANCES


def test_too_many_series_at_once_are_refused() -> None:
    with pytest.raises(TooMany):
        Given().push(json.dumps({"instance": "one", "series": [0] * 10_001}).encode())


anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
values = anything | st.dictionaries(st.text(max_size=4) | st.integers(-99, 99).map(str), anything, max_size=3)


@settings(max_examples=60, deadline=None)
@given(odd=st.dictionaries(st.sampled_from(sorted(SERIES)), values, max_size=4))
def test_whatever_a_series_says_it_is_counted_or_refused(odd: dict[str, object]) -> None:
    said = GIVEN.push(json.dumps({"instance": "odd", "series": [SERIES | odd]}).encode())
    assert said.taken + said.refused == 1
    GIVEN.now.go(0.001)


GIVEN = Given()


def test_a_contract_that_comes_back_counts_nothing_of_before_again() -> None:
    found = Given()
    found.push(body(SERIES, started=NOW + 1))
    assert found.counted()["works"] == Tally(9, 1)
    for contracts in ((), found.contracts):
        found.now.go(5)
        asyncio.run(found.pushes.prepare(contracts)())
    found.push(body(SERIES, at=NOW + 10, started=NOW + 1))
    more = SERIES | {"count": 12, "within": {"0.5": 9}, "buckets": {"-70": 9, "-10": 2}}
    found.now.go(5)
    found.push(body(more, at=NOW + 15, started=NOW + 1))
    assert found.counted()["works"] == Tally(2, 0)
