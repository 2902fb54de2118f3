"""Contracts → one group of rules. The order of the rules is the order of thought: count, sum, demand, stand, tell.

Guarantees: shapes, tiers, windows and limits come from the judge's own plan; a rule works on all objectives that
are alike at once, as the judge does. Reads no clock and no network.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from keeptime.contract.counting import Counting, counting
from keeptime.contract.terms import Calendar, Contract
from keeptime.errors import UsageError
from keeptime.export.prometheus.alerts import alerts
from keeptime.export.prometheus.demands import RULES, Asked
from keeptime.export.prometheus.increases import increases, own_counting
from keeptime.export.prometheus.names import Chosen, window_name
from keeptime.export.prometheus.periods import LENGTH, matchers, period, period_sums
from keeptime.export.prometheus.rules import Group, Recording, Rule, merged
from keeptime.export.prometheus.sloth_names import WINDOWS, sloth_series
from keeptime.export.prometheus.standing import demand, figures, standing
from keeptime.export.prometheus.windows import expected, sums
from keeptime.judge.plan import Group as Alike
from keeptime.judge.plan import Plan, Row, Shape


@dataclass(frozen=True, slots=True)
class Options:
    """`interval`: seconds between evaluations, a divisor of a minute. `year`: the present one, for time zones.
    `sloth`: record Sloth's series too.
    """

    interval: int
    year: int
    sloth: bool = False


@dataclass(frozen=True, slots=True)
class _Alike:
    """Objectives that differ in nothing but their names. `windows` in seconds; `own`: the name of their own."""

    rows: tuple[Row, ...]
    shape: Shape
    windows: tuple[int, ...]
    own: str

    @property
    def chosen(self) -> Chosen:
        return Chosen([row.key for row in self.rows])

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*map(window_name, self.windows), self.own]))


def compile_group(name: str, contracts: Sequence[Contract], options: Options) -> Group:
    """All rules of these contracts. Raises UsageError where the interval cannot be used."""
    try:
        plan = Plan.compile(contracts, options.interval)
    except ValueError as error:
        raise UsageError(f"--interval {options.interval}s cannot be used: {error}") from None
    rules: list[Rule] = []
    for row in plan.rows:
        rules += increases(row.key, how_counted(row), options.interval)
    every = [alike for group in plan.groups for alike in _alike(plan, group, options.interval)]
    more = WINDOWS if options.sloth else ()
    rules += sums({row.key: (*alike.windows, *more) for alike in every for row in alike.rows})
    rules += _periods(every, options)
    for layer in (_expected, _tiers, _demand, _standing, _figures):
        rules += merged(rule for alike in every for rule in layer(alike, options.interval))
    for alike in every:
        for row in alike.rows:
            rules += sloth_series(row.contract, row.objective, alike.own) if options.sloth else ()
            rules += alerts(
                row.contract, row.objective, alike.shape.tiers, window_name(_fastest(alike, options.interval))
            )
    return Group(name, options.interval, tuple(rules))


def how_counted(row: Row) -> Counting:
    """The PromQL that counts for this objective: on its contract's source, or on keeptime's own counters."""
    if row.contract.source is None:
        return own_counting(row.key)
    return counting(row.objective, row.contract.source.counts)


def _alike(plan: Plan, group: Alike, interval: int) -> Iterator[_Alike]:
    """The objectives of a group, apart where their pace or the time until no_data differs."""
    found: dict[tuple[float, int], list[Row]] = {}
    for index in group.rows.tolist():
        row = plan.rows[index]
        found.setdefault((row.events_per_tick, row.silence), []).append(row)
    own = group.shape.own
    name = str(own) if isinstance(own, Calendar) else window_name(own * interval)
    for rows in found.values():
        yield _Alike(tuple(rows), group.shape, tuple(each * interval for each in group.windows), name)


def _fastest(alike: _Alike, interval: int) -> int:
    return alike.shape.tiers[0].windows[0] * interval


def _periods(every: Sequence[_Alike], options: Options) -> Iterator[Recording]:
    """When periods began, and what was counted since."""
    calendars = {each.shape.own for each in every if isinstance(each.shape.own, Calendar)}
    for calendar in sorted(calendars, key=str):
        yield from period(calendar, options.interval, options.year)
    counted = [(each.chosen, each.shape.own) for each in every if isinstance(each.shape.own, Calendar)]
    yield from merged(rule for chosen, calendar in counted for rule in period_sums(chosen, calendar))


def _expected(alike: _Alike, interval: int) -> Iterator[Recording]:
    rate = alike.rows[0].events_per_tick
    for window in alike.windows:
        yield expected(alike.chosen, window_name(window), str(window), interval, rate)
    if isinstance(alike.shape.own, Calendar):
        length = f"scalar({LENGTH}{matchers(alike.shape.own)})"
        yield expected(alike.chosen, alike.own, length, interval, rate)


def _tiers(alike: _Alike, interval: int) -> Iterator[Recording]:
    asked = Asked(alike.chosen, alike.shape.tiers, alike.shape.budget, alike.own, interval)
    yield from RULES[alike.shape.kind](asked)


def _demand(alike: _Alike, interval: int) -> Iterator[Recording]:  # noqa: ARG001 - layers are called alike
    yield from demand(alike.chosen, alike.own, alike.shape.budget)


def _standing(alike: _Alike, interval: int) -> Iterator[Recording]:
    yield from standing(alike.chosen, alike.shape.budget, alike.rows[0].silence * interval)


def _figures(alike: _Alike, interval: int) -> Iterator[Recording]:  # noqa: ARG001
    yield from figures(alike.chosen, alike.own, alike.names, alike.shape.budget)
