"""Requests as columns, the shares of causes, and when something changed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.explain.along import Along, moved
from keeptime.explain.cause import ALONG_LEVEL
from keeptime.explain.changing import MOST_BINS, Counts, changed
from keeptime.explain.evidence import ABSENT, MOST, Evidence, evidence_of, thinned
from keeptime.explain.near import near
from keeptime.explain.shares import effective, excess, likelihoods
from keeptime.explain.words import percent
from keeptime.model.event import Event, EventKind
from keeptime.model.exemplar import Exemplar
from keeptime.model.explanation import CauseKind, Changed
from keeptime.model.key import Signal
from keeptime.model.trace import Why

MS = 1_000_000


def one(latency: int, **attributes: str) -> Exemplar:
    return Exemplar("c", 10**18, latency * MS, Why.SLOW, attributes=attributes)


def test_what_is_not_known_is_absent_and_outcomes_are_no_attributes() -> None:
    found = evidence_of([one(700, replica="a", status="200"), one(100), one(100, replica="b")], 500 * MS)
    assert list(found.attributes) == ["replica"]
    assert found.attributes["replica"].labels == ("a", "b")
    assert found.attributes["replica"].codes.tolist() == [0, ABSENT, 1]
    assert found.bad.tolist() == [True, False, False]


def test_numbers_are_a_quantity_in_their_order_where_they_are_many() -> None:
    few = evidence_of([one(1, size=str(n)) for n in (1, 2, 10)], None).attributes["size"]
    many = evidence_of([one(1, size=str(n)) for n in (10, 9, 8, 7, 6, 5, 4, 100)], None).attributes["size"]
    assert few.numbers is None
    assert many.labels == ("4", "5", "6", "7", "8", "9", "10", "100")
    assert many.numbers is not None


def test_what_the_server_says_stands_in_place_of_waiting_for_it() -> None:
    told = Exemplar(
        "c", 1, 500 * MS, Why.SLOW, phases={"connect": MS, "wait": 480 * MS},
        timings={"queue": 300 * MS, "forward": 100 * MS, "total": 400 * MS},
    )  # fmt: skip
    phases = evidence_of([told], None).phases
    assert {name: round(float(each[0]), 3) for name, each in phases.items()} == {
        "connect": 0.001, "forward": 0.1, "queue": 0.3, "wait": 0.08,
    }  # fmt: skip


def test_a_signal_of_its_own_is_held_against_its_own_threshold() -> None:
    slow = Exemplar("c", 1, 9_000 * MS, Why.SLOW, signals={"first_token": 300 * MS})
    assert not evidence_of([slow], 500 * MS, Signal.FIRST_TOKEN).bad[0]
    assert evidence_of([slow], 200 * MS, Signal.FIRST_TOKEN).bad[0]


def test_of_very_many_as_many_as_tell_enough_are_drawn_the_same_ones_each_time() -> None:
    bad = np.arange(3 * MOST) % 3 == 0
    whole = Evidence(np.arange(3.0 * MOST), np.ones(3 * MOST), bad)
    assert thinned(whole).bad.sum() == MOST
    assert len(thinned(whole)) == 2 * MOST
    assert (thinned(whole).at == thinned(whole).at).all()


@given(st.integers(1, 500), st.integers(1, 500), st.data())
def test_an_interval_holds_its_estimate(bads: int, goods: int, data: st.DataObject) -> None:
    bad_in, good_in = data.draw(st.integers(0, bads)), data.draw(st.integers(0, goods))
    share, surer = (excess(bad_in, bads, good_in, goods, level) for level in (0.05, 0.0001))
    assert -1 <= surer.low <= share.low <= share.at <= share.high <= surer.high <= 1


def test_a_share_is_covered_by_its_interval_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(1000):
        bad_in, good_in = rng.binomial(80, 0.7), rng.binomial(400, 0.2)
        share = excess(bad_in, 80, good_in, 400, 0.05)
        held += share.low <= (0.7 - 0.2) / (1 - 0.2) <= share.high
    assert 930 <= held <= 980


def test_weights_count_as_fewer_and_less_bad_inside_is_no_cause() -> None:
    assert effective(np.ones(10)) == pytest.approx(10)
    assert effective(np.array([100.0, 1.0])) < 1.1
    assert likelihoods(np.array([1.0]), 50, np.array([300.0]), 400).tolist() == [0.0]


def counts(bad: list[int], each: int = 40) -> Counts:
    few = np.array(bad, dtype=np.float64)
    return Counts(np.arange(len(bad) + 1) * 10.0, np.column_stack([each - few, few]), few)


def test_the_beginning_of_a_stretch_is_found_and_its_end() -> None:
    found = changed(counts([1] * 30 + [12] * 20 + [1] * 20))
    assert found is not None
    assert (found.first, found.last, found.open) == (30, 50, False)
    assert found.earliest <= 30 <= found.latest
    still = changed(counts([1] * 30 + [12] * 20))
    assert still is not None
    assert still.open


def test_chance_is_no_change_nor_is_spread_that_was_always_there() -> None:
    rng = np.random.default_rng(3)
    assert sum(changed(counts(list(rng.binomial(40, 0.05, 100)))) is not None for _ in range(60)) <= 2
    bursts = [counts(list(rng.choice([0, 6], 100, p=[0.8, 0.2]))) for _ in range(30)]
    assert sum(changed(each) is not None for each in bursts) <= 2


WHEN = Changed(1000.0, 990.0, 1010.0, None, 0.01, 0.2)


def event(at: float, number: int = 1) -> Event:
    return Event(number, EventKind.DEPLOY, at, ("c",), "ci")


def test_a_change_that_is_rare_and_near_is_named_and_one_of_many_is_not() -> None:
    (found,) = near(WHEN, [event(900.0)], -600_000.0, 10.0, 0.05)
    assert (found.event.id, found.lead) == (1, 100.0)
    often = [event(at, int(at)) for at in range(-10_000, 1000, 100)]
    assert near(WHEN, often, -10_000.0, 10.0, 0.05) == []
    assert near(WHEN, [event(400.0)], -600_000.0, 10.0, 0.05) == []


def test_what_goes_along_is_held_against_itself_at_other_times() -> None:
    rng = np.random.default_rng(5)
    loud = np.repeat(rng.random(30) < 0.3, 6).astype(np.float64) * 100 + 5
    asked = counts([int(each) for each in np.where(loud > 50, 8, 0)])
    found = moved(asked, [Along(CauseKind.NEIGHBOUR, "other", "requests", loud)], 0.02)
    assert found is not None
    assert found.share.low > 0.9
    elsewhere = np.roll(loud, 60)
    assert moved(asked, [Along(CauseKind.NEIGHBOUR, "other", "requests", elsewhere)], 0.02) is None


def test_one_of_many_neighbours_is_found_and_chance_among_many_is_not() -> None:
    """As many bins as there are at most, and the level at which `explain` asks."""
    rng = np.random.default_rng(6)
    rows = [np.repeat(rng.random(MOST_BINS // 6) < 0.2, 6) * 100.0 + 5 for _ in range(5)]
    series = [Along(CauseKind.NEIGHBOUR, str(nth), "requests", row) for nth, row in enumerate(rows)]
    asked = counts([int(each) for each in np.where(rows[3] > 50, 8, 0)])
    found = moved(asked, series, ALONG_LEVEL)
    assert found is not None
    assert found.along.name == "3"
    chance = [counts([int(each) for each in rng.poisson(0.5, MOST_BINS)]) for _ in range(100)]
    assert sum(moved(each, series, ALONG_LEVEL) is not None for each in chance) <= 4


@pytest.mark.parametrize(
    ("part", "said"), [(0, "0%"), (1, "100%"), (0.999, "99%"), (0.0001, "under 0.1%"), (0.034, "3.4%")]
)
def test_no_part_is_rounded_to_none_or_all(part: float, said: str) -> None:
    assert percent(part) == said
