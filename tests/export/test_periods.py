"""Calendar periods in PromQL against the contract's own calendar, at many instants, in a real Prometheus."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from keeptime.contract.calendar import period
from keeptime.contract.terms import Calendar
from keeptime.export.prometheus import periods
from tests.servers import Running, get_json, prometheus

INTERVAL = 10
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Etc/GMT-14")
UNITS = ("day", "week", "month", "quarter")
PERIODS = [
    pytest.param(zone, unit, marks=[pytest.mark.soak] if unit in ("month", "quarter") and zone in ZONES[2:] else [])
    for zone in ZONES
    for unit in UNITS
]
"""Expressions of months and quarters are long, and take a Prometheus many seconds; two zones in `make test`."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with prometheus(Path(tmp_path_factory.mktemp("prometheus")), []) as running:
        yield running


def instants(calendar: Calendar) -> list[float]:
    """Over two years: odd moments, and the seconds around the ends of periods and the changes of the clock."""
    found = [datetime(2026, 1, 1, 12, 34, 56, tzinfo=UTC) + timedelta(hours=997 * n) for n in range(18)]
    around = []
    for moment in found[::3]:
        end = datetime.fromtimestamp(period(calendar, moment.timestamp())[1], UTC)
        around += [end - timedelta(seconds=1), end, end + timedelta(seconds=1)]
    changes = [
        datetime(2026, 3, 29, 1, tzinfo=UTC),
        datetime(2026, 10, 25, 1, tzinfo=UTC),
        datetime(2026, 11, 1, 6, tzinfo=UTC),
    ]
    around += [each + timedelta(minutes=minutes) for each in changes for minutes in (-61, -1, 1, 61)]
    return [each.timestamp() for each in (*found, *around)]


def asked(server: Running, expression: str, at: float) -> float:
    answer = get_json(f"{server.url}/api/v1/query?{urlencode({'query': expression, 'time': f'{at:.3f}'})}")
    (found,) = answer["data"]["result"]  # type: ignore[index,call-overload]
    return float(found["value"][1])


def local(unix: float, zone: str) -> float:
    offset = datetime.fromtimestamp(unix, ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return unix + offset.total_seconds()


@pytest.mark.parametrize(("zone", "unit"), PERIODS)
def test_a_period_begins_and_lasts_as_the_contract_says(server: Running, zone: str, unit: str) -> None:
    calendar = Calendar(unit, zone)  # type: ignore[arg-type]
    _, start, length = list(periods.period(calendar, INTERVAL, 2026))
    recorded = f"sum({periods.START}{periods.matchers(calendar)})"
    for at in instants(calendar):
        begins, ends = period(calendar, at)
        # an evaluation counts for the instant at which the time it covers begins
        found = asked(server, start.expr, at + INTERVAL)
        assert found == local(begins, zone), datetime.fromtimestamp(at, UTC)
        lasts = asked(server, length.expr.replace(recorded, f"vector({found})"), at + INTERVAL)
        assert lasts == ends - begins, datetime.fromtimestamp(at, UTC)
