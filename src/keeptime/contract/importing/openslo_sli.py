"""OpenSLO's indicators: ratio and threshold metrics of Prometheus, as what a contract counts.

Guarantees: a query is read by what it counts; one of another system, or of another kind, is an error at its place.
"""

from collections.abc import Callable
from fractions import Fraction

from keeptime.contract.importing.fields import Fields
from keeptime.contract.importing.measuring import Measured
from keeptime.contract.importing.promised import NUMBER, Queries
from keeptime.contract.importing.sums import Query, Series, Unsayable, plus, selected
from keeptime.contract.nodes import Scalar
from keeptime.contract.report import quote
from keeptime.contract.sources import ProbeGauges

Sources = Callable[[str], Fields | None]
"""The spec of the DataSource of this name."""

DURATION, SUCCESS = "probe_duration_seconds", "probe_success"


def inline_alpha(objective: Fields) -> Fields | None:
    """v1alpha keeps the ratio in the objective: a mapping like an SLI's spec, None where there is none."""
    return objective if objective.has("ratioMetrics") or objective.has("ratioMetric") else None


def indicator(sli: Fields, objective: Fields, sources: Sources) -> Measured:
    """Raises Spoiled where the indicator cannot be said."""
    sli.string("description")
    kinds = [kind for kind in ("ratioMetric", "ratioMetrics", "thresholdMetric") if sli.has(kind)]
    if len(kinds) != 1:
        message = f"{sli.what}: expected one of ratioMetric and thresholdMetric"
        raise sli.report.spoil(sli.place, "one-indicator", message)
    metric = sli.need_table(kinds[0], "a mapping")
    if kinds == ["thresholdMetric"]:
        measured = _threshold(metric, objective, sources)
    else:
        _no_comparison(objective)
        measured = _raw(metric, sources) if metric.has("raw") else _ratio(metric, sources)
    metric.name_the_rest()
    return measured


def metric_url(sli: Fields, url_of: Callable[[str], str]) -> str:
    """The address of the DataSource that the indicator refers to, "" if it refers to none."""
    names = {each.string("metricSourceRef") for each in _metric_sources(sli)} - {""}
    urls = {url_of(name) for name in sorted(names)} - {""}
    if len(urls) > 1:
        message = f"{sli.what}: its queries go to {len(urls)} servers; a contract reads one"
        raise sli.report.spoil(sli.place, "two-servers", message)
    return urls.pop() if urls else ""


def _metric_sources(sli: Fields) -> list[Fields]:
    found = []
    for kind in ("ratioMetric", "thresholdMetric"):
        metric = sli.table(kind) if sli.has(kind) else None
        holders = [metric] if kind == "thresholdMetric" else []
        if metric is not None and kind == "ratioMetric":
            holders = [metric.table(key) for key in ("good", "bad", "total", "raw") if metric.has(key)]
        found += [source for each in holders if each is not None and (source := each.table("metricSource"))]
    return found


def _no_comparison(objective: Fields) -> None:
    for key in ("op", "value"):
        if objective.has(key):
            message = f"{objective.path(key)}: belongs to a threshold metric, not to a ratio; left out"
            objective.report.warning(objective.place_of(key), "left-out", message)
            objective.pass_over(key)


def query_of(metric: Fields, key: str, sources: Sources) -> Scalar:
    """The text of one query. Raises Spoiled where it is not for Prometheus."""
    table = metric.need_table(key, "a mapping with metricSource") if key else metric
    source = table.table("metricSource")
    if source is None:  # v1alpha says source, queryType and query where they stand
        _check_type(table, table.text("source"), "source")
        query = _promql(table)
        table.name_the_rest()
        return query
    ref, kind = source.text("metricSourceRef"), source.text("type")
    if ref is not None and kind is None:
        spec = sources(ref.text)
        kind = None if spec is None else spec.text("type")
        if spec is None:
            message = f"no DataSource is named {quote(ref.text)} in these files; the queries are taken for PromQL"
            source.report.warning(ref.place, "no-such-name", f"{source.path('metricSourceRef')}: {message}")
    _check_type(source, kind, "type")
    query = _promql(source.table("spec") or source)
    source.name_the_rest()
    table.name_the_rest()
    return query


