"""Sends every contract's probes on schedule, in a thread of its own, and hands each outcome to a sink.

Guarantees: each slot of each probe ends as exactly one Sample or Skipped; what is slow, silent or broken delays
no other probe; the sink is called in the engine's thread alone and may not stop it. Knows nothing of objectives but
the largest threshold, and nothing of ticks.
"""

import gc
import logging
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from keeptime.clock import monotonic_ns, thread_cpu_ns
from keeptime.contract.secrets import resolve
from keeptime.contract.terms import Contract
from keeptime.errors import UsageError
from keeptime.model.sample import LATE_NS, Sample, Skipped
from keeptime.observe.aiming import Contexts, target_of
from keeptime.observe.faults import BUG
from keeptime.observe.reactor import Reactor
from keeptime.observe.resolve import CaresNames, Names
from keeptime.observe.route import Route, overdue_after
from keeptime.observe.schedule import SECOND
from keeptime.observe.target import Resolve, Target

log = logging.getLogger(__name__)

Built = tuple[Contract, list[Target] | None]
"""A contract and its targets; None: it probes as before."""
Sink = Callable[[Sample | Skipped], None]
Overdue = Callable[[str, int], None]
SWITCH_SECONDS = 0.0005
"""How long another Python thread may hold the interpreter against the engine; Python's own default is 5 ms."""
MISSED_AT_A_TIME = 512
STANDS_STILL_NS = 5 * SECOND
"""A probe that is so late to leave will not leave by itself: the engine's thread hangs."""
TROUBLE_LASTS_NS = 60 * SECOND
"""A probe that failed by a bug is spoken of for so long after."""
_CPU_EVERY_NS = 100_000_000


