"""The delivery promise as a machine: whatever happens, the consumer has every transition, in order, by its id, or
knows for certain how many it lacks.
"""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from keeptime.consumer import Inbox, Received, Verifier
from keeptime.errors import StoreError
from keeptime.model.alert import Address, AlertRow, Delivery
from keeptime.tell.announce import announce
from keeptime.tell.dispatch import PAUSE, Dispatcher
from keeptime.tell.retry import LONGEST_WAIT
from keeptime.testing.outbox import FakeOutbox, in_place
from keeptime.testing.receiver import FakeReceiver, Fate
from keeptime.testing.virtual import VirtualClock, VirtualLoop
from tests.tell.given import BROKEN, NO_DATA, NOW, OBJECTIVE, OK, PAGE, TICKET, Case, contract, verdict

HOOK = Address("checkout", "webhook", "env:HOOK")
PAGER = Address("operators", "webhook", "env:PAGER")
TERMS = contract(HOOK, operators=[PAGER])
CASES = (OK, TICKET, PAGE, BROKEN, NO_DATA)


class Promise(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualLoop()
        self.clock = VirtualClock(self.loop, NOW)
        self.outbox = FakeOutbox()
        self.receiver = FakeReceiver()
        self.row: AlertRow | None = None
        self.tick = int(NOW / 10)
        self.replayed = 0
        self.expected: dict[str, list[str]] = {HOOK.id: [], PAGER.id: []}
        self.start()

    def start(self) -> None:
        self.dispatcher = Dispatcher(self.outbox, self.receiver, self.clock, in_place)
        self.running = self.loop.create_task(self.dispatcher.run())

    @rule(case=st.sampled_from(CASES))
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

    @rule(name=st.sampled_from([HOOK.id, PAGER.id]), cases=st.lists(st.sampled_from(CASES), min_size=1, max_size=3))
    def lose(self, name: str, cases: list[Case]) -> None:
        """The receiver says that it is gone; then it is back."""
        self.receiver.fates[name].insert(0, Fate.GONE)
        for case in cases:
            self.judge(case)
        self.live(1.0)

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

    @rule()
    def replay(self) -> None:
        if self.outbox.broken is None:
            self.replayed += self.outbox.replay(self.clock.wall_ns() / 1e9, rows=None, contract=None)
            self.dispatcher.wake()

    @invariant()
    def in_order(self) -> None:
        if not self.outbox.dead and not self.replayed:  # what is given up comes late, when it is replayed
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
        self.live(2 * PAUSE)  # what was given up meanwhile is a dead letter only now
        for name in self.expected:
            check_gaps(self.receiver.taken[name])
        self.replay()
        patience = LONGEST_WAIT + 100.0 * (1 + sum(map(len, self.expected.values())))
        self.loop.run_until_complete(asyncio.sleep(patience))
        self.stop(within=0)
        self.loop.close()
        in_this_order = sorted if self.replayed else list
        for name, expected in self.expected.items():
            assert in_this_order(self.got(name)) == in_this_order(expected)
            check_gaps(self.receiver.taken[name])
        assert not self.outbox.waiting_rows


def check_gaps(taken: Sequence[Delivery]) -> None:
    """The consumer's inbox, given what came in that order, tells of each gap when it opens, and of no other."""
    got: list[Received] = []
    inbox = Inbox(Verifier([], unsigned=True), got.append)
    ids: set[str] = set()
    last = 0
    for row in taken:
        assert row.numbers is not None
        headers = {"webhook-id": row.message_id, "webhook-timestamp": str(int(NOW))}
        answer = inbox.take(headers, row.body, NOW)
        assert (answer.received is None) == (row.message_id in ids)
        number = row.numbers.sequence
        if answer.received is not None:
            opened = max(0, number - last - 1) if last else 0
            gap = answer.received.gap
            declared = len(set(row.numbers.missing_ids) - ids)
            named = declared + row.numbers.missing - len(row.numbers.missing_ids)
            assert (0 if gap is None else gap.missing) == (opened or named)
            assert bool(answer.received.remark) == (number < last)
        ids.add(row.message_id)
        last = max(last, number)


TestPromise = Promise.TestCase
TestPromise.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


@pytest.mark.soak
def test_the_promise_at_length() -> None:
    run_state_machine_as_test(Promise, settings=settings(max_examples=2000, stateful_step_count=80, deadline=None))
