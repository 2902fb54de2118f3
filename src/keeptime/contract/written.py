"""A contract as its file would say it: the opposite of `keeptime.contract.load`.

Guarantees: the mapping that it gives, written as YAML and loaded again, is the same contract; every path in it is
absolute. Knows nothing of YAML's text.
"""

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal

from keeptime.contract.effective import stamp
from keeptime.contract.given import Terms, given
from keeptime.contract.limits import Interval
from keeptime.contract.policies import DEFAULT_POLICY
from keeptime.contract.probed import Endpoint, Expect, Kind, Probe, SecretRef
from keeptime.contract.probing.kinds import written_terms
from keeptime.contract.scope import Exclude, Maintenance, Per, Where
from keeptime.contract.sources import ClassicHistogram, CounterPair, Counts, NativeHistogram, ProbeGauges
from keeptime.contract.terms import (
    Calendar,
    Contract,
    Credits,
    Objective,
    Policy,
    PolicyKind,
    PrometheusSource,
    Together,
)
from keeptime.contract.traffic import kinds as traffic
from keeptime.contract.written_figures import duration, percent
from keeptime.contract.written_people import consumer, notify_within, operators
from keeptime.model.key import Signal
from keeptime.units import format_rate


def terms(contract: Contract) -> Terms:
    """The whole contract."""
    said = [objective(each, warning_of(contract, each)) for each in contract.objectives if not each.internal]
    return {"contract": contract.name, **shared(contract), "objectives": said}


def warning_of(contract: Contract, one: Objective) -> Objective | None:
    """The internal objective before this one, if there is one."""
    internal = [each for each in contract.objectives if each.warns_of == one.name]
    return next((each for each in internal if (each.begins, each.ends) == (one.begins, one.ends)), None)


def shared(contract: Contract) -> Terms:
    """Everything but its name and its objectives."""
    endpoint = None if contract.endpoint is None else _endpoint(contract.endpoint)
    return given(
        provider=contract.provider,
        model=contract.model,
        endpoint=endpoint,
        observe=_observe(contract),
        consumers=[*map(consumer, contract.consumers)],
        operators=operators(contract),
        notify_within=notify_within(contract),
        addresses={"allow": list(contract.allow)} if contract.allow else None,
        no_data_after=duration(contract.no_data_after),
        links=dict(contract.links),
        together=[*map(_together, contract.together)],
        duties=dict(contract.duties),
        vantage=contract.vantage,
        token_basis=contract.token_basis,
        timezone=None if contract.timezone == "UTC" else contract.timezone,
        exclude=[*map(_exclude, contract.exclude)],
        maintenance=[*map(_maintenance, contract.maintenance)],
    )


def objective(one: Objective, warning: Objective | None = None) -> Terms:
    """One objective, with the internal one before it."""
    calendar = one.over if isinstance(one.over, Calendar) else None
    return given(
        name=one.name,
        of=None if one.of is Signal.REQUESTS else str(one.of),
        target=percent(one.target),
        under=_under(one),
        at_least=None if one.at_least is None else f"{format_rate(one.at_least)}/s",
        over=str(one.over) if isinstance(one.over, Calendar) or one.over.least else duration(one.over.seconds),
        errors=None if one.errors == "bad" else one.errors,
        policy=policy(one.policy),
        timezone=None if calendar is None else calendar.timezone,
        warn=None if warning is None else _warn(one, warning),
        until=None if one.ends is None else stamp(one.ends),
        credits=None if one.credits is None else _credits(one.credits),
        where=_where(one.where),
        exclude=[*map(_exclude, one.exclude)],
        **({} if one.each is None else _interval(one.each)),
        min_events=one.min_events or None,
        per=None if one.per is None else _per(one.per),
        **({} if one.begins is None else {"from": stamp(one.begins)}),
    )


def _under(one: Objective) -> str | Terms | None:
    whole = None if one.under is None else duration(one.under)
    if not one.bounds:
        return whole
    return given(requests=whole) | {each.phase: duration(each.under) for each in one.bounds}


def _interval(each: Interval) -> Terms:
    return {
        "each": duration(each.seconds),
        "statistic": each.statistic,
        "min_samples": each.min_samples,
        "empty": each.empty,
    }


def _warn(one: Objective, warning: Objective) -> Terms:
    return given(
        target=None if warning.target == one.target else percent(warning.target),
        under=None if warning.under is None or warning.under == one.under else duration(warning.under),
    )


def _where(one: Where) -> Terms:
    return {each.attribute: _one_or_all(each.any_of) for each in one}