def _check_type(source: Fields, kind: Scalar | None, key: str) -> None:
    if kind is not None and kind.text.lower() not in ("prometheus", "promql", "thanos", "mimir", "victoriametrics"):
        message = f"{source.path(key)}: the queries are for {quote(kind.text)}; only Prometheus's can be read"
        raise source.report.spoil(kind.place, "not-prometheus", message)


def _promql(spec: Fields) -> Scalar:
    kind = spec.text("queryType")
    if kind is not None and kind.text.lower() not in ("promql", "prometheus"):
        message = f"{spec.path('queryType')}: {quote(kind.text)} cannot be read; expected promql"
        raise spec.report.spoil(kind.place, "not-prometheus", message)
    query = spec.text("query") or spec.need("promql", "a query in PromQL under 'query'")
    spec.name_the_rest()
    return query


def _ratio(metric: Fields, sources: Sources) -> Measured:
    queries = Queries(metric.report, metric.what, metric.place)
    parts = [key for key in ("good", "bad") if metric.has(key)]
    if len(parts) != 1:
        message = f"{metric.what}: expected one of good and bad, with total"
        raise metric.report.spoil(metric.place, "one-indicator", message)
    counter = metric.text("counter") or metric.text("incremental")
    part = queries.read(query_of(metric, parts[0], sources), metric.path(parts[0]))
    total = queries.read(query_of(metric, "total", sources), metric.path("total"))
    if counter is not None and counter.text.lower() == "false" and (part.bare or total.bare):
        message = "numbers that go up and down are no counters; give counters, with counter: true"
        raise metric.report.spoil(counter.place, "not-a-counter", f"{metric.what}: {message}")
    good = part if parts == ["good"] else Query(plus(total.sum, part.sum, -1))
    return queries.measured(good, total)


def _raw(metric: Fields, sources: Sources) -> Measured:
    queries = Queries(metric.report, metric.what, metric.place)
    kind = metric.need("rawType", "success or failure")
    metric.pass_over("counter")
    over, total, inverted = queries.ratio(query_of(metric, "raw", sources), metric.path("raw"))
    if kind.text not in ("success", "failure"):
        message = f"{metric.path('rawType')}: {quote(kind.text)} is neither success nor failure"
        raise metric.report.spoil(kind.place, "one-indicator", message)
    succeeded = (kind.text == "success") != inverted
    return queries.measured(over if succeeded else Query(plus(total.sum, over.sum, -1)), total)


def _threshold(metric: Fields, objective: Fields, sources: Sources) -> Measured:
    """Each sample of a gauge is an event, good if it compares so."""
    op, value = objective.need("op", "lte, lt, gte or gt"), objective.need("value", "a number")
    given = query_of(metric, "", sources)
    what = metric.path("query")
    try:
        series = selected(given.text)
    except Unsayable as why:
        cure = "; for a quantile of a histogram, promise a share of requests under a threshold instead"
        reason = f"{why}{cure if 'quantile' in given.text else ''}"
        raise Queries(metric.report, what, given.place).unsayable(given.place, what, reason) from None
    found = _gauges(series, op.text, value.text)
    if found is None:
        given_terms = quote(f"{series.metric} {op.text} {value.text}")
        message = (
            f"{what}: {given_terms} cannot be said: nothing says which samples are requests that succeeded; "
            f"expected {SUCCESS} gte 1 or {DURATION} lte seconds"
        )
        raise metric.report.spoil(op.place, "unsayable-threshold", message)
    if found.under is None and series.metric not in ("up", SUCCESS):
        message = f"{what}: {series.metric} is taken for a gauge of 0 and 1, by its name"
        metric.report.warning(given.place, "zero-or-one", message)
    if found.under is not None:
        message = f"{what}: in a contract a probe that fails is bad, whatever it took; {SUCCESS} says which do"
        metric.report.warning(given.place, "failures-are-bad", message)
    return found


def _gauges(series: Series, op: str, value: str) -> Measured | None:
    selector = series.selector.partition("{")[2][:-1]
    if NUMBER.fullmatch(value) is None:
        return None
    bound = Fraction(value)
    one_is_good = (op == "gte" and bound == 1) or (op == "gt" and bound < 1)
    if one_is_good and (series.metric == "up" or series.metric.endswith(("_success", "_up"))):
        return Measured(ProbeGauges(DURATION, series.metric, selector))
    if series.metric == DURATION and op == "lte":
        return Measured(ProbeGauges(DURATION, SUCCESS, selector), under=float(bound))
    return None
