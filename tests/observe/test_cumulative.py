"""What totals of somebody else's grew by, against what really happened: never twice, never less than nothing."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.model.batch import Batch, Span
from keeptime.model.key import Signal
from keeptime.model.sketch import Sketch
from keeptime.observe.cumulative import REMEMBERED_NS, Growth, Totals, TotalsRefused

S = 1_000_000_000
EDGES = (0.0, 0.1, 0.5, float("inf"))


class Server:
    """A program that keeps totals, and what it really did."""

    def __init__(self) -> None:
        self.started_ns, self.took = 0, list[float]()

    def work(self, took: list[float]) -> None:
        self.took += took

    def restart(self, at_ns: int) -> None:
        self.started_ns, self.took = at_ns, []

    def totals(self) -> Totals:
        spans = {(low, high): sum(low < each <= high for each in self.took) for low, high in pairwise(EDGES)}
        sketch = Sketch()
        for each in self.took:
            sketch.add(each)
        within = sum(each <= 0.2 for each in self.took)
        return Totals(len(self.took), 0, spans, {S // 5: within}, sketch)


def plain(count: int, failed: int = 0) -> Totals:
    return Totals(count, failed, {(0.0, 0.1): count - failed})


steps = st.lists(
    st.tuples(
        st.sampled_from(["work", "work", "restart", "hidden restart", "vanish"]),
        st.lists(st.sampled_from([0.05, 0.1, 0.2, 0.3, 2.0]), max_size=4),
    ),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(steps=steps, says_start=st.booleans())
def test_any_course_of_work_and_restarts_is_counted_at_most_once_and_never_backwards(
    steps: list[tuple[str, list[float]]], says_start: bool
) -> None:
    server, growth = Server(), Growth()
    really, counted = Counter[float](), Totals(0)
    at = 10 * S
    growth.advance("a", server.totals(), 0 if says_start else None, at)
    for what, took in steps:
        at += 10 * S
        if "restart" in what:
            server.restart(at - 5 * S)
        server.work(took)
        really.update(took)
        if what == "vanish":
            continue
        before = growth.refused["malformed"]
        try:
            found = growth.advance("a", server.totals(), server.started_ns if says_start else None, at)
        except TotalsRefused:
            assert growth.refused["malformed"] == before + 1
            continue
        assert found is not None
        assert found.sketch is not None
        assert min(found.count, found.failed, *found.spans.values(), *found.exact.values(), 0) == 0
        batch = Batch(
            "c", Signal.REQUESTS, at, found.count, spans=tuple(Span(*k, n) for k, n in found.spans.items())
        )
        assert sum(batch.sides(S // 2)) == found.count == found.sketch.count
        counted = Totals(
            counted.count + found.count,
            0,
            {key: counted.spans.get(key, 0) + found.spans.get(key, 0) for key in {*counted.spans, *found.spans}},
        )
    assert counted.count <= really.total()
    if says_start and not any(what == "vanish" for what, _ in steps):
        assert counted.count == really.total(), "with its start told, every request of a server that is seen counts"
        assert counted.spans.get((0.5, float("inf")), 0) == really[2.0]


def test_the_first_look_is_the_baseline() -> None:
    growth = Growth()
    assert growth.advance("a", plain(7), None, 10 * S) is None
    assert growth.advance("b", plain(7), None, 10 * S) is None, "of the same look"
    assert growth.advance("a", plain(9), None, 20 * S) == plain(2)
    assert growth.advance("c", plain(3), None, 20 * S) == plain(3), "the target was looked at before without it"


def test_a_target_that_had_nothing_yet_was_looked_at() -> None:
    growth = Growth()
    growth.look(10 * S)
    assert growth.advance("a", plain(3), None, 20 * S) == plain(3)


def test_each_target_has_its_own_first_look() -> None:
    growth = Growth()
    growth.advance(("x", "a"), plain(1), None, 10 * S, target="x")
    assert growth.advance(("y", "a"), plain(5), None, 20 * S, target="y") is None


def test_who_began_while_this_watched_counts_from_its_start() -> None:
    growth = Growth(since_ns=10 * S)
    assert growth.advance("a", plain(5), 12 * S, 20 * S, target="a") == plain(5)
    assert growth.advance("b", plain(5), 9 * S, 20 * S, target="b") is None


def test_a_fall_and_a_later_start_are_resets() -> None:
    growth = Growth()
    growth.advance("a", plain(7), 1 * S, 10 * S)
    assert growth.advance("a", plain(3), 1 * S, 20 * S) == plain(3)
    assert growth.advance("a", plain(8), 25 * S, 30 * S) == plain(8), "more than before, yet of a new start"
    assert growth.advance("a", plain(9), 25 * S + 1000, 40 * S) == plain(1), "the same start, told less exactly"


def test_two_programs_that_answer_in_turn_are_not_counted_twice() -> None:
    growth = Growth()
    growth.advance("a", plain(100), 1 * S, 10 * S)
    assert growth.advance("a", plain(90), 5 * S, 20 * S) == plain(90)
    with pytest.raises(TotalsRefused, match="answer in turn"):
        growth.advance("a", plain(101), 1 * S, 30 * S)
    assert growth.advance("a", plain(92), 5 * S, 40 * S) == plain(2)


def test_a_bucket_that_goes_backwards_alone_is_refused_once_and_is_then_the_baseline() -> None:
    growth = Growth()
    growth.advance("a", Totals(5, 0, {(0.0, 1.0): 5}), None, 10 * S)
    with pytest.raises(TotalsRefused, match="backwards") as refused:
        growth.advance("a", Totals(6, 0, {(0.0, 1.0): 2, (1.0, 2.0): 4}), None, 20 * S)
    assert refused.value.why == "malformed"
    assert growth.refused == {"malformed": 1, "capped": 0}
    grown = growth.advance("a", Totals(8, 1, {(0.0, 1.0): 3, (1.0, 2.0): 4}), None, 30 * S)
    assert grown == Totals(2, 1, {(0.0, 1.0): 1})


@pytest.mark.parametrize(
    "totals",
    [
        Totals(-1),
        Totals(1, 2),
        Totals(1, 0, {(0.0, 1.0): 2}),
        Totals(2, 0, {(0.0, 1.0): -1}),
        Totals(1, 0, {}, {S: 2}),
    ],
)
def test_totals_that_contradict_themselves_are_refused_and_change_nothing(totals: Totals) -> None:
    growth = Growth()
    growth.advance("a", plain(5), None, 10 * S)
    with pytest.raises(TotalsRefused):
        growth.advance("a", totals, None, 20 * S)
    assert growth.advance("a", plain(6), None, 30 * S) == plain(1)


def test_more_successes_in_buckets_than_in_all_since_the_last_look_are_refused() -> None:
    growth = Growth()
    growth.advance("a", Totals(10, 0, {(0.0, 1.0): 8}), None, 10 * S)
    with pytest.raises(TotalsRefused, match="more than the 1"):
        growth.advance("a", Totals(11, 0, {(0.0, 1.0): 11}), None, 20 * S)


def test_a_lost_series_is_counted_on_within_an_hour_and_is_a_baseline_after_it() -> None:
    growth = Growth()
    growth.advance("a", plain(5), None, 10 * S)
    growth.advance("b", plain(5), None, 10 * S)
    growth.look(3000 * S)
    assert growth.advance("a", plain(9), None, 10 * S + REMEMBERED_NS) == plain(4)
    assert growth.advance("b", plain(9), None, 11 * S + REMEMBERED_NS) is None, "its target is known all the time"
    assert growth.advance("b", plain(10), None, 12 * S + REMEMBERED_NS) == plain(1)


def test_once_names_are_forgotten_nothing_new_is_taken_for_just_begun() -> None:
    growth = Growth(most_gone=1)
    for name in "abc":
        growth.advance(name, plain(5), None, 10 * S)
    later = 11 * S + REMEMBERED_NS
    growth.look(later - S)
    assert growth.advance("a", plain(5), None, later) is None
    assert growth.advance("x", plain(5), None, later) is None


def test_series_are_capped_and_others_go_on() -> None:
    growth = Growth(most=1)
    growth.advance("a", plain(5), None, 10 * S)
    with pytest.raises(TotalsRefused, match="more than 1 series") as refused:
        growth.advance("b", plain(5), None, 20 * S)
    assert refused.value.why == "capped"
    assert growth.advance("a", plain(6), None, 20 * S) == plain(1)
    assert len(growth) == 1


def test_a_threshold_that_was_not_counted_before_is_not_known_yet() -> None:
    growth = Growth()
    growth.advance("a", Totals(5, 0, {}, {S: 5}), None, 10 * S)
    grown = growth.advance("a", Totals(7, 0, {}, {S: 5, 2 * S: 1}), None, 20 * S)
    assert grown == Totals(2, 0, {}, {S: 0})


def test_a_sketch_that_became_coarser_is_compared_at_the_coarser_scale() -> None:
    fine, coarse = Sketch(5), Sketch(5)
    for value in (0.1, 0.2, 0.3):
        fine.add(value)
        coarse.add(value)
    growth = Growth()
    growth.advance("a", Totals(3, sketch=fine), None, 10 * S)
    coarse.add(0.2)
    coarse.rescale(2)
    grown = growth.advance("a", Totals(4, sketch=coarse), None, 20 * S)
    assert grown is not None
    assert grown.sketch is not None
    assert (grown.sketch.scale, grown.sketch.count) == (2, 1)


def test_a_sketch_that_its_owner_goes_on_filling_is_no_trouble() -> None:
    sketch = Sketch()
    sketch.add(0.1)
    growth = Growth()
    growth.advance("a", Totals(1, sketch=sketch), None, 10 * S)
    sketch.add(0.1)
    grown = growth.advance("a", Totals(2, sketch=sketch), None, 20 * S)
    assert grown is not None
    assert grown.count == 1


def test_totals_that_were_refused_at_first_are_a_baseline_when_they_can_be_counted() -> None:
    growth = Growth(most=2)
    growth.advance("known", plain(1), None, S)
    with pytest.raises(TotalsRefused):
        growth.advance("odd", Totals(100, 0, {(0.0, 0.1): 200}), None, S)
    assert growth.advance("odd", plain(101), None, 2 * S) is None
    with pytest.raises(TotalsRefused):
        growth.advance("beyond", plain(1000), None, 2 * S)
    later = 2 * S
    while later < 2 * REMEMBERED_NS:
        later += REMEMBERED_NS // 2
        growth.advance("known", plain(1), None, later)
    assert growth.advance("beyond", plain(5000), None, later) is None
    assert growth.advance("beyond", plain(5001), None, later + S) == plain(1)
