"""What the store cannot take is told from memory, on time that jumps: when, to whom, in which order, how often."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from keeptime.model.alert import Address, Delivery, Message
from keeptime.tell.unstored import PATIENCE, Unstored
from keeptime.testing.receiver import FakeReceiver, Fate
from keeptime.testing.virtual import VirtualClock, VirtualLoop
from tests.tell.given import BROKEN, NOW, PAGE, contract, tell_of

HOOK = Address("checkout", "webhook", "env:HOOK")
OTHER = Address("billing", "webhook", "env:OTHER")
LOOK = 0.5


class Waiting:
    """Messages that the store does not take, offered at every look."""

    def __init__(self, *addresses: Address) -> None:
        self.loop = VirtualLoop()
        self.receiver = FakeReceiver()
        self.held: set[str] = set()
        self.messages: Sequence[Message] = tell_of(contract(operators=addresses), (PAGE, BROKEN))
        clock = VirtualClock(self.loop, NOW)
        self.unstored = Unstored(self.receiver, clock, lambda _, address: address.id not in self.held)

    def live(self, seconds: float) -> None:
        async def looking() -> None:
            for _ in range(round(seconds / LOOK)):
                self.unstored.offer(self.messages)
                await asyncio.sleep(LOOK)

        self.run(looking())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def taken(self, address: Address) -> list[str]:
        return [each.message_id for each in self.receiver.taken[address.id]]

    def ids(self) -> list[str]:
        return [each.id for each in self.messages]


def test_nobody_is_told_before_the_store_was_given_its_time_and_then_once_in_order() -> None:
    one = Waiting(HOOK, OTHER)
    one.live(PATIENCE - LOOK)
    assert one.taken(HOOK) == []
    one.live(60)
    assert one.taken(HOOK) == one.taken(OTHER) == one.ids()


def test_one_who_fails_is_tried_again_later_holds_back_nobody_and_is_told_in_order() -> None:
    one = Waiting(HOOK, OTHER)
    one.receiver.fates[HOOK.id] = [Fate.REFUSED, Fate.HUNG, Fate.REFUSED]
    one.live(PATIENCE + 2)
    assert (one.taken(HOOK), one.taken(OTHER)) == ([], one.ids())
    one.live(120)
    assert one.taken(HOOK) == one.ids()


def test_what_is_stored_and_waits_for_the_same_receiver_comes_first() -> None:
    one = Waiting(HOOK, OTHER)
    one.held = {HOOK.id}
    one.live(60)
    assert (one.taken(HOOK), one.taken(OTHER)) == ([], one.ids())
    one.held = set()
    one.live(5)
    assert one.taken(HOOK) == one.ids()


def test_once_the_store_works_nothing_more_is_sent_from_memory_and_a_later_trouble_begins_anew() -> None:
    one = Waiting(HOOK)
    one.receiver.fates[HOOK.id] = [Fate.REFUSED]
    one.live(PATIENCE + 0.5)
    first, one.messages = one.messages, ()
    one.live(300)
    assert one.taken(HOOK) == []
    one.messages = first
    one.live(PATIENCE - LOOK)
    assert one.taken(HOOK) == []
    one.live(5)
    assert one.taken(HOOK) == one.ids()


def test_at_the_end_all_is_told_at_once_as_far_as_it_can_be() -> None:
    one = Waiting(HOOK, OTHER)
    assert one.run(one.unstored.drain(one.messages, 5.0))
    assert one.taken(HOOK) == one.taken(OTHER) == one.ids()
    assert one.run(one.unstored.drain((), 5.0))
    late = Waiting(HOOK, OTHER)
    late.receiver.fates[HOOK.id] = [Fate.HUNG]
    assert not late.run(late.unstored.drain(late.messages, 5.0))
    assert (late.taken(HOOK), late.taken(OTHER)) == ([], late.ids())


class Stamped(FakeReceiver):
    """Notes by which time each message is signed."""

    async def send(self, delivery: Delivery, now: float) -> str:
        self.timeout = now
        return await FakeReceiver.send(self, delivery, now)


def test_receivers_compare_the_machines_own_time_not_that_which_is_judged_by() -> None:
    one = Waiting(HOOK)
    receiver = Stamped()
    clock, machine = VirtualClock(one.loop, NOW), VirtualClock(one.loop, NOW + 3600)
    one.unstored = Unstored(receiver, clock, stamps=machine)
    one.live(PATIENCE + 2)
    assert 3600 <= receiver.timeout - NOW < 3600 + PATIENCE + 2
