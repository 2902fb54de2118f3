"""Daemons in telling states, for tests of what is shown."""

from dataclasses import replace

from keeptime.app.view import DeliveryView, SignView
from keeptime.contract.scope import Per, Split
from keeptime.contract.segments import with_segments
from keeptime.contract.terms import Contract
from keeptime.contract.traffic.otlp import Otlp
from keeptime.contract.traffic.push import Push
from keeptime.model.beside import BesideView, Sides
from keeptime.model.counters import RequestCounters
from keeptime.model.exclusion import FAILED
from keeptime.model.key import Signal
from keeptime.model.latency import Latency, Quantile
from keeptime.model.sample import Failure
from keeptime.model.traffic import TrafficView
from keeptime.model.verdict import Condition, Forecast, Severity, TierReport, TierState, Verdict, WindowCount
from keeptime.tell.own_promise import Told
from keeptime.testing.showable import NOW, FakeShowable, contract, objective, sample, verdict, view

INERT = "<script>document.title='owned'</script>{{7*7}}${7*7}"
CANARY = "canary-4711"


def tiers(long_bad: int, short_bad: int, state: TierState = TierState.QUIET) -> tuple[TierReport, ...]:
    page = (
        WindowCount(3600.0, 3600 - long_bad, long_bad, long_bad / 36),
        WindowCount(300.0, 300 - short_bad, short_bad, short_bad / 3),
    )
    ticket = (WindowCount(259_200.0, 258_000, 1200, 0.46), WindowCount(21_600.0, 0, 0, None))
    return (
        TierReport("1h/5m", Severity.PAGE, state, 14.4, page),
        TierReport("3d/6h", Severity.TICKET, TierState.QUIET, 1.0, ticket),
    )


def counters(of: Contract, ok: int = 0, slow: int = 0, refused: int = 0) -> RequestCounters:
    """`ok` requests of 21.3 ms, `slow` ones of 800 ms, `refused` ones of 1 ms."""
    made = view(of).counters
    for count, seconds, failure in ((ok, 0.0213, None), (slow, 0.8, None), (refused, 0.001, Failure.REFUSED)):
        one = sample(of.name, seconds, failure=failure)
        for _ in range(count):
            made.add(one)
    return made


def split(more: int = 0) -> FakeShowable:
    """An objective with segments: one broken, one fine, `more` and one not judged yet; a value is hostile."""
    whole = replace(objective(), per=Per((Split("model_version"),)))
    parts = [
        (whole.name, (("model_version", value),)) for value in ("v1", INERT, "v3", *(f"w{n}" for n in range(more)))
    ]
    one = with_segments(contract("split", objectives=[whole]), parts)
    of = {each.segment[0][1]: nth for nth, each in enumerate(one.objectives) if each.segment}
    found: list[Verdict | None] = [verdict(one, Condition.OK, good=900, bad=100), *[None] * len(parts)]
    found[of[INERT]] = verdict(one, Condition.BROKEN, nth=of[INERT], good=100, bad=99, reason="the new one is slow")
    found[of["v1"]] = verdict(one, Condition.OK, nth=of["v1"], good=800, bad=1, reason="fine")
    return FakeShowable(contracts=[view(one, found)])


def with_traffic() -> FakeShowable:
    """A contract with probes and three ways to observe its traffic, one of which cannot; probes and users disagree
    about one objective, and of another some requests lie between bounds."""
    promises = [objective(), objective("p50", "1/2", 0.2), replace(objective("ttft"), of=Signal.FIRST_TOKEN)]
    one = replace(contract("chat", objectives=promises), traffic=(Push("push"), Otlp("otlp"), Otlp("otlp")))
    why = "in the last hour none of 360 probes was bad"
    return FakeShowable(
        contracts=[
            view(
                one,
                [verdict(one, Condition.OK, nth=nth, good=10) for nth in range(3)],
                traffic=[
                    TrafficView("push", f"push from {INERT}", {"ok": 40, "refused": 2}, 12_300, "", NOW - 4),
                    TrafficView("scrape", "scrape one", {"ok": 7}, 600, "", NOW - 9),
                    TrafficView("scrape", "scrape two", {"unreachable": 3}, 0, "it does not answer", None),
                ],
                beside=[
                    BesideView(Sides(360, 0, 97_000, 3000), 3600.0, True, why),
                    BesideView(Sides(360, 0, 900, 50, 50), 3600.0, True),
                    None,
                ],
                signals={
                    Signal.FIRST_TOKEN: Latency(3600.0, 90, (Quantile(0.5, 0.08, 0.081, 0.0805),)),
                    Signal.INTER_TOKEN: Latency(3600.0, 0, ()),
                },
            )
        ]
    )


