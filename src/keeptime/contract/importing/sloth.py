"""Sloth's `prometheus/v1` specs and their Kubernetes form, as contracts.

Guarantees: an SLO becomes a contract that counts the same events, or an error that names its place; whatever has no
word in a contract is named.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from keeptime.contract.given import Terms
from keeptime.contract.importing.fields import Fields
from keeptime.contract.importing.found import Context, Found
from keeptime.contract.importing.measuring import Measured
from keeptime.contract.importing.promised import (
    THEIRS,
    Queries,
    kubernetes_name,
    links,
    observed,
    promise,
    target,
    usual_window,
)
from keeptime.contract.importing.promised import window as read_window
from keeptime.contract.importing.sums import Query, plus
from keeptime.contract.report import Spoiled, quote
from keeptime.contract.written_figures import duration
from keeptime.units import parse_duration

USUAL_WINDOW = "30d"
"""Sloth's own default."""

WINDOW_NOTE = "keeptime_window"
"""The annotation of an alert in which keeptime's own exports carry the window, for which Sloth has no word."""

KUBERNETES = "sloth.slok.dev/v1"
VERSION = "prometheus/v1"
_SIZES = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_TIERS = {
    "page_alert": (("page", 3600, 300, 0.02), ("page", 21_600, 1800, 0.05)),
    "ticket_alert": (("ticket", 86_400, 7200, 0.1), ("ticket", 259_200, 21_600, 0.1)),
}
"""Sloth's tiers: severity, long and short window in seconds, share of the error budget."""


_OF_ALERTS = "it belongs to Sloth's alerts"


@dataclass(frozen=True, slots=True)
class _Alerts:
    """What a contract takes of an SLO's alerting. `off`: the alerts that are disabled."""

    window: str = ""
    links: Terms = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    off: frozenset[str] = frozenset()


def read(document: Fields, context: Context) -> None:
    """The SLOs of one document. Raises Spoiled if it is no Sloth spec."""
    if document.has("apiVersion"):
        spec = _kubernetes(document)
        form = "Sloth PrometheusServiceLevel"
    else:
        version = document.need("version", f"version: {VERSION}")
        if version.text != VERSION:
            message = f"the version {quote(version.text)} is no Sloth spec; expected {VERSION}"
            raise document.report.spoil(version.place, "wrong-format", message)
        spec, form = document, f"Sloth {VERSION}"
    service = spec.need("service", "the service that the SLOs are of")
    slos = spec.tables("slos")
    if not slos:
        document.report.error(
            document.place, "no-slo", f"{spec.path('slos')}: no SLO here; expected a list of them"
        )
    for slo in slos:
        _try(slo, service.text, form, context)
    spec.name_the_rest("Sloth puts it on rules and alerts")
    document.name_the_rest()


def _kubernetes(document: Fields) -> Fields:
    version, kind = document.need("apiVersion", KUBERNETES), document.need("kind", "PrometheusServiceLevel")
    if (version.text, kind.text) != (KUBERNETES, "PrometheusServiceLevel"):
        given = quote(f"{version.text} {kind.text}")
        message = f"{given} is no Sloth spec; expected {KUBERNETES} PrometheusServiceLevel"
        raise document.report.spoil(version.place, "wrong-format", message)
    kubernetes_name(document.need_table("metadata", "metadata: {name: …}"))
    document.pass_over("status")
    return document.need_table("spec", "the spec with its service and slos")


def _try(slo: Fields, service: str, form: str, context: Context) -> None:
    """One SLO; where it cannot be said, the others go on."""
    try:
        found = _slo(slo, service, form, context)
    except Spoiled:
        return
    context.keep(found)


