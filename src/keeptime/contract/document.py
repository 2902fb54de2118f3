"""The fields of a whole contract, and what its parts say together.

Guarantees: a contract that is returned is legal in itself: it is observed in one way, a probe waits at least as
long as the largest threshold, and every default is filled in.
"""

import math
from collections.abc import Sequence

from keeptime.contract.attributes import check_scope
from keeptime.contract.between import with_warnings
from keeptime.contract.calendar import usual_seconds
from keeptime.contract.deadman import check_dead_man
from keeptime.contract.draft import Draft
from keeptime.contract.effective import check_times
from keeptime.contract.endpoint import ENDPOINT_TABLE
from keeptime.contract.escalating import NOTIFY_WITHIN_OF_CONTRACT
from keeptime.contract.exempting import EXCLUDE
from keeptime.contract.fingerprint import fingerprint
from keeptime.contract.kinds import Duration, Label, Text
from keeptime.contract.lists import ListOf, MapOf, WithPlaces
from keeptime.contract.maintaining import MAINTENANCE, maintenance
from keeptime.contract.matching import check_series
from keeptime.contract.objectives import OBJECTIVES_SHAPE
from keeptime.contract.observing import OBSERVE_TABLE, Observing, ProbeDraft
from keeptime.contract.people import CONSUMERS_SHAPE, OPERATORS_TABLE
from keeptime.contract.policies import DEFAULT_POLICY, PolicyShape
from keeptime.contract.probed import Probe
from keeptime.contract.probing.kinds import check_kinds
from keeptime.contract.probing.streams import as_asked
from keeptime.contract.reaching import ADDRESSES, allowing, check_names, consumers_allowing
from keeptime.contract.report import Report
from keeptime.contract.reported import check_reports
from keeptime.contract.segments import any_of
from keeptime.contract.shapes import Field, Placed, Row, Shape, Table
from keeptime.contract.signals import check_signals
from keeptime.contract.stacks import STACKS
from keeptime.contract.stated import DUTIES, TOKEN_BASIS, VANTAGE
from keeptime.contract.terms import Contract, Objective, PrometheusSource
from keeptime.contract.together import TOGETHER, together
from keeptime.contract.tokens import check_tokens
from keeptime.contract.tracing import TRACES
from keeptime.contract.traffic.judging import check_scrapes
from keeptime.contract.traffic.source import Traffic
from keeptime.contract.urgency import OnCall
from keeptime.contract.urls import Url
from keeptime.contract.zones import Zone
from keeptime.units import format_duration, format_percent

LEAST_TIMEOUT = 5.0
LEAST_NO_DATA = 60.0
LEAST_NO_DATA_OF_SERIES = 300.0
"""Series are scraped once a minute by default, and a scrape may fail."""


LINK = Url(expected="a URL such as https://wiki.example.com/runbook", fragment=True)


def _link(_: str) -> Shape[str]:
    return LINK


NAME = Field("contract", Label("name"), "The contract's name.", required=True)
PROVIDER = Field("provider", Text(), "Who gives the promise; free text.", default="unnamed")
MODEL = Field("model", Text(), "What is served; free text.", default="the contract's name")
ENDPOINT = Field("endpoint", ENDPOINT_TABLE, "The thing probed. A contract with probes needs one.")
OBSERVE = Field(
    "observe",
    WithPlaces(ListOf(OBSERVE_TABLE, "observers", most=10)),
    "How requests are observed: by probes, in real traffic, or from an existing Prometheus.",
    required=True,
)
OBJECTIVES = Field(
    "objectives",
    OBJECTIVES_SHAPE,
    "What is promised: short sentences or mappings, at most 50.",
    required=True,
)
POLICY = Field("policy", PolicyShape(), "The decision rule: buckets, burn-rate or sustained.", default="buckets")
TIMEZONE = Field(
    "timezone",
    Zone(),
    "Time zone of calendar windows, of dates, and of the months that are accounted (IANA name).",
    default="UTC",
)
CONSUMERS = Field("consumers", CONSUMERS_SHAPE, "Whom the promise was made to, at most 100.", default="none")
OPERATORS = Field("operators", OPERATORS_TABLE, "The provider's own on-call.", default="none")
NO_DATA_AFTER = Field(
    "no_data_after",
    Duration(1, 7 * 86_400, "60s"),
    "After this long without any event an objective is `no_data`.",
    default="60s (without probes 5m), or three times the shortest `every` where that is longer",
)
LINKS = Field(
    "links",
    MapOf(Label("name"), _link, "links", most=20),
    "URLs that messages carry, by name (runbook, dashboard).",
    default="none",
)


