"""Counting: each slot once for each objective, in the right tick, however outcomes come."""

import threading
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.contract.scope import Maintenance
from keeptime.contract.traffic.push import Push
from keeptime.model.exclusion import FAILED
from keeptime.model.key import ObjectiveKey, Signal, SignalKey
from keeptime.model.sample import Failure, Sample, Skipped
from keeptime.model.tally import Tally, TickRecord
from keeptime.observe.count import Counter, bounds_of
from keeptime.observe.route import ENDED, STOPPED
from tests.observe.given import contract, objective, sample

S = 1_000_000_000
T0 = 1_795_000_000 * S
FAST, SLOW, ALIVE, LENIENT = (
    objective("fast", 0.2),
    objective("slow", 0.5),
    objective("alive", None),
    objective("lenient", 0.5, "excluded"),
)
CONTRACT = contract("http://127.0.0.1/", objectives=(FAST, SLOW, ALIVE, LENIENT))


def totals(records: list[TickRecord], name: str) -> Tally:
    key = CONTRACT.key(next(each for each in CONTRACT.objectives if each.name == name))
    total = Tally()
    for record in records:
        total += record.tallies.get(key, Tally())
    return total


def counter(tick: float = 1.0) -> Counter:
    return Counter([CONTRACT], tick, start_ns=T0)


