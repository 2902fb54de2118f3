"""Which requests count: in what order terms are asked, and that nothing is decided before its end is known."""

from dataclasses import replace
from datetime import UTC, datetime

from keeptime.contract.scope import Exclude, Maintenance, Wanted, Where
from keeptime.contract.terms import Contract, Objective
from keeptime.model.exclusion import FAILED, Exclusion, ExclusionKind
from keeptime.model.key import ObjectiveKey
from keeptime.model.sample import Failure, Sample, Skipped
from keeptime.model.tally import Tally, TickRecord
from keeptime.observe.count import Counter
from keeptime.observe.deciding import attributes_of, deciding, resting
from tests.observe.given import contract, objective, sample

S = 1_000_000_000
NIGHT = round(datetime(2026, 11, 1, 2, tzinfo=UTC).timestamp()) * S
"""Maintenance begins here and lasts an hour."""
RESTART = Maintenance("2026-11-01T02:00", 3600.0, "UTC", "restart", "ops")
SECOND_WINDOW = Maintenance("2026-11-01T02:30", 3600.0, "UTC", "disks", "ops", objectives=("p99",))
SHED = Exclude("shed", status=((429, 429),))
LINK = Exclude("link", "net", failure=Failure.TIMEOUT)
EU: Where = (Wanted("region", ("eu-*",)),)
P99 = ObjectiveKey("c", "p99")

IN_RESTART = Exclusion(ExclusionKind.MAINTENANCE, "restart", "ops")
BY_SHED = Exclusion(ExclusionKind.EXCLUDE, "shed")


def given(*, own: Objective | None = None, windows: tuple[Maintenance, ...] = (RESTART, SECOND_WINDOW)) -> Contract:
    """An objective of EU's requests where failures are left out, in a contract with everything."""
    one = own or replace(objective("p99", 0.3, "excluded"), where=EU)
    return replace(contract("http://127.0.0.1/", objectives=(one,)), exclude=(SHED, LINK), maintenance=windows)


def one(
    due: int, seconds: float = 0.1, failure: Failure | None = None, status: int = 200, region: str = "eu-1"
) -> Sample:
    return replace(sample(due, round(seconds * S), failure), status=status, attributes={"region": region})


def counted(of: Contract, *outcomes: Sample | Skipped) -> TickRecord:
    """All in one tick of a day."""
    counting = Counter([of], 86_400.0, start_ns=NIGHT)
    for outcome in outcomes:
        counting.add(outcome)
    (record,) = counting.finish(NIGHT)
    return record


def test_terms_are_asked_in_their_order() -> None:
    """Ineligible, maintenance, exclusion, errors, threshold: each row drops what decided the one above."""
    terms = deciding(given(), given().objectives[0])
    shed_at_night = one(NIGHT, 1.0, Failure.STATUS, 429)
    rows = [
        (replace(shed_at_night, attributes={"region": "us-1"}), None),
        (shed_at_night, IN_RESTART),
        (one(NIGHT - 1, 1.0, Failure.STATUS, 429), BY_SHED),
        (one(NIGHT - 1, 1.0, Failure.STATUS, 500), FAILED),
        (one(NIGHT - 1, 1.0), False),
        (one(NIGHT - 1, 0.1), True),
    ]
    assert [terms.decide(each, attributes_of(each)) for each, _ in rows] == [answer for _, answer in rows]


def test_counts_and_reasons_of_a_night() -> None:
    """By hand: two good, one slow; three restarts (one a skip), one shed, one failed; the American nowhere."""
    minute = 60 * S
    record = counted(
        given(),
        one(NIGHT - 2 * minute),
        one(NIGHT - minute),
        one(NIGHT - minute, 0.4),
        one(NIGHT - minute, 0.4, region="us-1"),
        one(NIGHT, 0.1),
        one(NIGHT + minute, 5.0, Failure.TIMEOUT),
        Skipped("c", NIGHT + 2 * minute, "too many"),
        Skipped("c", NIGHT + 60 * minute, "too many"),  # the second window goes on
        Skipped("c", NIGHT + 90 * minute, "too many"),
        one(NIGHT + 90 * minute, 0.1, Failure.STATUS, 429),
        one(NIGHT + 91 * minute, 0.1, Failure.STATUS, 503),
    )
    assert record.tallies == {P99: Tally(good=2, bad=1, skipped=1, excluded=6)}
    disks = Exclusion(ExclusionKind.MAINTENANCE, "disks", "ops")
    assert record.exclusions == {P99: {IN_RESTART: 3, disks: 1, BY_SHED: 1, FAILED: 1}}


