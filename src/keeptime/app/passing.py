"""Passes on what nobody took, or acknowledged, in time: to the next receiver, and to the operators' knowledge.

Guarantees: `tell.escalate` and `tell.unanswered` decide; a step is durable, with its ledger row and its message to
the operators, before anything of it is sent, so a kill loses none and repeats none; a store that fails is asked
again. Looks at the outbox as seldom as reading it is slow.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from keeptime.app.operators import Operators
from keeptime.app.ports import Store
from keeptime.clock import Clock
from keeptime.contract.people import everyone
from keeptime.contract.terms import Contract
from keeptime.contract.urgency import Urgency
from keeptime.errors import StoreError
from keeptime.model.alert import Late, Passed
from keeptime.tell import unanswered
from keeptime.tell.audience import urgency_of
from keeptime.tell.escalate import PassOn, decide
from keeptime.tell.ports import InStore

log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between two looks; more where a look takes long."""

BREATH = 100.0
"""The outbox is left alone for this many times as long as reading it took."""


AT_ONCE = 1000
"""Rows that one look is about; the next one goes on behind them, so that no backlog holds up the store."""


class Passing:
    """`run` as a task. `steps`: how often a message was passed on, by (contract, audience), since the start.

    `woken`: called after something was put into the outbox. `unmarked`: pairs (contract, address id) whose receiver
    took the oldest message, which the store does not know yet.
    """

    def __init__(
        self,
        store: Store,
        in_store: InStore,
        clock: Clock,
        contracts: Callable[[], Sequence[Contract]],
        operators: Operators,
        woken: Callable[[], None],
        unmarked: Collection[tuple[str, str]] = (),
    ) -> None:
        self.steps: Counter[tuple[str, str]] = Counter()
        self._store, self._in_store, self._clock = store, in_store, clock
        self._contracts, self._operators, self._woken = contracts, operators, woken
        self._unmarked = unmarked
        self._began = self._now()
        self._after = 0

    async def run(self) -> None:
        """Until cancelled."""
        pause = LOOK
        while True:
            await asyncio.sleep(pause)
            began = self._clock.monotonic_ns()
            try:
                await self.look()
            except StoreError as error:  # the keeper and the dispatcher say so, too
                log.debug("what is late cannot be passed on: %s", error)
            pause = max(LOOK, BREATH * (self._clock.monotonic_ns() - began) / 1e9)

    async def look(self) -> None:
        """Pass on all that is due now. Raises StoreError, and then nothing has changed."""
        now, contracts = self._now(), {each.name: each for each in self._contracts()}
        urgencies = [each for contract in contracts.values() for each in _urgencies(contract)]
        if not urgencies:
            return
        within = min(each.within for each in urgencies)
        most = max(1, *(len(each.escalate) for each in urgencies))
        rows = await self._in_store(self._store.not_taken, now, within, self._after, AT_ONCE)
        self._after = rows[-1] if len(rows) == AT_ONCE else 0
        found = await self._in_store(self._store.late, now, within, most, rows)
        passed = [(late, one) for late in found if (one := self._decide(late, contracts, now)) is not None]
        passed += await self._unanswered(contracts, now)
        if not passed:
            return
        await self._in_store(self._store.pass_on, [each for _, each in passed], now)
        for late, each in passed:
            self.steps[late.contract, late.address.audience] += 1
            log.warning(
                "message %s of contract %s: %s", late.message_id, late.contract, each.reason, extra=_next(each)
            )
        self._woken()

    async def _unanswered(self, contracts: Mapping[str, Contract], now: float) -> list[tuple[Late, Passed]]:
        """Pages that nobody acknowledged in time, where a contract asks for that."""
        asking = [each.name for each in contracts.values() if each.urgency.ack_within is not None]
        pages = await self._in_store(self._store.unanswered, asking) if asking else ()
        decided = ((page, unanswered.decide(page, contracts[page.contract].urgency, now)) for page in pages)
        return [
            (page, Passed(page.row, each.to, each.reason)) for page, each in decided if isinstance(each, PassOn)
        ]

    def _decide(self, late: Late, contracts: Mapping[str, Contract], now: float) -> Passed | None:
        """None: nothing is to be done, or the receiver is told no more, or took it before the store knows."""
        contract = contracts.get(late.contract)
        if (late.contract, late.address.id) in self._unmarked:
            return None
        if contract is None or late.address.id not in {each.id for each in everyone(contract)}:
            return None
        decision = decide(late, urgency_of(contract, late.address.audience), now, self._began)
        if not isinstance(decision, PassOn):
            return None
        told = self._operators.of_undelivered(late, decision.to, decision.reason) if decision.tell else ()
        return Passed(late.row, decision.to, decision.reason, told)

    def _now(self) -> float:
        return self._clock.wall_ns() / 1e9


def _urgencies(contract: Contract) -> Sequence[Urgency]:
    return [*(each.urgency for each in contract.consumers), contract.urgency]


def _next(passed: Passed) -> dict[str, str]:
    return {} if passed.to is None else {"next": f"{passed.to.audience} by {passed.to.kind}"}