class Engine:
    """`overdue(contract, due_ns)`: called once for a probe in flight that has exceeded every threshold.

    `stamps=False`: the program's own clock instead of the kernel's. `offset()`: from the monotonic clock to the
    Unix time that slots go by; without it the machine's wall clock. Raises ProbeError or SecretError if a
    contract's probes cannot be attempted as configured.
    """

    def __init__(
        self,
        contracts: Sequence[Contract],
        sink: Sink,
        *,
        overdue: Overdue | None = None,
        stamps: bool = True,
        offset: Callable[[], int] | None = None,
        secrets: Resolve = resolve,
        names: Callable[[Reactor], Names] = lambda reactor: CaresNames(reactor.call),
    ) -> None:
        self._sink, self._overdue, self._stamps, self._secrets = sink, overdue, stamps, secrets
        self._routes: dict[str, list[Route]] = {}
        built = self._build(contracts)
        self._reactor = Reactor(offset)
        self._names = names(self._reactor)
        self._fresh: list[Route] = []
        self._stopped = False
        self._leaving: list[Route] = []
        self._missed: deque[tuple[Route, int, int]] = deque()
        self._thread: threading.Thread | None = None
        self._stop_at: int | None = None
        self._bugs: dict[str, tuple[int, str]] = {}
        self._numbers = dict.fromkeys(_NUMBERS, 0)
        self._switch = sys.getswitchinterval()
        self._apply(built)

    # For other threads

    def start(self) -> None:
        """Begin. Raises UsageError if it was started before."""
        if self._thread is not None or self._stopped:
            raise UsageError("an engine is started once")
        gc.collect()
        gc.freeze()  # what is there now stays: full collections would look through all of it each time
        self._switch = sys.getswitchinterval()
        sys.setswitchinterval(min(self._switch, SWITCH_SECONDS))
        self._thread = threading.Thread(target=self._run, name="keeptime-probes", daemon=True)
        self._thread.start()

    def stop(self, deadline: float = 5.0) -> None:
        """Send no more; wait up to `deadline` seconds for what is in flight. The rest is counted as skipped."""
        thread, self._stopped = self._thread, True
        if thread is None:
            self._finish()
        if thread is None or not thread.is_alive():
            return
        self._reactor.call(lambda: self._begin_to_stop(deadline))
        thread.join()
        sys.setswitchinterval(self._switch)

    def replace(self, contracts: Sequence[Contract]) -> None:
        """Probe these from now on; contracts that probe as before go on undisturbed.

        Raises ProbeError or SecretError, and then nothing has changed.
        """
        self.prepare(contracts)()

    def prepare(self, contracts: Sequence[Contract]) -> Callable[[], None]:
        """The same in two steps: all that can fail, and what is returned: going over to it."""
        return partial(self._swap, self._build(contracts))

    def _swap(self, built: list[Built]) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._apply(built)
            return
        applied = threading.Event()

        def work() -> None:
            self._apply(built)
            for route in self._fresh:
                route.seat()
            self._fresh.clear()
            applied.set()

        self._reactor.call(work)
        applied.wait(5.0)

    def in_flight(self, contract: str) -> int:
        """Probes of this contract that have not ended."""
        return sum(route.in_flight for route in self._routes.get(contract, ()))

    def troubles(self) -> dict[str, str]:
        """Why contracts are not probed as they should be, by keeptime's own fault; only where it is so now."""
        now = monotonic_ns()
        late = self._reactor.overdue_ns(now)
        if self._thread is not None and not self._stopped and (late > STANDS_STILL_NS or not self.running):
            why = f"probing stands still since {late / SECOND:.0f} s" if self.running else "probing has ended"
            return dict.fromkeys(self._routes, f"{why}, by a bug of keeptime: restart it")
        return {name: why for name, (at, why) in list(self._bugs.items()) if now - at < TROUBLE_LASTS_NS}

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def stats(self) -> dict[str, float]:
        """Totals since start, in seconds where the name says so.

        `lateness`: how long after they were due probes left; `lag`: how long after the kernel had them bytes were
        read, which stamped samples do not contain.
        """
        numbers, reactor = self._numbers, self._reactor
        routes = [route for each in list(self._routes.values()) for route in each]
        return {
            "running": float(self.running),
            "probes": float(len(routes)),
            "in_flight": float(sum(route.in_flight for route in routes)),
            "sent_total": float(numbers["sent"]),
            "skipped_total": float(numbers["skipped"]),
            "late_total": float(numbers["late"]),
            "sink_errors_total": float(numbers["sink_errors"]),
            "lateness_seconds_total": numbers["lateness"] / SECOND,
            "lateness_seconds_worst": numbers["worst_lateness"] / SECOND,
            "lag_seconds_total": reactor.lag_ns / SECOND,
            "lag_seconds_worst": reactor.worst_lag_ns / SECOND,
            "cpu_seconds_total": numbers["cpu"] / SECOND,
        }

    # Contracts

    def _build(self, contracts: Sequence[Contract]) -> list[Built]:
        contexts: Contexts = {}
        built: list[Built] = []
        for contract in contracts:
            if self._unchanged(contract):
                built.append((contract, None))
                continue
            if contract.endpoint is None:
                built.append((contract, []))
                continue
            make = partial(target_of, contract.endpoint, contexts=contexts, secrets=self._secrets)
            built.append((contract, [make(each) for each in contract.probes]))
        return built

    def _unchanged(self, contract: Contract) -> bool:
        routes = self._routes.get(contract.name)
        if not routes:
            return False
        old = routes[0].contract
        return (old.endpoint, old.probes, overdue_after(old)) == (
            contract.endpoint,
            contract.probes,
            overdue_after(contract),
        )

    def _apply(self, built: list[Built]) -> None:
        routes: dict[str, list[Route]] = {}
        self._fresh = []
        for contract, targets in built:
            if targets is None:
                routes[contract.name] = self._routes[contract.name]
                continue
            routes[contract.name] = [
                Route(self._reactor, self._names, self, contract, index, target, self._stamps)
                for index, target in enumerate(targets)
            ]
            self._fresh += routes[contract.name]
        for name, old in self._routes.items():
            if routes.get(name) is not old:
                self._leaving += old
        for route in self._leaving:
            route.close()
        self._routes = routes

    # In the engine's thread

    def _run(self) -> None:
        for route in self._fresh:
            route.seat()
        self._fresh.clear()
        cpu_due = 0
        while not self._over():
            try:
                self._reactor.turn(wait=not self._missed)
                self._emit_missed()
            except Exception:  # a probe's bug must not end all probing
                log.exception("the probe engine goes on after an error of its own")
            now = monotonic_ns()
            if now >= cpu_due:
                cpu_due = now + _CPU_EVERY_NS
                self._numbers["cpu"] = thread_cpu_ns()
                self._leaving = [route for route in self._leaving if route.in_flight]
        self._finish()

    def _begin_to_stop(self, deadline: float) -> None:
        self._stop_at = monotonic_ns() + round(deadline * SECOND)
        for route in self._all():
            route.close()
        self._reactor.at(self._stop_at, self)

    def due(self, _now: int) -> None:
        """The reactor's word that the time to stop has come: the loop looks at the clock itself."""

    def _over(self) -> bool:
        if self._stop_at is None:
            return False
        return monotonic_ns() >= self._stop_at or not (self._missed or any(r.in_flight for r in self._all()))

    def _finish(self) -> None:
        while self._missed:
            self._emit_missed()
        for route in self._all():
            route.give_up()
        self._names.close()
        self._reactor.close()

    def _all(self) -> list[Route]:
        return [*(route for each in self._routes.values() for route in each), *self._leaving]

    def _emit_missed(self) -> None:
        if self._missed:
            route, first, count = self._missed.popleft()
            now = min(count, MISSED_AT_A_TIME)
            if count > now:
                self._missed.appendleft((route, first + now, count - now))
            route.emit_missed(first, now)

    # What routes report

    def emit(self, outcome: Sample | Skipped) -> None:
        if isinstance(outcome, Skipped):
            self._numbers["skipped"] += 1
            if outcome.reason.startswith(BUG):
                self._note_bug(outcome.contract, outcome.reason)
        try:
            self._sink(outcome)
        except Exception:  # the sink is the caller's: its bug must not end probing
            self._numbers["sink_errors"] += 1
            log.exception("an outcome of %s could not be counted", outcome.contract)

    def _note_bug(self, contract: str, reason: str) -> None:
        if self._bugs.get(contract, (0, ""))[1] != reason:
            log.error("a probe of %s was not made: %s", contract, reason)
        self._bugs[contract] = (monotonic_ns(), reason)

    def note_sent(self, lateness: int) -> None:
        numbers = self._numbers
        numbers["sent"] += 1
        if lateness > 0:
            numbers["lateness"] += lateness
            numbers["late"] += lateness > LATE_NS
            numbers["worst_lateness"] = max(numbers["worst_lateness"], lateness)

    def note_missed(self, route: Route, first: int, count: int) -> None:
        self._missed.append((route, first, count))

    def note_overdue(self, contract: str, due_ns: int) -> None:
        if self._overdue is not None:
            self._overdue(contract, due_ns)


_NUMBERS: Mapping[str, int] = dict.fromkeys(
    ("sent", "skipped", "late", "sink_errors", "lateness", "worst_lateness", "cpu"), 0
)