def _slo(slo: Fields, service: str, form: str, context: Context) -> Found:
    name = slo.need("name", "the SLO's name")
    goal = target(slo.need("objective", "a percentage such as 99.9"), 100, slo.report, slo.path("objective"))
    measured = _sli(slo.need_table("sli", "sli: {events: …}"))
    alerts = _alerts(slo)
    over = context.settings.window or alerts.window or usual_window(context, USUAL_WINDOW, slo.what, slo.place)
    terms: Terms = {"model": service, "observe": observed(measured, context.settings.url)}
    terms["objectives"] = [promise(name.text, goal, over, measured)]
    terms["policy"] = THEIRS
    if alerts.off:
        terms["policy"] = {THEIRS: {"tiers": _tiers(alerts.off, parse_duration(over))}}
    if alerts.links:
        terms["links"] = alerts.links
    described = slo.string("description")
    slo.name_the_rest("Sloth puts it on rules and alerts")
    notes = (described, *alerts.notes) if described else alerts.notes
    return Found(f"{service}-{name.text}", f"{form}, service {service}, SLO {name.text}", slo.place, terms, notes)


def _sli(sli: Fields) -> Measured:
    kinds = [kind for kind in ("events", "raw", "plugin") if sli.has(kind)]
    if len(kinds) != 1:
        raise sli.report.spoil(sli.place, "one-indicator", f"{sli.what}: expected one of events and raw")
    if kinds == ["plugin"]:
        message = f"{sli.what}: an SLI plugin is a program of Sloth's; write out the queries that it makes"
        raise sli.report.spoil(sli.place_of("plugin"), "sli-plugin", message)
    table = sli.need_table(kinds[0], "a mapping")
    measured = _events(table) if kinds == ["events"] else _raw(table)
    table.name_the_rest()
    sli.name_the_rest()
    return measured


def _events(events: Fields) -> Measured:
    queries = Queries(events.report, events.what, events.place)
    error_key, total_key = events.either("error_query", "errorQuery"), events.either("total_query", "totalQuery")
    bad = events.need(error_key, "PromQL that counts bad events")
    total = events.need(total_key, "PromQL that counts all events")
    failed = queries.read(bad, events.path(error_key))
    every = queries.read(total, events.path(total_key))
    return queries.measured(Query(plus(every.sum, failed.sum, -1)), every)


def _raw(raw: Fields) -> Measured:
    queries = Queries(raw.report, raw.what, raw.place)
    key = raw.either("error_ratio_query", "errorRatioQuery")
    over, every, inverted = queries.ratio(raw.need(key, "PromQL"), raw.path(key))
    good = over if inverted else Query(plus(every.sum, over.sum, -1))
    return queries.measured(good, every)


def _alerts(slo: Fields) -> _Alerts:
    alerting = slo.table("alerting")
    if alerting is None:
        return _Alerts()
    name, window, pages = alerting.string("name"), "", {}
    annotations = alerting.table("annotations")
    if annotations is not None:
        noted = annotations.text(WINDOW_NOTE)
        if noted is not None:
            window = read_window(noted, _SIZES, annotations.report, annotations.path(WINDOW_NOTE))
        pages = links(annotations)
        annotations.name_the_rest(_OF_ALERTS)
    off = frozenset(key for key in _TIERS if _disabled(alerting, key))
    if len(off) == len(_TIERS):
        message = f"{alerting.what}: both alerts are disabled; the contract has keeptime's own"
        slo.report.warning(alerting.place, "left-out", message)
        off = frozenset()
    alerting.name_the_rest(_OF_ALERTS)
    return _Alerts(window, pages, (f"Its alert was named {name}.",) if name else (), off)


def _disabled(alerting: Fields, key: str) -> bool:
    alert = alerting.table(alerting.either(key, key.replace("_a", "A")))
    if alert is None:
        return False
    disabled = alert.string("disable").lower() == "true"
    alert.name_the_rest(_OF_ALERTS)
    return disabled


def _tiers(off: frozenset[str], period: float) -> list[Terms]:
    """The tiers of the alerts that are on. A factor is share of the budget × period ÷ long window."""
    tiers = []
    for severity, long, short, share in (tier for key in _TIERS if key not in off for tier in _TIERS[key]):
        factor = round(Decimal(share) * Decimal(period) / long, 6).normalize()
        tiers.append({"severity": severity, "long": duration(long), "short": duration(short), "factor": factor})
    return tiers
