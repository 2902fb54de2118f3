"""The field `maintenance`: windows in which nothing that is due counts, each with its reason and who says so."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from keeptime.contract.effective import Moment, MomentShape
from keeptime.contract.kinds import Duration, Label, Text
from keeptime.contract.lists import ListOf, WithPlaces
from keeptime.contract.maintenance import LONGEST, happens
from keeptime.contract.recurrence import Recurrence
from keeptime.contract.report import nearest, quote
from keeptime.contract.scope import Maintenance
from keeptime.contract.shapes import Field, Placed, Row, Table
from keeptime.contract.terms import Objective
from keeptime.contract.zones import Zone

MOST_WINDOWS = 100


@dataclass(frozen=True, slots=True)
class Drawn:
    """A window whose time zone may be unsaid, and the objectives that it names."""

    window: Maintenance
    names: tuple[Placed[str], ...]


START = Field(
    "start",
    MomentShape(),
    "When it begins, or the first of them, by the wall clock of the time zone; a date begins at midnight.",
    required=True,
)
LASTS = Field("lasts", Duration(1, LONGEST, "2h"), "How long each one lasts; at most 31 days.", required=True)
TIMEZONE = Field(
    "timezone",
    Zone(),
    "Whose wall clock it goes by; 02:00 stays 02:00 across daylight saving.",
    default="the contract's",
)
REPEAT = Field(
    "repeat",
    Recurrence(),
    "An RRULE (RFC 5545): FREQ of DAILY, WEEKLY, MONTHLY or YEARLY with INTERVAL, COUNT, UNTIL, BYDAY, BYMONTHDAY, "
    "BYMONTH, BYHOUR, WKST.",
    default="once",
)
REASON = Field("reason", Text(), "Why, as reports say it.", required=True)
AUTHOR = Field("author", Text(), "Who says so.", required=True)
OBJECTIVES = Field(
    "objectives",
    WithPlaces(ListOf(Label("name", dotted=True), "names of objectives", most=50)),
    "Names of the objectives that it concerns; the internal ones before them are among them.",
    default="all",
)


def _window(row: Row) -> Drawn:
    start: Moment = row.need(START)
    if start.local.tzinfo is not None:
        message = f"{row.what}.start: has an offset; expected wall-clock time, with 'timezone' beside it"
        raise row.report.spoil(row.place_of(START), "bad-date", message)
    names = row.get(OBJECTIVES, ())
    window = Maintenance(
        start=start.local.isoformat(timespec="minutes"),
        lasts=row.need(LASTS),
        timezone=row.get(TIMEZONE, ""),
        reason=row.need(REASON),
        author=row.need(AUTHOR),
        repeat=row.get(REPEAT, ""),
        objectives=tuple(each.value for each in names),
    )
    _check_happens(window, row)
    return Drawn(window, names)


def _check_happens(window: Maintenance, row: Row) -> None:
    """Raises Spoiled where it has no start."""
    try:
        wrong = "" if happens(window) else "never comes, beginning with this start"
    except ValueError as error:
        wrong = f"cannot be read ({str(error)[:80]})"
    if wrong:
        message = f"{row.what}.repeat: {quote(window.repeat)} {wrong}"
        raise row.report.spoil(row.place_of(REPEAT), "bad-recurrence", message)


MAINTENANCE_TABLE = Table(
    "maintenance",
    "A window in which nothing that is due counts.",
    (START, LASTS, TIMEZONE, REPEAT, REASON, AUTHOR, OBJECTIVES),
    _window,
)
MAINTENANCE = Field(
    "maintenance",
    ListOf(MAINTENANCE_TABLE, "maintenance windows", MOST_WINDOWS),
    "When the provider works on it: what is due then is counted as excluded, with the window's reason.",
    default="none",
)


def maintenance(row: Row, timezone: str, objectives: Sequence[Objective]) -> tuple[Maintenance, ...]:
    """The windows of a contract of these objectives; reports names that are none of theirs."""
    promised = [each.name for each in objectives if not each.internal]
    found = []
    for each in row.get(MAINTENANCE, ()):
        for name in each.names:
            if name.value not in promised:
                message = f"maintenance: there is no objective {quote(name.value)}{nearest(name.value, promised)}"
                row.report.error(name.place, "unknown-objective", message)
        found.append(replace(each.window, timezone=each.window.timezone or timezone))
    return tuple(found)