def test_each_objective_has_its_own_opinion() -> None:
    counting = counter()
    counting.add(sample(T0 + 1, S // 10))
    counting.add(sample(T0 + 2, S * 3 // 10))
    counting.add(sample(T0 + 3, S * 9 // 10))
    counting.add(sample(T0 + 4, 1000, Failure.REFUSED))
    counting.add(Skipped("c", T0 + 5, "busy"))
    (record,) = counting.close(T0 + 2 * S)
    assert record.incomplete  # counting began in it
    assert totals([record], "fast") == Tally(1, 3, 1)
    assert totals([record], "slow") == Tally(2, 2, 1)
    assert totals([record], "alive") == Tally(3, 1, 1)
    assert totals([record], "lenient") == Tally(2, 1, 1, excluded=1)  # the failure
    assert record.exclusions == {ObjectiveKey("c", "lenient"): {FAILED: 1}}
    assert record.sketches[SignalKey("c", Signal.REQUESTS)].count == 3
    counts = counting.counters()["c"]
    assert (counts.requests, counts.skipped, counts.failures[Failure.REFUSED]) == (4, 1, 1)


def test_a_threshold_is_compared_exactly() -> None:
    counting = counter()
    counting.add(sample(T0, S // 5))
    counting.add(sample(T0, S // 5 + 1))
    assert totals(counting.close(T0 + 5 * S), "fast") == Tally(1, 1)


def test_ticks_wait_for_their_grace_and_come_once() -> None:
    counting = counter()
    counting.add(sample(T0 + S, 1))
    assert [record.tick for record in counting.close(T0 + 2 * S - 1)] == []
    assert [record.tick for record in counting.close(T0 + 3 * S)] == [1_795_000_000, 1_795_000_001]
    assert counting.close(T0 + 3 * S) == []


def test_what_comes_after_its_tick_was_closed_goes_to_the_oldest_open_one() -> None:
    counting = counter()
    counting.close(T0 + 5 * S)
    counting.add(sample(T0, S * 3))
    (record,) = counting.close(T0 + 6 * S)
    assert record.tick == 1_795_000_004
    assert totals([record], "slow") == Tally(0, 1)


def test_an_overdue_request_is_bad_at_once_and_only_once() -> None:
    counting = counter()
    counting.overdue("c", T0 + 7)
    (record,) = counting.close(T0 + 2 * S)
    assert totals([record], "fast") == totals([record], "slow") == Tally(0, 1)
    assert totals([record], "alive") == totals([record], "lenient") == Tally()  # nothing is known yet
    counting.add(sample(T0 + 7, 5 * S))
    later = counting.close(T0 + 9 * S)
    assert totals(later, "fast") == totals(later, "slow") == Tally()
    assert totals(later, "alive") == Tally(1, 0)
    assert totals(later, "lenient") == Tally(0, 1)


def test_an_overdue_request_that_keeptime_did_not_wait_for() -> None:
    counting = counter()
    counting.overdue("c", T0)
    counting.add(Skipped("c", T0, ENDED))
    records = counting.close(T0 + 9 * S)
    assert totals(records, "slow") == Tally(0, 1, 0)
    assert totals(records, "alive") == Tally(0, 0, 1)


def test_an_overdue_request_is_counted_once_over_a_reload_that_changes_the_terms() -> None:
    """As when somebody declares maintenance while requests hang."""
    counting = counter()
    counting.overdue("c", T0 + 7)
    rest = Maintenance("2026-01-01T00:00", 31 * 86_400.0, "UTC", "restart", "ops", "FREQ=DAILY")
    changed = replace(CONTRACT, maintenance=(rest,), objectives=(FAST, replace(SLOW, under=9.0), ALIVE))
    counting.replace([changed])
    counting.add(sample(T0 + 7, 5 * S))
    records = counting.close(T0 + 9 * S)
    assert totals(records, "fast") == totals(records, "slow") == Tally(0, 1)
    assert totals(records, "alive") == Tally(excluded=1)


def test_suspects_are_marked() -> None:
    counting = counter()
    counting.add(sample(T0, S // 4, lag=S // 10))
    assert totals(counting.close(T0 + 5 * S), "fast") == Tally(0, 1, 0, suspect=1)


def test_a_tick_in_which_keeptime_was_stopped_is_incomplete() -> None:
    counting = counter()
    counting.add(Skipped("c", T0 + S, STOPPED))
    counting.add(Skipped("c", T0 + 2 * S, "64 probes are in flight already"))
    assert [record.incomplete for record in counting.close(T0 + 4 * S)] == [True, True, False]


def test_ticks_that_nobody_closed_were_not_lived() -> None:
    counting = counter()
    counting.close(T0 + 3 * S)
    counting.add(sample(T0 + 10 * S, 1))
    records = counting.close(T0 + 100 * S)
    assert len(records) == 97
    lived = [record.tick - 1_795_000_000 for record in records if not record.incomplete]
    assert lived == [10, 96, 97, 98]


def test_contracts_change() -> None:
    counting = counter()
    counting.add(sample(T0, 1))
    other = contract("http://127.0.0.1/", name="other", objectives=(objective("o", 0.25),))
    counting.replace([CONTRACT, other])
    counting.add(sample(T0, 1, contract="other"))
    assert {name: each.requests for name, each in counting.counters().items()} == {"c": 1, "other": 1}
    counting.replace([other])
    counting.add(sample(T0, 1))
    assert list(counting.counters()) == ["other"]
    assert 0.25 in bounds_of(other)


outcomes = st.tuples(
    st.integers(0, 20 * S),  # due
    st.sampled_from(["sample", "failed", "skipped", "ended"]),
    st.sampled_from([1, S // 5, S // 5 + 1, S // 2, S // 2 + 1, 3 * S]),  # latency
    st.booleans(),  # told to be overdue first, where it was
)


@given(st.lists(outcomes, max_size=60), st.data())
@settings(max_examples=200, deadline=None)
def test_slots_are_good_bad_skipped_or_excluded_whatever_happens(
    given_: list[tuple[int, str, int, bool]], data: st.DataObject
) -> None:
    counting = counter()
    records: list[TickRecord] = []
    now = T0
    failures = 0
    for due, kind, latency, early in given_:
        event: Sample | Skipped
        if kind in ("skipped", "ended"):
            event = Skipped("c", T0 + due, "busy" if kind == "skipped" else ENDED)
        else:
            event = sample(T0 + due, latency, Failure.TIMEOUT if kind == "failed" else None)
        failures += kind == "failed"
        if early and kind != "skipped" and latency > S // 2:
            counting.overdue("c", T0 + due)
        if data.draw(st.booleans()):
            now += data.draw(st.integers(0, 4 * S))
            records += counting.close(now)
        counting.add(event)
    records += counting.close(T0 + 1000 * S)
    assert [record.tick for record in records] == list(range(1_795_000_000, 1_795_000_999))
    for name in ("fast", "slow", "alive", "lenient"):
        assert totals(records, name).slots == len(given_)
    assert totals(records, "lenient").excluded == failures
    assert sum(reasons[FAILED] for each in records for reasons in each.exclusions.values()) == failures
    ended_well = [latency for _, kind, latency, _ in given_ if kind == "sample"]
    assert totals(records, "fast").good == sum(latency <= S // 5 for latency in ended_well)
    assert totals(records, "slow").good == sum(latency <= S // 2 for latency in ended_well)
    assert totals(records, "alive").good == len(ended_well)


def test_counting_in_one_thread_and_closing_in_another() -> None:
    counting = counter(0.001)
    records: list[TickRecord] = []
    done = threading.Event()

    def add() -> None:
        for index in range(20_000):
            counting.add(sample(T0 + index * 10_000, S // 10))
        done.set()

    thread = threading.Thread(target=add)
    thread.start()
    now = T0
    while not done.is_set():
        now += 5_000_000
        records += counting.close(now + S)
        counting.counters()
    thread.join()
    records += counting.close(now + 100 * S)
    assert totals(records, "fast") == Tally(20_000, 0)


def test_a_request_of_traffic_that_was_due_with_an_overdue_probe_is_not_taken_for_it() -> None:
    counting = Counter([replace(CONTRACT, traffic=(Push("push"),))], 1.0, start_ns=T0)
    counting.overdue("c", T0 + 1)
    counting.add(replace(sample(T0 + 1, S), observer="log"))
    counting.add(sample(T0 + 1, S))
    (record,) = counting.close(T0 + 3 * S)[:1]
    assert totals([record], "fast") == Tally(0, 2)
    assert record.probed[ObjectiveKey("c", "fast")] == (0, 1)


def test_where_the_time_of_probes_that_succeeded_went_is_summed_up() -> None:
    counting = counter()
    good = sample(T0 + 1, S // 10)
    counting.add(good)
    counting.add(sample(T0 + 2, S // 5))
    counting.add(sample(T0 + 4, 1000, Failure.REFUSED))
    counting.add(replace(good, observer="push"))
    (record,) = counting.close(T0 + 2 * S)
    found = record.phases["c"]
    assert (found.probes, sum(found.spent)) == (2, S // 10 + S // 5)
