"""Which requests count, from the contract's text through counter, keeper and store, and after a restart."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from keeptime.app.keeper import Keeper
from keeptime.contract.load import load_text
from keeptime.contract.terms import Contract
from keeptime.model.exclusion import Exclusion, ExclusionKind
from keeptime.model.key import ObjectiveKey
from keeptime.model.sample import Connection, Failure, Phases, Sample
from keeptime.model.tally import Tally
from keeptime.model.verdict import Condition
from keeptime.observe.count import Counter
from keeptime.store.exclusions import DayExclusion
from keeptime.store.sqlite import SqliteStore

TICK, S = 10.0, 1_000_000_000
BEFORE = round(datetime(2026, 10, 25, 0, 20, tzinfo=UTC).timestamp())
"""On this day clocks go back in Berlin; 02:30 comes first at 00:30 UTC, and the window lasts until 01:30 UTC."""
P99, V2 = ObjectiveKey("sentiment", "p99"), ObjectiveKey("sentiment", "v2")
TEXT = """\
contract: sentiment
endpoint: {url: "http://127.0.0.1:5000/predict"}
observe:
  - probe: {every: 10s, attributes: {version: "header:X-Version"}}
objectives:
  - {name: p99, target: 99%, under: 500ms, over: 1d}
  - {name: v2, target: 99%, under: 500ms, over: 1d, where: {version: v2}}
exclude:
  - {status: 429, reason: shed, author: sales}
maintenance:
  - start: 2026-10-18 02:30
    lasts: 1h
    timezone: Europe/Berlin
    repeat: FREQ=WEEKLY;BYDAY=SU
    reason: restart
    author: ops
    objectives: [p99]
no_data_after: 1m
operators: {tell: ["log:"]}
"""


def given() -> Contract:
    loaded = load_text(TEXT.encode(), "c.yaml")
    assert loaded.problems == ()
    return loaded.contracts[0]


def answer(at: int, *, slow: bool = False, status: int = 200, version: str = "v1") -> Sample:
    latency = S if slow else S // 10
    failure = None if status == 200 else Failure.STATUS
    one = Sample("sentiment", at * S, at * S, at * S + latency, Phases(wait=latency), failure, status, 0,
                 Connection.FRESH, True, 0)  # fmt: skip
    return replace(one, attributes={"version": version})


def lived(
    contract: Contract, store: SqliteStore, outcomes: list[Sample], start: int, end: int
) -> dict[ObjectiveKey, Condition]:
    """From one second to another; what the last tick was judged as."""
    counting = Counter([contract], TICK, start_ns=start * S)
    keeper = Keeper(store, [contract], TICK, round(start / TICK))
    for outcome in outcomes:
        counting.add(outcome)
    kept = keeper.keep(counting.close((end + 1) * S), float(end))
    assert kept.problem == ""
    return {key: verdict.condition for key, verdict in kept.verdicts.items()}


def test_a_night_with_everything(tmp_path: Path) -> None:
    contract, window, end = given(), BEFORE + 600, BEFORE + 600 + 3600
    outcomes = [answer(at) for at in range(BEFORE, window, 10)]
    outcomes[3:5] = [answer(BEFORE + 30, status=429), answer(BEFORE + 40, slow=True, version="v2")]
    outcomes += [answer(at, slow=True) for at in range(window, window + 300, 10)]
    with SqliteStore.open(tmp_path, tick_seconds=TICK, now=float(BEFORE)) as store:
        found = lived(contract, store, outcomes, BEFORE, window + 1800)
        assert found[P99] is Condition.OK  # 25 minutes without anything, in maintenance
    with SqliteStore.open(tmp_path, tick_seconds=TICK, now=float(window + 1800)) as store:
        found = lived(contract, store, [answer(end - 10), answer(end, slow=True)], window + 1800, end + 10)
        assert found[P99] in (Condition.OK, Condition.AT_RISK)
        ticks = round(BEFORE / TICK), round(end / TICK) + 1
        p99, v2 = (sum((each for _, each in store.tallies(key, *ticks, TICK)), start=Tally()) for key in (P99, V2))
        assert (p99.good, p99.bad, p99.excluded) == (58, 2, 1 + 30 + 1)
        assert (v2.good, v2.bad, v2.excluded) == (0, 1, 0)
        day = BEFORE // 86_400
        shed, restart = (
            Exclusion(ExclusionKind.EXCLUDE, "shed", "sales"),
            Exclusion(ExclusionKind.MAINTENANCE, "restart", "ops"),
        )
        assert store.exclusions(P99, *ticks) == (DayExclusion(day, shed, 1), DayExclusion(day, restart, 31))
        assert store.exclusions(V2, *ticks) == ()