def every_condition() -> FakeShowable:
    """One contract with ok, at_risk and broken objectives; one without data; one that nobody judged yet."""
    promises = [objective(), objective("p50", "1/2", 0.2), objective("success", "999/1000", None)]
    main = contract(objectives=promises, url=f"http://127.0.0.1:5000/predict?key={CANARY}")
    dead, new = contract("image-tags", model="resnet-50"), contract("just-added")
    fine = "977 of 241,789 requests were slow or failed in the last 28 d; the budget is 2,419"
    near = "560 of 3,600 requests were slow or failed in the last 1 h: 15.6 times what 50% allows; it ends in 6 h"
    gone = (
        "99.9% of requests succeed over 28d is broken: 2,789 of 241,789 requests failed in the last 28 d, "
        "and the budget was 241.9"
    )
    verdicts = [
        verdict(main, Condition.OK, good=240_812, bad=977, skipped=131, tiers=tiers(3, 1), reason=fine),
        verdict(
            main, Condition.AT_RISK, nth=1, good=180_000, bad=61_789, total=120_960, severity=Severity.PAGE,
            tiers=tiers(560, 70, TierState.FIRING), exhausted_in=21_600, reason=near, since=NOW - 90,
            forecast=Forecast(0.93, NOW + 864_000, NOW + 40_000, (NOW + 20_000, NOW + 90_000), 18.0),
        ),
        verdict(
            main, Condition.BROKEN, nth=2, good=239_000, bad=2789, total=241.9, severity=Severity.PAGE,
            tiers=tiers(2000, 300, TierState.FIRING), reason=gone, since=NOW - 172_800,
        ),
    ]  # fmt: skip
    silent = verdict(
        dead, Condition.NO_DATA, reason="no requests were observed for 2 min; the last by 2027-01-15 07:58:00 UTC"
    )
    return FakeShowable(
        contracts=[
            view(
                main,
                verdicts,
                counters=counters(main, ok=900, slow=60, refused=40),
                last_sample=sample(),
                exclusions=[{}, {FAILED: 3}, {}],
            ),
            view(dead, [silent], last_sample=sample("image-tags", 0.0011, failure=Failure.REFUSED)),
            view(new),
        ],
        deliveries=(
            DeliveryView(
                main.name, "checkout", "webhook:env:CHECKOUT_HOOK", 12, 3, 2, 64.0, "503 from the receiver"
            ),
            DeliveryView(main.name, "checkout", "webhook:file:/run/second", 5, 0, 1, 9.0),
            DeliveryView(main.name, "operators", f"webhook:https://hooks.example/{CANARY}", 40, 0, 0, 0.0),
        ),
        told=(Told(main.name, "checkout", 120.0, 130, 2, 1), Told(main.name, "operators", 120.0, 40, 0, 0)),
        passed_on={(main.name, "checkout"): 2},
        signs=(
            SignView("heartbeat", (main.name,), "checkout", 60.0, NOW - 30, 12, 1, 2),
            SignView(
                "ping", (main.name, dead.name), "", 60.0, None, 0, 0, 3, "held back: no tick was judged for 3 min"
            ),
            SignView("ping", (new.name,), "", 60.0, NOW - 20, 3, 0, 0),
        ),
        engine={"timers": 3.0, "look_ups_total": 41.0},
    )
