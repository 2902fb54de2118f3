"""Probes and real traffic beside each other, as lines, as JSON and as series.

Guarantees: a share has its interval; where requests lie between two bucket bounds the SLI is shown from its lowest
to its highest, never as one number. Knows nothing of HTTP.
"""

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from keeptime.app.view import ContractView
from keeptime.contract.terms import Objective
from keeptime.judge.compliance import clopper_pearson
from keeptime.model.beside import BesideView
from keeptime.units import shown_interval
from keeptime.web.kept import Json


def beside_of(view: ContractView) -> Mapping[str, BesideView]:
    """By objective, where there is something to show."""
    named = zip(view.contract.objectives, view.beside, strict=False)
    return {one.name: found for one, found in named if found is not None}


def beside_json(found: BesideView | None) -> Json:
    """The last hour, by who observed it; null where there is no traffic."""
    if found is None:
        return None
    sides, whole = found.sides, found.sides.whole
    return {
        "seconds": found.seconds,
        "sli": None if whole is None else list(whole),
        "probe": _side_json(sides.probe_good, sides.probe_bad) if found.compared else None,
        "traffic": {**_side_json(sides.traffic_good, sides.traffic_bad), "undecided": sides.between},
        "disagreement": found.disagreement or None,
    }


def beside_lines(found: BesideView | None) -> Iterator[str]:
    """ "last hour: probes 100% (none of 360 bad; 98.9% to 100% with 95% confidence)"."""
    if found is None:
        return
    sides = found.sides
    if found.compared and sides.probes and sides.traffic:
        yield f"last hour, probes: {_side(sides.probe_good, sides.probe_bad)}"
        yield f"last hour, traffic: {_side(sides.traffic_good, sides.traffic_bad)}"
    if sides.between and sides.whole is not None:
        low, high = sides.whole
        why = f"{sides.between:,} requests lie between two bucket bounds"
        yield f"last hour: SLI {shown_interval(low, high)}, for {why}"


def beside_series(views: Sequence[ContractView]) -> Iterator[Metric]:
    differs = GaugeMetricFamily(
        "keeptime_probe_disagreement",
        "1 while probes and real traffic do not see the same of an objective, else 0.",
        labels=("contract", "objective"),
    )
    lately = GaugeMetricFamily(
        "keeptime_objective_last_hour_requests",
        "Requests of the last hour by who observed them; undecided ones lie between two bucket bounds.",
        labels=("contract", "objective", "observer", "result"),
    )
    for view in views:
        for name, found in beside_of(view).items():
            key, sides = (view.contract.name, name), found.sides
            lately.add_metric((*key, "traffic", "good"), sides.traffic_good)
            lately.add_metric((*key, "traffic", "bad"), sides.traffic_bad)
            lately.add_metric((*key, "traffic", "undecided"), sides.between)
            if found.compared:
                lately.add_metric((*key, "probe", "good"), sides.probe_good)
                lately.add_metric((*key, "probe", "bad"), sides.probe_bad)
                differs.add_metric(key, float(bool(found.disagreement)))
    yield from (differs, lately)


def disagreement_of(view: ContractView, one: Objective) -> str:
    """What is said of it, "" where probes and users see the same."""
    found = beside_of(view).get(one.name)
    return "" if found is None else found.disagreement


def _side_json(good: int, bad: int) -> dict[str, Json]:
    events = good + bad
    said: dict[str, Json] = {"good": good, "bad": bad, "sli": good / events if events else None}
    return {**said, "interval": list(_interval(bad, events)) if events else None}


def _side(good: int, bad: int) -> str:
    events = good + bad
    low, high = _interval(bad, events)
    return f"{bad:,} bad of {events:,} (SLI {shown_interval(low, high)} with 95% confidence)"


def _interval(bad: int, events: int) -> tuple[float, float]:
    low, high = clopper_pearson(bad, events)
    return 1 - high, 1 - low
