"""The delivery promise as a machine: whatever happens, the consumer has every transition, in order, by its id."""

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from keeptime.errors import StoreError
from keeptime.model.alert import Address, AlertRow
from keeptime.tell.announce import announce
from keeptime.tell.dispatch import Dispatcher
from keeptime.tell.retry import LONGEST_WAIT
from keeptime.testing.outbox import FakeOutbox, in_place
from keeptime.testing.receiver import FakeReceiver, Fate
from keeptime.testing.virtual import VirtualClock, VirtualLoop
from tests.tell.given import BROKEN, NO_DATA, NOW, OBJECTIVE, OK, PAGE, TICKET, Case, contract, verdict

HOOK = Address("checkout", "webhook", "env:HOOK")
PAGER = Address("operators", "webhook", "env:PAGER")
TERMS = contract(HOOK, operators=[PAGER])


class Promise(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualLoop()
        self.clock = VirtualClock(self.loop, NOW)
        self.outbox = FakeOutbox()
        self.receiver = FakeReceiver()
        self.row: AlertRow | None = None
        self.tick = int(NOW / 10)
        self.expected: dict[str, list[str]] = {HOOK.id: [], PAGER.id: []}
        self.start()

    def start(self) -> None:
        self.dispatcher = Dispatcher(self.outbox, self.receiver, self.clock, in_place)
        self.running = self.loop.create_task(self.dispatcher.run())

    @rule(case=st.sampled_from([OK, TICKET, PAGE, BROKEN, NO_DATA]))
    def judge(self, case: Case) -> None:
        self.tick += 1
        told = announce(TERMS, OBJECTIVE, verdict(case, self.tick), self.row)
        self.row = told.row
        if told.message is not None:
            self.outbox.put(told.message, self.clock.wall_ns() / 1e9)
            for address in told.message.addresses:
                self.expected[address.id].append(told.message.id)
        self.dispatcher.wake()

    @rule(name=st.sampled_from([HOOK.id, PAGER.id]), fates=st.lists(st.sampled_from(Fate), max_size=4))
    def fail(self, name: str, fates: list[Fate]) -> None:
        self.receiver.fates[name] += fates

    @rule(seconds=st.floats(0, 120))
    def live(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    @rule()
    def kill(self) -> None:
        self.stop(within=0)
        self.start()

    @rule(within=st.floats(0, 30))
    def end_in_order(self, within: float) -> None:
        self.stop(within)
        self.start()

    @rule()
    def break_store(self) -> None:
        self.outbox.broken = StoreError("the disk is full")

    @rule()
    def repair_store(self) -> None:
        self.outbox.broken = None

    @rule(seconds=st.sampled_from([-31_536_000, -3600, 3600, 31_536_000]))
    def set_clock(self, seconds: int) -> None:
        self.clock.start += seconds

    @invariant()
    def in_order(self) -> None:
        if not self.outbox.dead:  # what is given up comes late, when it is replayed
            for name, expected in self.expected.items():
                assert self.got(name) == expected[: len(self.got(name))]

    def got(self, name: str) -> list[str]:
        """What the consumer has after dropping repeated ids."""
        return list(dict.fromkeys(row.message_id for row in self.receiver.taken[name]))

    def stop(self, within: float) -> None:
        if within == 0:
            self.running.cancel()
        self.loop.run_until_complete(self.dispatcher.drain(within))
        self.loop.run_until_complete(asyncio.gather(self.running, return_exceptions=True))

    def teardown(self) -> None:
        self.outbox.broken = None
        self.receiver.fates.clear()
        gaps = self.outbox.replay(self.clock.wall_ns() / 1e9, rows=None, contract=None)
        patience = LONGEST_WAIT + 100.0 * (1 + sum(map(len, self.expected.values())))
        self.loop.run_until_complete(asyncio.sleep(patience))
        self.stop(within=0)
        self.loop.close()
        in_this_order = sorted if gaps else list
        for name, expected in self.expected.items():
            assert in_this_order(self.got(name)) == in_this_order(expected)
        assert not self.outbox.waiting_rows


TestPromise = Promise.TestCase
TestPromise.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@pytest.mark.soak
def test_the_promise_at_length() -> None:
    run_state_machine_as_test(Promise, settings=settings(max_examples=2000, stateful_step_count=80, deadline=None))