def _contract(row: Row) -> Contract:
    drafts, observers = with_warnings(row.need(OBJECTIVES)), row.need(OBSERVE)
    _check_observers(row, observers)
    _check_timeouts(drafts, observers, row.report)
    _check_told(row, drafts)
    contract = _assemble(row, drafts, observers)
    check_dead_man(contract, row)
    check_reports(contract, row)
    check_names(contract, row)
    check_series(contract, drafts, row.report)
    _check_scope(row, contract, drafts)
    kinds = [Placed(each.value.kind, each.place) for each in observers if isinstance(each.value, ProbeDraft)]
    check_kinds(contract.endpoint, kinds, row.report)
    check_signals(contract, drafts, row.report)
    check_scrapes(contract, drafts, row.report)
    check_tokens(contract, drafts, row.report)
    if contract.probes and not contract.traffic:
        _check_events(contract, drafts, row.report)
    return contract


def _check_scope(row: Row, contract: Contract, drafts: Sequence[Placed[Draft]]) -> None:
    excluding = [Placed(each.value.exclude, each.place) for each in drafts if not each.value.warns_of]
    excluding += [Placed(contract.exclude, row.place_of(EXCLUDE))]
    wheres = [Placed(each.value.where, each.place) for each in drafts if not each.value.warns_of]
    wheres += [Placed(one.where, each.place) for each in excluding for one in each.value]
    wheres += [Placed(any_of(each.value.per), each.place) for each in drafts if each.value.per]
    check_scope(contract, wheres, [each for each in excluding if each.value], row)


def _check_observers(row: Row, observers: Sequence[Placed[Observing]]) -> None:
    """Probes need an endpoint; counts from Prometheus stand alone."""
    probes = [each for each in observers if isinstance(each.value, ProbeDraft)]
    sources = [each for each in observers if isinstance(each.value, PrometheusSource)]
    if sources and len(observers) > 1:
        message = (
            "observe: requests are counted from one Prometheus, or by probes and in traffic; write two contracts "
            "for both"
        )
        raise row.report.spoil(sources[-1].place, "two-observers", message)
    _check_once(row, [each for each in observers if isinstance(each.value, Traffic)])
    if probes and row.find(ENDPOINT) is None:
        message = f"the contract: the key 'endpoint' is missing; expected {ENDPOINT.shape.expected}"
        raise row.report.spoil(row.place, "missing-key", message)


def _check_once(row: Row, traffic: Sequence[Placed[Observing]]) -> None:
    """What is observed twice would be counted twice."""
    for nth, each in enumerate(traffic):
        first = next((one for one in traffic[:nth] if one.value == each.value), None)
        if first is not None:
            message = f"observe: this is in line {first.place.line} already; expected each way to observe once"
            raise row.report.spoil(each.place, "observed-twice", message)


def _assemble(row: Row, drafts: Sequence[Placed[Draft]], observers: Sequence[Placed[Observing]]) -> Contract:
    policy, timezone = row.get(POLICY, DEFAULT_POLICY), row.get(TIMEZONE, "UTC")
    check_times(row.need(OBJECTIVES), timezone, row.report)
    objectives = tuple(draft.value.finished(policy, timezone) for draft in drafts)
    usual_timeout = max(LEAST_TIMEOUT, 2 * max((draft.value.under or 0 for draft in drafts), default=0))
    name = row.need(NAME)
    model = row.get(MODEL, name)
    drafted = [each.value for each in observers if isinstance(each.value, ProbeDraft)]
    probes = tuple(each.finished(usual_timeout, model) for each in drafted)
    source = next((each.value for each in observers if isinstance(each.value, PrometheusSource)), None)
    traffic = tuple(each.value for each in observers if isinstance(each.value, Traffic))
    on_call, allow = row.get(OPERATORS, OnCall()), row.get(ADDRESSES, ())
    within = row.get(NOTIFY_WITHIN_OF_CONTRACT, None)
    unversioned = Contract(
        name=name,
        provider=row.get(PROVIDER, "unnamed"),
        model=model,
        endpoint=as_asked(row.get(ENDPOINT, None), probes),
        probes=probes,
        objectives=objectives,
        consumers=consumers_allowing(row.get(CONSUMERS, ()), allow, within),
        operators=allowing(on_call.tell, allow),
        urgency=on_call.urgency.of_contract(within, allow),
        no_data_after=row.get(NO_DATA_AFTER, _usual_silence(probes, source)),
        version="",
        file=row.report.file,
        links=row.get(LINKS, {}),
        source=source,
        together=together(row, objectives),
        duties=row.get(DUTIES, {}),
        vantage=row.get(VANTAGE, ""),
        token_basis=row.get(TOKEN_BASIS, ""),
        timezone=timezone,
        exclude=row.get(EXCLUDE, ()),
        maintenance=maintenance(row, timezone, objectives),
        ping=on_call.ping,
        report=on_call.report,
        allow=allow,
        traffic=traffic,
        tracing=row.get(TRACES, None),
        process=row.get(STACKS, None),
    )
    return fingerprint(unversioned, row.report.base)


