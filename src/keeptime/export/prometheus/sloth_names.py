"""The series that Sloth records, from keeptime's sums, so that dashboards made for Sloth keep working.

Guarantees: names, labels and meaning as Sloth's; the values are sums divided once, not means of ratios. Decides
nothing. Source of the names: the documented output of Sloth's Prometheus generator.
"""

from collections.abc import Iterator

from keeptime import __version__
from keeptime.contract.calendar import usual_seconds
from keeptime.contract.terms import Contract, Objective
from keeptime.export.prometheus.names import BAD, REQUESTS, Chosen, window_name
from keeptime.export.prometheus.rules import Recording
from keeptime.units import format_percent

WINDOWS = (300, 1800, 3600, 7200, 21_600, 86_400, 259_200)
"""Seconds of the windows that Sloth records beside the objective's own."""


def sloth_series(contract: Contract, objective: Objective, own: str) -> Iterator[Recording]:
    """`own`: the name of the objective's window as keeptime records it."""
    chosen = Chosen([contract.key(objective)])
    days = usual_seconds(objective.over) / 86_400
    who = {
        "sloth_id": f"{contract.name}-{objective.name}",
        "sloth_service": contract.name,
        "sloth_slo": objective.name,
    }
    windows = {window_name(seconds): window_name(seconds) for seconds in WINDOWS} | {_period(days): own}
    for name, window in windows.items():
        yield Recording(f"slo:sli_error:ratio_rate{name}", _ratio(chosen, window), {**who, "sloth_window": name})
    yield Recording("slo:objective:ratio", f"vector({float(objective.target)!r})", who)
    yield Recording("slo:error_budget:ratio", f"vector(1 - {float(objective.target)!r})", who)
    yield Recording("slo:time_period:days", f"vector({days:g})", who)
    budget = repr(float(objective.budget_ratio))
    yield Recording("slo:current_burn_rate:ratio", f"{_ratio(chosen, '5m')} / {budget}", who)
    yield Recording("slo:period_burn_rate:ratio", f"{_ratio(chosen, own)} / {budget}", who)
    yield Recording("slo:period_error_budget_remaining:ratio", f"1 - {_ratio(chosen, own)} / {budget}", who)
    info = {"sloth_version": f"keeptime-{__version__}", "sloth_mode": "cli-gen-prom", "sloth_spec": "prometheus/v1"}
    objective_label = format_percent(objective.target).removesuffix("%")
    yield Recording("sloth_slo_info", "vector(1)", {**who, **info, "sloth_objective": objective_label})


def _ratio(chosen: Chosen, window: str) -> str:
    return f"sum({chosen.of(BAD, window)}) / (sum({chosen.of(REQUESTS, window)}) > 0)"


def _period(days: float) -> str:
    """As Prometheus writes a duration: 28d is 4w."""
    return f"{days / 7:g}w" if days % 7 == 0 else f"{days:g}d"
