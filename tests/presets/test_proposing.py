"""Whatever a server has counted: what is proposed can be judged, and was kept so far."""

from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.contract.presets import library
from keeptime.contract.presets.proposing import SHARES, Seen, propose
from keeptime.model.key import Signal

BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5)
SPANS = list(zip((0.0, *BOUNDS), (*BOUNDS, float("inf")), strict=True))


def _proposed(counts: list[int], failed: int = 0) -> list[tuple[str, float | None, float]]:
    vllm = library.preset("vllm")
    assert vllm is not None
    seen = Seen(sum(counts) + failed, failed, dict(zip(SPANS, counts, strict=True)), BOUNDS)
    return [(each.promise.share, each.promise.under, each.seen) for each in propose(vllm, {Signal.REQUESTS: seen})]


@given(counts=st.lists(st.integers(0, 1000), min_size=6, max_size=6), failed=st.integers(0, 10))
@settings(max_examples=60, deadline=None)
def test_a_threshold_is_a_bound_that_was_kept(counts: list[int], failed: int) -> None:
    found = _proposed(counts, failed)
    for share, under, seen in found:
        assert under in BOUNDS
        assert float(share.rstrip("%")) / 100 <= seen <= 1
    unders = [under for _, under, _ in found]
    assert unders == sorted(set(unders), key=lambda each: -(each or 0))


def test_it_is_the_bound_after_the_first_that_was_kept() -> None:
    assert _proposed([60, 0, 40, 0, 0, 0]) == [("99%", 1.0, 1.0), ("50%", 0.25, 0.6)]
    assert _proposed([0, 0, 0, 0, 100, 0]) == [("99%", 2.5, 1.0)]


def test_where_too_many_are_beyond_the_last_bound_nothing_is_proposed() -> None:
    assert _proposed([90, 0, 0, 0, 0, 10]) == [("50%", 0.25, 0.9)]
    assert _proposed([0, 0, 0, 0, 0, 10]) == []
    assert _proposed([0] * 6, failed=3) == []


def test_there_is_a_share_for_each_signal_that_a_preset_tells_of() -> None:
    assert {metric.signal for each in library.every() for metric in each.metrics} == set(SHARES)
