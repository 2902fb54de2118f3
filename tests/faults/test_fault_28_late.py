"""Samples that come late, twice or in another order: each counts once, and how far it moves is bounded."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.model.tally import Tally
from keeptime.observe.count import GRACE_SECONDS, Counter
from keeptime.observe.series.api import Line
from keeptime.observe.series.increments import Watched
from tests.observe.given import contract, objective, sample

S = 1_000_000_000
T0 = 1_800_000_000 * S
TERMS = contract("http://127.0.0.1/", objectives=[objective("fast", 0.2)])
KEY = TERMS.key(TERMS.objectives[0])
ARRIVING = st.lists(st.tuples(st.integers(0, 19), st.booleans(), st.integers(0, 6)), min_size=1, max_size=40)
"""(the tick in which it was due, whether it was fast, by how many ticks it comes late)"""


@given(arriving=ARRIVING)
def test_fault_28_each_sample_counts_once_in_its_tick_or_the_oldest_that_is_open(
    arriving: list[tuple[int, bool, int]],
) -> None:
    counting = Counter([TERMS], 1.0, start_ns=T0)
    given_out: dict[int, Tally] = {}
    expected: dict[int, list[int]] = {}
    for now in range(30):
        for record in counting.close(T0 + now * S):
            assert record.tick not in given_out, "a tick is given out once"
            given_out[record.tick] = record.tallies.get(KEY, Tally())
        oldest = max([0, now - round(GRACE_SECONDS)])
        for due, fast, late in arriving:
            if due + late == now:
                counting.add(sample(T0 + due * S, S // 10 if fast else S // 2))
                counts = expected.setdefault(max(due, oldest), [0, 0])
                counts[not fast] += 1
    for record in counting.finish(T0 + 30 * S):
        given_out[record.tick] = record.tallies.get(KEY, Tally())
    found = {tick - T0 // S: [each.good, each.bad] for tick, each in given_out.items() if each.good + each.bad}
    assert found == expected


def line(at: float, value: float) -> Line:
    return Line((("instance", "a"),), ((at, value),))


@pytest.mark.parametrize("order", list(permutations([20.0, 30.0, 40.0])))
def test_fault_28_a_counter_that_is_read_twice_or_late_is_counted_once(order: tuple[float, ...]) -> None:
    """Reads are in order, what they see may lag: a value seen again adds nothing, a late one comes later."""
    watched = Watched()
    watched.advance([line(10.0, 100.0)], 10.0)
    seen = 100.0
    grown = 0.0
    for at, value in enumerate(order, 11):
        seen = max(seen, 100.0 + value)
        grown += watched.advance([line(float(at), seen)], float(at))
        grown += watched.advance([line(float(at), seen)], float(at))
    assert grown == 40.0