def _per(one: Per) -> Terms:
    by = [{each.attribute: list(each.edges)} if each.edges else each.attribute for each in one.by]
    return {"by": by, "most": one.most}


def _exclude(one: Exclude) -> Terms:
    return given(
        status=[f"{low}-{high}" for low, high in one.status],
        failure=None if one.failure is None else str(one.failure),
        where=_where(one.where),
        reason=one.reason,
        author=one.author,
    )


def _maintenance(one: Maintenance) -> Terms:
    return given(
        start=one.start,
        lasts=duration(one.lasts),
        timezone=one.timezone,
        repeat=one.repeat,
        reason=one.reason,
        author=one.author,
        objectives=list(one.objectives),
    )


def _credits(one: Credits) -> Terms:
    tiers = [{"below": percent(tier.below), "credit": percent(tier.credit)} for tier in one.tiers]
    return given(tiers=tiers, cap=None if one.cap is None else percent(one.cap), of=one.of)


def _together(one: Together) -> Terms:
    return given(name=one.name, all=list(one.all), credit=None if one.credit is None else percent(one.credit))


def policy(one: Policy) -> str | Terms | None:
    """None for the default rule."""
    if one == DEFAULT_POLICY:
        return None
    if one.kind is PolicyKind.SUSTAINED:
        return {"sustained": {"window": duration(one.window), "hold": duration(one.hold)}}
    if not one.tiers:
        return str(one.kind)
    tiers = [
        {
            "severity": str(tier.severity),
            "long": duration(tier.long),
            "short": duration(tier.short),
            "factor": Decimal(repr(tier.factor)),
        }
        for tier in one.tiers
    ]
    return {"burn-rate": {"tiers": tiers}}


def counts(one: Counts) -> Terms:
    """What stands below `prometheus:` beside the server's own keys: one key."""
    match one:
        case ClassicHistogram():
            buckets = [duration(each) for each in one.buckets]
            histogram = given(metric=one.metric, selector=one.selector, failed=one.failed, buckets=buckets)
            return {"histogram": histogram | _unit(one.unit)}
        case NativeHistogram():
            native = given(metric=one.metric, selector=one.selector, failed=one.failed)
            return {"native_histogram": native | _unit(one.unit)}
        case ProbeGauges():
            gauges = given(duration=one.duration, success=one.success, selector=one.selector)
            return {"gauges": gauges | _unit(one.unit)}
        case CounterPair():
            return {
                "counters": given(
                    good=_one_or_all(one.good), bad=_one_or_all(one.bad), total=_one_or_all(one.total)
                )
            }


def _unit(unit: str) -> Terms:
    return {} if unit == "seconds" else {"unit": str(unit)}


def _one_or_all(expressions: tuple[str, ...]) -> str | list[str] | None:
    return expressions[0] if len(expressions) == 1 else list(expressions) or None


def _headers(headers: Mapping[str, str | SecretRef]) -> Terms:
    return {name: str(value) for name, value in headers.items()}


def _endpoint(one: Endpoint) -> Terms:
    method = None if one.url.startswith("tcp:") else one.method
    found = given(url=one.url, method=method, headers=_headers(one.headers))
    if one.body is not None:
        found["body"] = one.body.decode()
    tls = {each.name: getattr(one.tls, each.name) for each in fields(one.tls)}
    return found | given(expect=_expect(one.expect), tls=given(**tls), tokens=one.tokens)


def _expect(one: Expect) -> Terms:
    usual = Expect()
    found = given(regex=one.regex)
    if one.status != usual.status:
        found["status"] = [f"{low}-{high}" for low, high in one.status]
    if one.json:
        found["json"] = dict(one.json)
    if one.max_body != usual.max_body:
        found["max_body"] = f"{one.max_body}B"
    return found


def _observe(contract: Contract) -> list[Terms]:
    if contract.source is not None:
        return [{"prometheus": source(contract.source)}]
    probes: list[Terms] = [{"probe": _probe(each)} for each in contract.probes]
    return probes + [{each.kind: traffic.written(each)} for each in contract.traffic]


def source(one: PrometheusSource) -> Terms:
    server = given(
        url=one.url, headers=_headers(one.headers), every=duration(one.every), timeout=duration(one.timeout)
    )
    return server | counts(one.counts)


def _probe(one: Probe) -> Terms:
    return given(
        every=duration(one.every),
        timeout=duration(one.timeout),
        connection=str(one.connection),
        max_in_flight=one.max_in_flight,
        attributes=dict(one.attributes),
        kind="" if one.kind is Kind.HTTP else str(one.kind),
        **written_terms(one),
    )
