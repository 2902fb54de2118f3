"""The field `warn`: a tighter objective of the provider's own before the one that was promised.

Guarantees: a warning objective is tighter in all that it says, and alike in the rest. Knows nothing of who is told.
"""

from dataclasses import dataclass
from fractions import Fraction

from keeptime.contract.kinds import Duration, Percent
from keeptime.contract.nodes import Place
from keeptime.contract.report import Report
from keeptime.contract.shapes import Field, Row, Table
from keeptime.units import format_duration, format_percent

SUFFIX = "-warn"
LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class Warn:
    """What is tighter; None: as promised. `place`: where it stands."""

    target: Fraction | None
    under: float | None
    place: Place


TARGET = Field("target", Percent(), "A higher target.", default="the objective's")
UNDER = Field("under", Duration(0.0001, 3600, "400ms"), "A smaller threshold.", default="the objective's")


def _warn(row: Row) -> Warn:
    found = Warn(row.get(TARGET, None), row.get(UNDER, None), row.place)
    if found.target is None and found.under is None:
        message = f"{row.what}: says nothing tighter; expected target, under or both"
        raise row.report.spoil(row.place, "warn-not-tighter", message)
    return found


WARN_TABLE = Table(
    "warn", "A tighter, internal objective: operators hear of it, consumers never.", (TARGET, UNDER), _warn
)
WARN = Field("warn", WARN_TABLE, "A tighter objective of the provider's own, before this one.", default="none")


def check_tighter(warn: Warn, target: Fraction, under: float | None, report: Report, what: str) -> None:
    """Raises Spoiled where a `warn` allows as much as its objective of this target and threshold, or more."""
    if warn.target is not None and warn.target <= target:
        message = (
            f"{what}.warn: the target {format_percent(warn.target)} is not tighter than {format_percent(target)}; "
            "expected a higher one"
        )
        raise report.spoil(warn.place, "warn-not-tighter", message)
    if warn.under is not None and under is not None and warn.under >= under:
        message = (
            f"{what}.warn: the threshold {format_duration(warn.under)} is not tighter than {format_duration(under)}"
            "; expected a smaller one"
        )
        raise report.spoil(warn.place, "warn-not-tighter", message)


def warning_name(name: str) -> str:
    """What the internal objective before this one is called."""
    return f"{name}{SUFFIX}"


def check_name(warn: Warn, name: str, report: Report, what: str) -> None:
    """Raises Spoiled where the internal objective's name would be too long."""
    if len(warning_name(name)) > LONGEST_NAME:
        message = (
            f"{what}.warn: the internal objective would be named '{warning_name(name)}', which is too long; "
            f"expected a 'name' of at most {LONGEST_NAME - len(SUFFIX)} characters"
        )
        raise report.spoil(warn.place, "long-name", message)
