"""What is known of requests that somebody else has counted, and what is not."""

import math

import pytest

from keeptime.model.batch import Batch, Sides, Span
from keeptime.model.key import Signal

MS = 1_000_000
SPANS = (Span(0.0, 0.25, 60), Span(0.25, 0.5, 25), Span(0.5, 1.0, 9), Span(1.0, math.inf, 3))


def batch(count: int = 100, failed: int = 3, spans: tuple[Span, ...] = SPANS, **more: object) -> Batch:
    return Batch("c", Signal.REQUESTS, 10, count, failed, spans, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("under", "sides"),
    [
        (500 * MS, Sides(85, 12, 0)),
        (700 * MS, Sides(85, 3, 9)),
        (100 * MS, Sides(0, 37, 60)),
        (2_000 * MS, Sides(94, 0, 3)),
        (None, Sides(97, 0, 0)),
    ],
)
def test_a_threshold_between_two_bounds_leaves_requests_undecided(under: int | None, sides: Sides) -> None:
    assert batch().sides(under) == sides


def test_what_was_counted_exactly_is_known_whatever_the_buckets_say() -> None:
    assert batch(exact={700 * MS: 91}).sides(700 * MS) == Sides(91, 6, 0)


def test_a_request_in_no_bucket_took_a_time_that_is_not_known() -> None:
    assert batch(spans=SPANS[:1]).sides(250 * MS) == Sides(60, 0, 37)


def test_a_bound_that_differs_by_rounding_is_the_threshold() -> None:
    assert batch(2, 0, (Span(0.0, 0.1 + 0.2, 1), Span(0.1 + 0.2, 1.0, 1))).sides(300 * MS) == Sides(1, 1, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"failed": -1},
        {"failed": 101},
        {"spans": (*SPANS, Span(2.0, 3.0, 1))},
        {"spans": (Span(1.0, 0.5, 1),)},
        {"spans": (Span(0.0, 0.5, -1),)},
        {"exact": {1: 98}},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        batch(**wrong)  # type: ignore[arg-type]