def _usual_silence(probes: Sequence[Probe], source: PrometheusSource | None) -> float:
    if source is not None:
        return max(LEAST_NO_DATA_OF_SERIES, 3 * source.every)
    if not probes:
        return LEAST_NO_DATA_OF_SERIES
    return max(LEAST_NO_DATA, 3 * min(probe.every for probe in probes))


def _check_timeouts(
    drafts: Sequence[Placed[Draft]], observers: Sequence[Placed[Observing]], report: Report
) -> None:
    """A request is given up at its timeout: nothing is known of how much longer it would have taken."""
    largest = max((draft.value.under or 0 for draft in drafts), default=0)
    for probe in observers:
        timeout = probe.value.timeout if isinstance(probe.value, ProbeDraft) else None
        if timeout is not None and timeout < largest:
            message = (
                f"the timeout {format_duration(timeout)} is shorter than the threshold {format_duration(largest)}: "
                f"a request given up after {format_duration(timeout)} might still have been good; "
                f"expected at least {format_duration(largest)}"
            )
            report.error(probe.place, "timeout-too-short", message)


def _check_told(row: Row, drafts: Sequence[Placed[Draft]]) -> None:
    if row.find(OPERATORS) is not None:
        return
    if row.find(CONSUMERS) is None:
        row.report.warning(row.place, "nobody-told", "neither consumers nor operators are given; nobody is told")
        return
    split = next((each for each in drafts if each.value.per is not None), None)
    if split is not None:
        message = (
            f"{split.value.label}: operators alone hear of its segments (per), and there are none; nobody is told"
        )
        row.report.warning(split.place, "nobody-told", message)


def _check_events(contract: Contract, drafts: Sequence[Placed[Draft]], report: Report) -> None:
    """Fewer events than 1/(1 − target): one bad request alone misses the objective, so nothing can be told."""
    for objective, draft in zip(contract.objectives, drafts, strict=True):
        events = contract.slots(objective) * usual_seconds(objective.over)
        needed = math.ceil(1 / objective.budget_ratio)
        if events < needed:
            report.warning(draft.place, "too-few-events", _too_few(objective, events, needed))


def _too_few(objective: Objective, events: float, needed: int) -> str:
    noun = "probes" if objective.each is None else "intervals"
    return (
        f"{objective.name}: {events:,.0f} {noun} in {objective.over} cannot tell "
        f"{format_percent(objective.target)} from less: one bad request alone misses it; "
        f"expected at least {needed:,} (probe more often, or over a longer window)"
    )


CONTRACT_TABLE = Table(
    "the contract",
    "A latency SLA: what was promised to whom, and how it is observed.",
    (
        NAME,
        PROVIDER,
        MODEL,
        ENDPOINT,
        OBSERVE,
        OBJECTIVES,
        POLICY,
        TIMEZONE,
        CONSUMERS,
        OPERATORS,
        NOTIFY_WITHIN_OF_CONTRACT,
        ADDRESSES,
        NO_DATA_AFTER,
        LINKS,
        TOGETHER,
        DUTIES,
        VANTAGE,
        TOKEN_BASIS,
        EXCLUDE,
        MAINTENANCE,
        TRACES,
        STACKS,
    ),
    _contract,
)
"""The one table from which contracts are read, their schema is printed and their reference is checked."""
