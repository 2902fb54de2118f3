"""Values that the tests of telling start from."""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from keeptime.contract.probed import Endpoint, Probe
from keeptime.contract.terms import Consumer, Contract, Objective, Policy, PolicyKind, Rolling
from keeptime.model.alert import Address, AlertRow, Message, Topic
from keeptime.model.key import ObjectiveKey
from keeptime.model.verdict import (
    Budget,
    Condition,
    Forecast,
    Severity,
    TierReport,
    TierState,
    Verdict,
    WindowCount,
)
from keeptime.tell.announce import announce

NOW = 1_800_000_000.0
EVERY_TOPIC = frozenset(Topic) - {Topic.WITHDRAWN}

OK = (Condition.OK, None)
TICKET = (Condition.AT_RISK, Severity.TICKET)
PAGE = (Condition.AT_RISK, Severity.PAGE)
BROKEN = (Condition.BROKEN, Severity.PAGE)
NO_DATA = (Condition.NO_DATA, None)
Case = tuple[Condition, Severity | None]

OBJECTIVE = Objective("p99", Fraction(99, 100), 0.5, Rolling(28 * 86_400.0), Policy(PolicyKind.BURN_RATE))


def contract(
    *tell: Address,
    about: Iterable[Topic] = EVERY_TOPIC,
    operators: Iterable[Address] = (),
    name: str = "sentiment-latency",
    objectives: tuple[Objective, ...] = (OBJECTIVE,),
) -> Contract:
    """A contract whose consumer "checkout" is told at these addresses."""
    return Contract(
        name=name,
        provider="ml-platform",
        model="sentiment",
        endpoint=Endpoint("http://user:canary@127.0.0.1:5000/predict?key=canary"),
        probes=(Probe(10.0, 5.0),),
        objectives=objectives,
        consumers=(Consumer("checkout", tell, frozenset(about)),),
        operators=tuple(operators),
        no_data_after=60.0,
        version="c0ffee",
        file="sentiment.yaml",
        links={"runbook": "https://wiki.example/sentiment"},
    )


def verdict(case: Case, tick: int = 180_000_000, *, since: float | None = None, pending: bool = False) -> Verdict:
    """A verdict of the first objective with 3,600 events, 42 of them bad."""
    condition, severity = case
    state = TierState.PENDING if pending else TierState.QUIET
    at = tick * 10.0
    return Verdict(
        key=ObjectiveKey("sentiment-latency", "p99"),
        tick=tick,
        at=at,
        condition=condition,
        since=at if since is None else since,
        severity=severity,
        target=Fraction(99, 100),
        threshold_seconds=0.5,
        window_seconds=28 * 86_400.0,
        good=3558,
        bad=42,
        skipped=3,
        burn_rate=42 / 36,
        budget=Budget(2419.2, 42),
        tiers=(TierReport("page-1h", Severity.PAGE, state, 13.44, (WindowCount(3600.0, 318, 42, 42 / 3.6),)),),
        exhausted_in=21_600.0,
        reason="42 of 3,600 requests were slow or failed in the last hour",
        forecast=Forecast(0.625, at + 28 * 86_400, at + 1_900_800, (at + 1_296_000, None), 23.5),
    )


def tell_of(terms: Contract, cases: Iterable[Case], first_tick: int = 180_000_000) -> list[Message]:
    """The messages of an objective that goes through these cases, one per tick."""
    row: AlertRow | None = None
    messages = []
    for tick, case in enumerate(cases, first_tick):
        told = announce(terms, terms.objectives[0], _of(verdict(case, tick), terms), row)
        row = told.row
        if told.message is not None:
            messages.append(told.message)
    return messages


def _of(value: Verdict, terms: Contract) -> Verdict:
    return replace(value, key=terms.key(terms.objectives[0]))
