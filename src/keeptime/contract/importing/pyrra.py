"""Pyrra's ServiceLevelObjective (pyrra.dev/v1alpha1), as contracts.

Guarantees: an objective becomes a contract that counts the same events, or an error that names its place;
whatever has no word in a contract is named.
"""

from keeptime.contract.given import Terms
from keeptime.contract.importing.fields import Fields
from keeptime.contract.importing.found import Context, Found
from keeptime.contract.importing.measuring import Measured
from keeptime.contract.importing.promised import THEIRS, Queries, kubernetes_name, observed, promise, target, window
from keeptime.contract.importing.sums import Form, Query, Series, Unsayable, plus, selected
from keeptime.contract.nodes import Listing, Scalar
from keeptime.contract.report import quote
from keeptime.contract.sources import ProbeGauges, Unit
from keeptime.units import parse_duration

VERSION, KIND = "pyrra.dev/v1alpha1", "ServiceLevelObjective"
_SIZES = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_KINDS = ("ratio", "latency", "latencyNative", "bool_gauge")


def read(document: Fields, context: Context) -> None:
    """The one objective of a document. Raises Spoiled if it cannot be said."""
    version, kind = document.need("apiVersion", VERSION), document.need("kind", KIND)
    if (version.text, kind.text) != (VERSION, KIND):
        message = f"{quote(f'{version.text} {kind.text}')} is no Pyrra objective; expected {VERSION} {KIND}"
        raise document.report.spoil(version.place, "wrong-format", message)
    document.pass_over("status")
    name, pages = kubernetes_name(document.need_table("metadata", "metadata: {name: …}"))
    spec = document.need_table("spec", "the spec with its target, window and indicator")
    terms: Terms = {"model": name, **_promised(spec, name, context)}
    if pages:
        terms["links"] = pages
    described = spec.string("description")
    spec.name_the_rest("a contract is told to its receivers, not to rules")
    document.name_the_rest()
    notes = (described,) if described else ()
    context.keep(Found(name, f"Pyrra {KIND} {name}", document.place, terms, notes))


def _promised(spec: Fields, name: str, context: Context) -> Terms:
    goal = target(spec.need("target", "a percentage such as '99.9'"), 100, spec.report, spec.path("target"))
    over = window(spec.need("window", "a window such as 4w"), _SIZES, spec.report, spec.path("window"))
    measured = _indicator(spec.need_table("indicator", f"one of {', '.join(_KINDS)}"))
    alerting = spec.table("alerting")
    if alerting is not None:
        alerting.pass_over("absent")  # that no data is told of is the rule of every contract
        alerting.name_the_rest("it belongs to Pyrra's alerts")
    return {
        "observe": observed(measured, context.settings.url),
        "objectives": [promise(name, goal, over, measured)],
        "policy": THEIRS,
    }


def _indicator(indicator: Fields) -> Measured:
    kinds = [kind for kind in _KINDS if indicator.has(kind)]
    if len(kinds) != 1:
        raise indicator.report.spoil(
            indicator.place, "one-indicator", f"{indicator.what}: expected one of {', '.join(_KINDS)}"
        )
    table = indicator.need_table(kinds[0], "a mapping")
    _refuse_grouping(table)
    measured = {"ratio": _ratio, "latency": _latency, "latencyNative": _native, "bool_gauge": _gauge}[kinds[0]](
        table
    )
    table.name_the_rest()
    indicator.name_the_rest()
    return measured


def _refuse_grouping(table: Fields) -> None:
    grouping = table.node("grouping")
    if isinstance(grouping, Listing) and grouping.items:
        by = ", ".join(item.text for item in grouping.items if isinstance(item, Scalar))
        message = f"{table.path('grouping')}: one objective for each {by}; write a contract for each"
        raise table.report.spoil(grouping.place, "grouping", message)


def _metric(table: Fields, key: str) -> Series:
    """The series of `KEY: {metric: …}`. Raises Spoiled."""
    inner = table.need_table(key, "a mapping with metric")
    found = _series(inner)
    inner.name_the_rest()
    return found


def _series(table: Fields) -> Series:
    given = table.need("metric", 'a selector such as http_requests_total{job="api"}')
    try:
        return selected(given.text)
    except Unsayable as why:
        raise Queries(table.report, table.what, table.place).unsayable(
            given.place, table.path("metric"), why
        ) from None


def _queries(table: Fields) -> Queries:
    return Queries(table.report, table.what, table.place)


def _ratio(table: Fields) -> Measured:
    errors, total = _metric(table, "errors"), _metric(table, "total")
    good = Query(plus({total: 1}, {errors: 1}, -1))
    return _queries(table).measured(good, Query({total: 1}), Unit.SECONDS)


def _latency(table: Fields) -> Measured:
    """Pyrra takes the bounds of a histogram for seconds, whatever its name."""
    success, total = _metric(table, "success"), _metric(table, "total")
    return _queries(table).measured(Query({success: 1}), Query({total: 1}), Unit.SECONDS)


def _native(table: Fields) -> Measured:
    total = _metric(table, "total")
    latency = table.need("latency", "a duration such as 200ms")
    try:
        bound = parse_duration(latency.text)
    except (ValueError, OverflowError) as error:
        raise table.report.spoil(latency.place, "bad-duration", f"{table.path('latency')}: {error}") from None
    good = Series(total.metric, total.matchers, Form.UP_TO, bound)
    every = Series(total.metric, total.matchers, Form.COUNT)
    return _queries(table).measured(Query({good: 1}), Query({every: 1}), Unit.SECONDS)


def _gauge(table: Fields) -> Measured:
    """Each sample of a gauge of 0 and 1 is an event; 1 is good."""
    found = _series(table)
    if not found.metric:
        message = f"{table.path('metric')}: the query has no metric name before its braces"
        raise table.report.spoil(table.place_of("metric"), "unsayable-query", message)
    return Measured(ProbeGauges("probe_duration_seconds", found.metric, found.selector.partition("{")[2][:-1]))