def test_an_overdue_request_is_not_bad_before_an_exclusion_is_ruled_out() -> None:
    plain = objective("p99", 0.3)
    slow = one(NIGHT - S, 4.0, Failure.TIMEOUT)
    for own, expected in (
        (plain, Tally(excluded=1)),
        (replace(plain, where=EU), Tally(excluded=1)),
        (replace(plain, where=(Wanted("region", ("us-*",)),)), None),
    ):
        of = given(own=own)
        counting = Counter([of], 86_400.0, start_ns=NIGHT)
        counting.overdue("c", NIGHT - S)
        counting.add(slow)
        (record,) = counting.finish(NIGHT)
        assert record.tallies.get(P99) == expected


def test_an_overdue_request_in_maintenance_is_excluded_once_and_one_outside_is_bad_once() -> None:
    of = replace(given(own=objective("p99", 0.3)), exclude=())
    counting = Counter([of], 86_400.0, start_ns=NIGHT)
    for due in (NIGHT - S, NIGHT):
        counting.overdue("c", due)
        counting.add(one(due, 4.0, Failure.TIMEOUT))
    (record,) = counting.finish(NIGHT)
    assert record.tallies == {P99: Tally(bad=1, excluded=1)}
    assert record.exclusions == {P99: {IN_RESTART: 1}}


def test_what_others_counted_up_to_an_instant_in_maintenance_is_excluded() -> None:
    of = given(own=objective("p99", 0.3))
    counting = Counter([of], 86_400.0, start_ns=NIGHT)
    counting.put(NIGHT, {P99: Tally(5, 1)})  # up to its beginning
    counting.put(NIGHT + 30 * S, {P99: Tally(7, 2)})
    (record,) = counting.finish(NIGHT)
    assert record.tallies == {P99: Tally(5, 1, excluded=9)}
    assert record.exclusions == {P99: {IN_RESTART: 9}}
    past = TickRecord(1, {P99: Tally(7, 2)})
    assert resting(of, past, NIGHT - 1) == past
    assert resting(of, past, NIGHT).tallies == {P99: Tally(excluded=9)}
    assert resting(of, past, NIGHT).exclusions == {P99: {IN_RESTART: 9}}


def test_an_internal_objective_rests_with_the_one_it_stands_before() -> None:
    promised, inner = objective("p99", 0.3), replace(objective("p99-warn", 0.2), warns_of="p99")
    other = objective("p50", 0.1)
    of = replace(contract("http://127.0.0.1/", objectives=(promised, inner, other)), maintenance=(SECOND_WINDOW,))
    record = counted(of, one(NIGHT + 1800 * S))
    assert {key.objective: tally.excluded for key, tally in record.tallies.items()} == {
        "p99": 1,
        "p99-warn": 1,
        "p50": 0,
    }


def test_what_every_probe_has_is_an_attribute() -> None:
    assert attributes_of(one(NIGHT, 1.0, Failure.STATUS, 503)) == {
        "region": "eu-1",
        "status": "503",
        "failure": "status",
        "connection": "fresh",
        "observer": "probe",
    }
    assert attributes_of(replace(one(NIGHT), status=None, attributes={})) == {
        "connection": "fresh",
        "observer": "probe",
    }


def test_failures_left_out_elsewhere_keep_their_reason_until_maintenance() -> None:
    of = given(own=objective("p99", 0.3, "excluded"))
    counting = Counter([of], 86_400.0, start_ns=NIGHT)
    counting.put(NIGHT, {P99: Tally(5, 1, excluded=3)})
    counting.put(NIGHT + 30 * S, {P99: Tally(7, 2, excluded=1)})
    (record,) = counting.finish(NIGHT)
    assert record.tallies == {P99: Tally(5, 1, excluded=13)}
    assert record.exclusions == {P99: {FAILED: 3, IN_RESTART: 10}}
    past = TickRecord(1, {P99: Tally(7, 2, excluded=1)})
    assert resting(of, past, NIGHT - 1).exclusions == {P99: {FAILED: 1}}
    assert resting(of, past, NIGHT).exclusions == {P99: {IN_RESTART: 10}}
