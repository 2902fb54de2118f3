"""Which days and periods end with a tick, in any time zone, over gaps, restarts and changes of terms."""

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.app.closing import Closing
from keeptime.app.keeper import Keeper
from keeptime.contract.load import load_text
from keeptime.contract.terms import Contract
from keeptime.model.compliance import Basis, PeriodCounts
from keeptime.model.key import ObjectiveKey
from keeptime.model.tally import Tally, TickRecord
from keeptime.store.sqlite import SqliteStore

TICK = 10.0
ZONES = ("UTC", "Asia/Kolkata", "Asia/Kathmandu", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe")


def contract(objective: str, more: str = "") -> Contract:
    text = f"""\
contract: kept
endpoint: {{url: "http://127.0.0.1:9/"}}
observe: [{{probe: {{every: 10s}}}}]
objectives:
  - {objective}
{more}"""
    loaded = load_text(text.encode(), "kept.yaml")
    assert not [each for each in loaded.problems if each.severity == "error"], loaded.problems
    return loaded.contracts[0]


def at(text: str, zone: str) -> int:
    """The tick that begins at this local time."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() / TICK)


def names(closing: Closing, boundary: int) -> list[str]:
    _, periods = closing.due(boundary)
    return [end.terms.name for end in periods]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("unit", "ends", "name"),
    [
        ("day", "2026-10-05T00:00", "2026-10-04"),
        ("week", "2026-10-05T00:00", "2026-W40"),
        ("month", "2026-11-01T00:00", "2026-10"),
        ("quarter", "2027-01-01T00:00", "2026-Q4"),
    ],
)
def test_a_period_ends_at_midnight_in_its_zone(zone: str, unit: str, ends: str, name: str) -> None:
    edge = at(ends, zone)
    kept = contract(f"99% of requests under 500ms over calendar {unit}", f"timezone: {zone}")
    closing = Closing([kept], TICK, {}, edge - 100)
    assert closing.due(edge - 1) == ((), ())
    (day,), (period,) = closing.due(edge)
    assert (day.first, day.until) == (edge - 100, edge)
    assert day.slots == {period.key: 1.0}
    assert (period.until, period.terms.name, period.terms.timezone) == (edge, name, zone)
    assert (period.terms.target, period.terms.basis) == (Fraction(99, 100), Basis.SAMPLED)
    assert closing.due(edge) == closing.due(edge + 50) == ((), ())


def test_a_rolling_objective_is_accounted_by_months_of_the_contracts_zone() -> None:
    kept = contract("99% of requests under 500ms over 28d", "timezone: Asia/Kolkata")
    closing = Closing([kept], TICK, {}, at("2026-10-30T12:00", "Asia/Kolkata"))
    assert names(closing, at("2026-11-01T00:00", "Asia/Kolkata") - 1) == []
    assert names(closing, at("2026-11-01T00:00", "Asia/Kolkata")) == ["2026-10"]


def test_all_that_ended_in_a_downtime_is_closed_at_once_oldest_first() -> None:
    kept = contract("99% of requests under 500ms over 28d")
    key = ObjectiveKey("kept", kept.objectives[0].name)
    begun, now = at("2026-08-20T06:00", "UTC"), at("2026-11-03T09:00", "UTC")
    closing = Closing([kept], TICK, {key: begun}, now)
    days, periods = closing.due(now)
    assert [end.terms.name for end in periods] == ["2026-08", "2026-09", "2026-10"]
    assert [day.first for day in days] == sorted(day.first for day in days)
    assert days[0].first == begun
    assert days[-1].until == at("2026-11-03T00:00", "UTC")
    assert all(one.until == other.first for one, other in pairwise(days))


def test_a_day_of_clocks_set_back_has_25_hours() -> None:
    kept = contract("99% of requests under 500ms over calendar day", "timezone: Europe/Berlin")
    closing = Closing([kept], TICK, {}, at("2026-10-25T00:00", "Europe/Berlin"))
    (day,), _ = closing.due(at("2026-10-26T00:00", "Europe/Berlin"))
    assert (day.until - day.first) * TICK == 25 * 3600


def test_terms_that_change_within_a_month_part_it() -> None:
    kept = contract(
        "{name: fast, target: 95%, under: 500ms, over: 28d, until: 2026-10-11}",
        "  - {name: fast, target: 99%, under: 500ms, over: 28d, from: 2026-10-11}\n",
    )
    closing = Closing([kept], TICK, {}, at("2026-10-01T00:00", "UTC"))
    change, end = at("2026-10-11T00:00", "UTC"), at("2026-11-01T00:00", "UTC")
    _, (old,) = closing.due(change)
    assert (old.first, old.until, old.terms.target) == (end - 31 * 8640, change, Fraction(95, 100))
    days, (new,) = closing.due(end)
    assert (new.first, new.until, new.terms.target) == (change, end, Fraction(99, 100))
    assert len(days) == 21


@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=30), st.sampled_from(ZONES))
def test_days_meet_without_a_seam_however_time_is_split(steps: Sequence[int], zone: str) -> None:
    start = at("2026-10-20T00:00", "UTC")
    kept = contract("99% of requests under 500ms over calendar month", f"timezone: {zone}")
    closing, whole = Closing([kept], TICK, {}, start), Closing([kept], TICK, {}, start)
    found, boundary = [], start
    for step in steps:
        boundary += step
        found += closing.due(boundary)[0]
    assert tuple(found) == whole.due(boundary)[0]
    assert all(one.until == other.first for one, other in pairwise(found))


def test_of_an_objective_on_some_requests_every_slot_that_nobody_saw_is_missing(tmp_path: Path) -> None:
    """Kept for 2 of 24 hours: that says nothing of the day, whichever requests it is about."""
    only = contract(
        '{name: v2, target: 50%, under: 500ms, over: calendar day, where: {status: "200"}}',
        'operators: {tell: ["log:"]}',
    )
    first = at("2026-10-04T00:00", "UTC")
    with SqliteStore.open(tmp_path / "data", tick_seconds=TICK, now=first * TICK) as store:
        seen = {ObjectiveKey("kept", "v2"): Tally(good=1)}
        keeper = Keeper(store, [only], TICK, first)
        keeper.keep([TickRecord(first + n, seen) for n in range(720)], 0.0)
        keeper.keep([TickRecord(first + 8640, seen)], 0.0)
        (day,) = store.closed_periods("kept")
    assert day.counts == PeriodCounts(good=720, missing=8640 - 720)


def test_a_month_of_half_an_hour_is_exact_after_a_kill_and_a_gap(tmp_path: Path) -> None:
    """Counts before and after a midnight in Kolkata; keeptime is down over it, and comes back an hour later."""
    kept = contract("99% of requests under 500ms over calendar month", "timezone: Asia/Kolkata")
    key, edge = ObjectiveKey("kept", kept.objectives[0].name), at("2026-11-01T00:00", "Asia/Kolkata")

    def live(first: int, until: int) -> None:
        store = SqliteStore.open(tmp_path, tick_seconds=TICK, now=first * TICK)
        keeper = Keeper(store, [kept], TICK, max(first, (store.last_tick() or 0) + 1))
        for tick in range(first, until):
            record = TickRecord(tick, {key: Tally(1, tick % 2)}, incomplete=tick == first)
            assert keeper.keep([record], (tick + 1) * TICK).problem == ""
        store.close()

    live(edge - 500, edge - 100)
    live(edge + 360, edge + 370)
    with SqliteStore.open(tmp_path, tick_seconds=TICK, now=(edge + 400) * TICK) as store:
        (found,) = store.closed_periods("kept")
        assert found.counts == PeriodCounts(good=400, bad=200, missing=100)
        assert (found.terms.name, found.since, found.until) == ("2026-10", edge - 500, edge)
        assert store.closed_to() == {key: edge}
