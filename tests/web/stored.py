"""What a made-up past shows: pages over a real store, as a daemon that has just judged its last tick would.

Guarantees: counts, verdicts, incidents, the ledger and the versions are the store's; only what a store does not
keep (requests one by one, traces, how receivers stand) is put in. The same order gives the same pages.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from keeptime.app.happened import StoreHappened
from keeptime.app.past_series import StoredPast
from keeptime.app.reading import read_contracts
from keeptime.app.recorded import PastKeeper
from keeptime.app.storing import StoreThread
from keeptime.app.tracing import Traces
from keeptime.app.view import ContractView, DeliveryView
from keeptime.contract.terms import Contract
from keeptime.demo.past import CONTRACTS, Made, Order
from keeptime.model.exemplar import Exemplar
from keeptime.model.explanation import Cause, Changed, Explanation, Looked, PhaseTime, Share
from keeptime.model.incident import Incident, IncidentQuery
from keeptime.model.ledger import LedgerHead, LedgerQuery, LedgerRow
from keeptime.model.silence import Silence
from keeptime.model.tally import TickRecord
from keeptime.model.trace import Why
from keeptime.model.version import VersionUse
from keeptime.store.sqlite import SqliteStore
from keeptime.testing.explaining import FakeExplaining
from keeptime.testing.showable import FakeShowable, sample, view
from keeptime.testing.traced import FakeTraced
from tests.explain.test_traces import served as request

MS = 1_000_000
STACKS = (
    ("app.predict (app.py:31);model.Model.infer (model.py:92);[waiting]", 21),
    ("app.predict (app.py:31);model.Model.infer (model.py:97);numpy.dot (numpy/core.py:7);[native code]", 8),
)


@dataclass(frozen=True)
class StandingClock:
    at: float

    def wall_ns(self) -> int:
        return round(self.at * 1e9)

    def monotonic_ns(self) -> int:
        return round(self.at * 1e9)


@dataclass(slots=True)
class StoredShowable(FakeShowable):
    """Make one with `shown`."""

    store: SqliteStore | None = None
    in_store: StoreThread | None = None

    async def ledger(self, asked: LedgerQuery) -> Sequence[LedgerRow]:
        assert self.store is not None
        assert self.in_store is not None
        return await self.in_store(self.store.ledger, asked)

    async def ledger_head(self) -> LedgerHead:
        assert self.store is not None
        assert self.in_store is not None
        return await self.in_store(self.store.ledger_head)

    async def versions(self, contract: str) -> Sequence[VersionUse]:
        assert self.store is not None
        assert self.in_store is not None
        return await self.in_store(self.store.versions, contract)


@contextmanager
def shown(made: Made, order: Order) -> Iterator[StoredShowable]:
    """The past that was made, and one tick more in which nothing came."""
    tick = order.tick_seconds
    now = (made.until + 1) * tick + 1
    contracts = read_contracts([str(made.data / CONTRACTS)], tick)
    in_store = StoreThread()
    with SqliteStore.open(made.data, tick_seconds=tick, now=now - tick) as store:
        found = list(_judged(store, contracts, tick, made.until))
        daemon = StoredShowable(found, _deliveries(contracts), now=now, tick_seconds=tick, last_tick_at=now - 1)
        daemon.store, daemon.in_store = store, in_store
        daemon.past = StoredPast(store, in_store, tick)  # type: ignore[assignment]
        clock = StandingClock(now)
        daemon.happened = StoreHappened(store, in_store, clock, lambda: contracts)  # type: ignore[assignment]
        newest = store.incidents(IncidentQuery(most=3))
        kept = [*_requests(contracts, newest[0].started + 3600), *_requests(contracts, now)]
        daemon.explaining = FakeExplaining(kept, {each.id: _why(each) for each in newest})
        traces = Traces((request(10, 330, 32, Why.SLOW), request(5, 20, 20, Why.USUAL)))
        daemon.tracing = FakeTraced({each.name: traces for each in contracts})
        daemon.quieting.silences.append(
            Silence(1, contracts[0].name, "", "ann", "the host moves", now - 600, now + 3600)
        )
        try:
            yield daemon
        finally:
            in_store.close()


def _judged(store: SqliteStore, contracts: Sequence[Contract], tick: float, until: int) -> Iterator[ContractView]:
    keeper = PastKeeper(store, contracts, tick, until)
    verdicts = [each.verdicts for each in keeper.keep_past([TickRecord(until)], 1.0)][-1]
    for each in contracts:
        yield view(
            each,
            [verdicts[each.key(objective)] for objective in each.objectives],
            last_sample=sample(each.name, sent=(until + 1) * tick - 3) if each.probes else None,
        )


def _why(one: Incident) -> Explanation:
    """As the finder of causes says it."""
    return Explanation(
        one.id, one.started + 30, ("It began when replica-3 was deployed; its requests wait in the queue.",),
        (Cause("attribute", "92% of the bad requests are of replica replica-3, and 24% of the usual ones.",
               ("replica=replica-3",), Share(0.71, 0.88, 0.95)),
         Cause("event", "deploy v2 by ci, 2 min before it began")),
        Changed(one.started - 60, one.started - 120, one.started, one.ended, 0.01, 0.42),
        (PhaseTime("queue", 0.02, 0.41, 0.83), PhaseTime("forward", 0.05, 0.07, 0.11)),
        Looked(212, 900, one.started - 3600, one.started + 30, 6, 8, 1),
    )  # fmt: skip


def _deliveries(contracts: Sequence[Contract]) -> list[DeliveryView]:
    """One that takes, one that fails and one that gave up, of each."""
    return [
        row
        for each in contracts
        for row in (
            DeliveryView(each.name, "operators", "log:", 12, 0, 0, 0.0),
            DeliveryView(each.name, "support", "webhook:env:SUPPORT_HOOK", 7, 3, 2, 64.0, "503 from the receiver"),
            DeliveryView(each.name, "desk", "webhook:file:/run/secrets/desk", 3, 2, 0, 0.0, dead_letters=1,
                         dead_reason="410 Gone", muted=2),
        )
    ]  # fmt: skip


def _requests(contracts: Sequence[Contract], now: float) -> Iterator[Exemplar]:
    """Some slow ones and a failed one of each contract, in the hour before."""
    for each in contracts:
        for nth in range(30):
            took, at = (700 + 31 * (nth * 7 % 30)) * MS, round((now - 3600 + 110 * nth) * 1e9)
            failure = "timeout" if nth % 9 == 8 else ""
            yield Exemplar(
                each.name, at, took, Why.FAILED if failure else Why.SLOW, failure, None if failure else 200,
                phases={"dns": MS, "connect": 4 * MS, "tls": 11 * MS, "wait": took - 30 * MS, "transfer": 14 * MS},
                timings={"queue": took // 2, "forward": took // 3},
                attributes={"model_version": "2026-11-20", "replica": f"replica-{nth % 4}", "input_size": "4k-16k"},
                trace=f"{nth:032x}" if nth % 3 else "",
                stacks=STACKS if nth % 2 else (),
            )  # fmt: skip
