"""A percentile lies within its bounds, whoever chose the buckets."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.model.latency import Bucket, Quantile, bounded
from keeptime.model.sketch import Sketch

LATENCIES = st.lists(st.floats(1e-6, 1e4), min_size=1, max_size=200)
SHARES = st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0])


def nearest_rank(values: list[float], share: float) -> float:
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


@given(LATENCIES, SHARES)
def test_the_exact_percentile_lies_within_the_bounds_of_a_sketch(values: list[float], share: float) -> None:
    sketch = Sketch()
    for value in values:
        sketch.add(value)
    found, exact = sketch.bounded(share), nearest_rank(values, share)
    assert found is not None
    assert found.high is not None
    assert found.value is not None
    assert found.low * (1 - 1e-12) <= exact <= found.high * (1 + 1e-12)
    assert abs(found.value - exact) <= sketch.relative_error * exact * (1 + 1e-9)
    assert found.value == sketch.quantile(share)


@given(LATENCIES, SHARES, st.lists(st.floats(1e-6, 1e4), min_size=1, max_size=12, unique=True))
def test_the_exact_percentile_lies_within_the_bounds_of_foreign_buckets(
    values: list[float], share: float, bounds: list[float]
) -> None:
    edges = [-math.inf, *sorted(bounds), math.inf]
    buckets = [Bucket(low, high, sum(low < value <= high for value in values)) for low, high in pairwise(edges)]
    found, exact = bounded(share, buckets), nearest_rank(values, share)
    assert found is not None
    assert found.value is None, "no point is made up"
    assert found.low <= exact <= (math.inf if found.high is None else found.high)


def test_by_hand() -> None:
    """90 up to 100 ms, 9 up to 250 ms, one above all bounds."""
    buckets = [Bucket(-math.inf, 0.1, 90), Bucket(0.1, 0.25, 9), Bucket(0.25, math.inf, 1)]
    assert bounded(0.5, buckets) == Quantile(0.5, 0.0, 0.1)
    assert bounded(0.95, buckets) == Quantile(0.95, 0.1, 0.25)
    assert bounded(0.995, buckets) == Quantile(0.995, 0.25, None)
    assert bounded(0.9, buckets) == Quantile(0.9, 0.0, 0.25), "on an edge either side may hold it"
    assert bounded(0.5, [Bucket(0, 1, 0)]) is None


def test_an_empty_sketch_has_no_percentiles_and_a_failure_is_in_none() -> None:
    assert Sketch().bounded(0.5) is None
    assert Sketch().latency(3600.0).quantiles == ()
    one = Sketch()
    one.add(0.2)
    assert [each.name for each in one.latency(3600.0).quantiles] == ["p50", "p95", "p99"]
    with pytest.raises(ValueError, match="lies in"):
        one.bounded(1.5)
