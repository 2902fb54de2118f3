"""An objective as it is read, before the contract's own policy and time zone are known.

Guarantees: a default name depends on the objective alone, so that adding another one never renames it.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from keeptime.contract.effective import ALWAYS, Effective
from keeptime.contract.limits import Bound, Interval
from keeptime.contract.scope import Exclude, Per, Where
from keeptime.contract.terms import Calendar, Credits, Objective, Policy, Window
from keeptime.contract.warning import Warn, warning_name
from keeptime.model.key import Signal
from keeptime.units import format_duration, format_percent, format_rate


class Errors(StrEnum):
    BAD = "bad"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class Draft:
    """An objective before the contract's own policy and time zone are known."""

    name: str | None
    target: Fraction
    under: float | None
    over: Window
    of: Signal
    errors: Errors
    policy: Policy | None
    timezone: str | None
    effective: Effective = ALWAYS
    warn: Warn | None = None
    warns_of: str = ""
    credits: Credits | None = None
    where: Where = ()
    exclude: tuple[Exclude, ...] = ()
    each: Interval | None = None
    min_events: int = 0
    bounds: tuple[Bound, ...] = ()
    at_least: Fraction | None = None
    per: Per | None = None

    def finished(self, policy: Policy, timezone: str) -> Objective:
        over = self.over
        if isinstance(over, Calendar):
            over = Calendar(over.unit, self.timezone or timezone)
        begins, ends = self.span(timezone)
        return Objective(
            name=self.label,
            target=self.target,
            under=self.under,
            over=over,
            policy=self.policy or policy,
            of=self.of,
            errors="bad" if self.errors is Errors.BAD else "excluded",
            warns_of=self.warns_of,
            begins=begins,
            ends=ends,
            credits=self.credits,
            where=self.where,
            exclude=self.exclude,
            each=self.each,
            min_events=self.min_events,
            bounds=self.bounds,
            at_least=self.at_least,
            per=self.per,
        )

    def span(self, zone: str) -> tuple[int | None, int | None]:
        """From when until when it is in force (Unix seconds); `zone`: the contract's."""
        return self.effective.span(self.timezone or zone)

    def warning(self) -> "Draft | None":
        """The internal objective before this one, if there is one."""
        if self.warn is None:
            return None
        return replace(
            self,
            name=warning_name(self.label),
            target=self.target if self.warn.target is None else self.warn.target,
            under=self.under if self.warn.under is None else self.warn.under,
            warn=None,
            warns_of=self.label,
            credits=None,
            per=None,
        )

    @property
    def scope(self) -> tuple[object, ...]:
        """What objectives must have alike for their thresholds to be comparable."""
        return (self.of, self.over, self.effective, self.each, self.where, self.bounds, self.at_least)

    @property
    def timed(self) -> bool:
        """Is more asked than success?"""
        return self.under is not None or bool(self.bounds) or self.at_least is not None

    def _limits(self) -> str:
        whole = [] if self.under is None else [format_duration(self.under)]
        return "-".join([*whole, *(f"{each.phase}-{format_duration(each.under)}" for each in self.bounds)])

    @property
    def label(self) -> str:
        """Its name, or the usual one: p99-500ms, success-99.9."""
        if self.name is not None:
            return self.name
        percent = format_percent(self.target).removesuffix("%")
        kind = "" if self.of is Signal.REQUESTS else f"{self.of.replace('_', '-')}-"
        if not self.timed:
            return f"{kind}success-{percent}"
        if self.at_least is not None:
            rate = f"at-least-{format_rate(self.at_least)}"
            return f"{kind}{rate}-{percent}" if self.under is None else f"p{percent}-{self._limits()}-{rate}"
        if self.bounds or self.under is None:
            return f"{kind}p{percent}-{self._limits()}"
        if self.each is not None:
            under = format_duration(self.under)
            return f"{kind}{self.each.statistic}-{format_duration(self.each.seconds)}-{under}-{percent}"
        return f"{kind}p{percent}-{format_duration(self.under)}"
