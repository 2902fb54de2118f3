"""The dispatcher on time that jumps: when it tries, whom it delays, how it ends."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import pytest

from keeptime.errors import StoreError
from keeptime.model.alert import Address, Delivery, Topic
from keeptime.tell.dispatch import Dispatcher
from keeptime.tell.lanes import WIDTH
from keeptime.tell.retry import JITTER
from keeptime.testing.outbox import FakeOutbox, in_place
from keeptime.testing.receiver import FakeReceiver, Fate
from keeptime.testing.virtual import VirtualClock, VirtualLoop
from tests.tell.given import BROKEN, NO_DATA, NOW, OK, PAGE, Case, contract, tell_of

HOOK = Address("checkout", "webhook", "env:HOOK")
SLOW = Address("slow", "webhook", "env:SLOW")


class Scene:
    """A dispatcher, what is around it, and time."""

    def __init__(self, receiver: FakeReceiver) -> None:
        self.loop = VirtualLoop()
        self.clock = VirtualClock(self.loop, NOW)
        self.outbox = FakeOutbox()
        self.receiver = receiver
        self.may_send = True
        self.start()

    def start(self) -> None:
        self.dispatcher = Dispatcher(
            self.outbox,
            self.receiver,
            self.clock,
            in_place,
            still_told=lambda row: row.contract != "gone",
            may_send=lambda: self.may_send,
        )
        self.running = self.loop.create_task(self.dispatcher.run())

    def tell(self, *addresses: Address, name: str = "sentiment-latency", cases: Sequence[Case] = (PAGE,)) -> None:
        for message in tell_of(contract(operators=addresses, name=name), cases):
            self.outbox.put(message, self.now)
        self.dispatcher.wake()

    def live(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    def drain(self, within: float) -> bool:
        return self.loop.run_until_complete(self.dispatcher.drain(within))

    @property
    def now(self) -> float:
        return self.clock.wall_ns() / 1e9

    def close(self) -> None:
        self.running.cancel()
        self.loop.run_until_complete(asyncio.gather(self.running, return_exceptions=True))
        self.drain(0)
        self.loop.close()


Scenes = Callable[[FakeReceiver], Scene]


@pytest.fixture
def scenes() -> Iterator[Scenes]:
    """Makes scenes, and ends them after the test."""
    made: list[Scene] = []

    def make(receiver: FakeReceiver) -> Scene:
        made.append(Scene(receiver))
        return made[-1]

    yield make
    for scene in made:
        scene.close()


@pytest.fixture
def scene(scenes: Scenes) -> Scene:
    return scenes(FakeReceiver())


def test_a_message_goes_out_as_soon_as_it_is_committed(scene: Scene) -> None:
    scene.live(7.0)
    scene.tell(HOOK)
    scene.live(0)
    scene.live(0)
    (outcome,) = scene.outbox.outcomes
    assert outcome[1:] == (NOW + 7.0, "200")


def test_what_nobody_announced_is_found_within_a_minute(scene: Scene) -> None:
    scene.live(1.0)
    scene.tell(HOOK)
    scene.dispatcher._woken.clear()
    scene.live(61.0)
    assert len(scene.outbox.done) == 1


def test_tries_come_after_0_1_5_15_30_and_then_each_60_seconds(scene: Scene) -> None:
    scene.receiver.fates[HOOK.id] = [Fate.REFUSED] * 8
    scene.tell(HOOK)
    scene.live(600.0)
    at = [outcome[1] for outcome in scene.outbox.outcomes]
    waits = [after - before for before, after in pairwise(at)]
    assert at[0] == NOW
    for wait, base in zip(waits, [1, 5, 15, 30, 60, 60, 60, 60], strict=True):
        assert base <= wait <= base * (1 + JITTER) + 1e-6


def test_order_is_kept_behind_a_message_that_fails(scene: Scene) -> None:
    scene.receiver.fates[HOOK.id] = [Fate.REFUSED, Fate.HUNG, Fate.TAKEN, Fate.ANSWER_LOST]
    scene.tell(HOOK, cases=[PAGE, BROKEN, NO_DATA, OK])
    scene.live(100.0)
    topics = list(dict.fromkeys(row.topic for row in scene.receiver.taken[HOOK.id]))
    assert topics == [Topic.AT_RISK, Topic.BROKEN, Topic.NO_DATA, Topic.RECOVERED]
    assert len(scene.receiver.taken[HOOK.id]) == 5


def test_who_hangs_delays_no_other(scene: Scene) -> None:
    scene.receiver.fates[SLOW.id] = [Fate.HUNG] * 100
    for name in ("first", "second", "third", "fourth", "fifth", "sixth"):
        scene.tell(SLOW, HOOK, name=name)
    scene.live(0.001)
    assert len(scene.receiver.taken[HOOK.id]) == 6
    assert scene.receiver.taken[SLOW.id] == []


def test_contracts_do_not_wait_for_each_other_at_one_address(scene: Scene) -> None:
    scene.receiver.fates[HOOK.id] = [Fate.HUNG]
    scene.tell(HOOK, name="first")
    scene.tell(HOOK, name="second")
    scene.live(1.0)
    assert [row.contract for row in scene.receiver.taken[HOOK.id]] == ["second"]


def test_killed_between_answer_and_mark_it_is_sent_again_as_it_was(scene: Scene) -> None:
    scene.receiver.fates[HOOK.id] = [Fate.TAKEN_SLOWLY]
    scene.tell(HOOK)
    scene.live(scene.receiver.timeout / 2)
    sent = scene.receiver.taken[HOOK.id]
    assert len(sent) == 1
    scene.running.cancel()
    scene.drain(0)
    assert scene.outbox.outcomes == []
    scene.start()
    scene.live(1.0)
    assert len(sent) == 2
    assert (sent[0].message_id, sent[0].body) == (sent[1].message_id, sent[1].body)
    assert not scene.outbox.waiting_rows


def test_a_mark_that_cannot_be_stored_is_not_sent_over_and_over(scene: Scene) -> None:
    scene.receiver.fates[HOOK.id] = [Fate.TAKEN_SLOWLY]
    scene.tell(HOOK)
    scene.live(1.0)
    scene.outbox.broken = StoreError("the disk is full")
    scene.live(300.0)
    assert "disk is full" in scene.dispatcher.problem
    scene.outbox.broken = None
    scene.live(61.0)
    assert len(scene.receiver.taken[HOOK.id]) == 1
    assert not scene.outbox.waiting_rows
    assert scene.dispatcher.problem == ""


def test_a_failure_that_cannot_be_stored_does_not_end_the_tries(scene: Scene) -> None:
    scene.receiver.fates[HOOK.id] = [Fate.HUNG, Fate.REFUSED, Fate.REFUSED]
    scene.tell(HOOK, cases=[PAGE, BROKEN])
    scene.live(1.0)
    scene.outbox.broken = StoreError("the disk is full")
    scene.live(60.0)  # after tries at 0, 1, 5 and 15 s
    assert [each.row for each in scene.receiver.taken[HOOK.id]] == [1], "it was taken once, and nothing overtook it"
    scene.outbox.broken = None
    scene.live(61.0)
    assert [each.row for each in scene.receiver.taken[HOOK.id]] == [1, 2]
    assert not scene.outbox.waiting_rows


def test_at_the_end_what_is_due_is_sent(scene: Scene) -> None:
    scene.tell(HOOK, cases=[PAGE, BROKEN, OK])
    assert scene.drain(5.0)
    assert len(scene.outbox.done) == 3
    assert scene.running.done()


def test_at_the_end_a_try_that_is_due_in_time_is_waited_for(scene: Scene) -> None:
    scene.receiver.fates[HOOK.id] = [Fate.REFUSED, Fate.REFUSED]
    scene.tell(HOOK)
    assert scene.drain(8.0)
    assert len(scene.outbox.done) == 1


def test_at_the_end_who_hangs_is_left_and_nothing_is_lost(scene: Scene) -> None:
    scene.receiver.fates[SLOW.id] = [Fate.HUNG]
    scene.tell(SLOW, HOOK)
    began = scene.now
    assert not scene.drain(2.0)
    assert scene.now - began == pytest.approx(2.0, abs=0.01)
    assert [row.address for row in scene.outbox.done] == [HOOK]
    scene.start()
    scene.live(1.0)
    assert len(scene.outbox.done) == 2


def test_an_empty_outbox_ends_at_once_however_long_the_deadline(scene: Scene) -> None:
    scene.live(1.0)
    assert scene.drain(3600.0)
    assert scene.now == pytest.approx(NOW + 1.0, abs=0.01)


def test_a_receiver_with_a_bug_is_a_delivery_that_failed(scenes: Scenes, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeReceiver):
        async def send(self, delivery: Delivery, now: float) -> str:
            raise ZeroDivisionError("canary")

    scene = scenes(Broken())
    scene.tell(HOOK)
    scene.live(0.5)
    assert scene.outbox.outcomes[0][2].startswith("a bug of keeptime: ZeroDivisionError in send (test_dispatch.py:")
    assert "canary" not in caplog.text
    assert not scene.running.done()


def test_counters_say_what_happened(scene: Scene) -> None:
    scene.receiver.fates[HOOK.id] = [Fate.REFUSED, Fate.REFUSED]
    scene.tell(HOOK)
    scene.live(3.0)
    counters = scene.dispatcher.counters["sentiment-latency", HOOK.id]
    assert (counters.attempts, counters.failed, counters.delivered, counters.last_error) == (2, 2, 0, "refused")
    scene.live(20.0)
    assert (counters.attempts, counters.failed, counters.delivered, counters.last_error) == (3, 2, 1, "")
    assert 6.0 <= counters.seconds.total <= 7.3


class Forgetful(FakeReceiver):
    """Must be told again every 30 s; writes down what it was told, and when."""

    refresh_every = 30.0

    def __init__(self) -> None:
        super().__init__(kinds=("webhook",))
        self.refreshed: list[list[tuple[str, Topic]]] = []

    async def refresh(self, latest: Sequence[Delivery], now: float) -> None:
        self.refreshed.append([(row.contract, row.topic) for row in latest])


def test_what_was_taken_last_is_repeated_also_after_a_kill(scenes: Scenes) -> None:
    receiver = Forgetful()
    scene = scenes(receiver)
    scene.tell(HOOK, cases=[PAGE, BROKEN])
    scene.live(95.0)
    assert receiver.refreshed[-3:] == [[("sentiment-latency", Topic.BROKEN)]] * 3
    count = len(receiver.refreshed)
    assert count in (3, 4)
    scene.running.cancel()
    scene.drain(0)
    scene.start()
    scene.live(1.0)
    assert len(receiver.refreshed) == count + 1


def test_nothing_is_repeated_while_a_newer_message_waits(scenes: Scenes) -> None:
    receiver = Forgetful()
    scene = scenes(receiver)
    scene.tell(HOOK, cases=[PAGE])
    scene.live(1.0)
    receiver.refreshed.clear()
    receiver.fates[HOOK.id] = [Fate.REFUSED] * 100
    for message in tell_of(contract(operators=[HOOK]), [PAGE, OK])[1:]:
        scene.outbox.put(message, scene.now)
    scene.dispatcher.wake()
    scene.live(120.0)
    assert [rows for rows in receiver.refreshed if rows] == []


def test_an_alert_that_is_in_no_contract_any_more_is_not_repeated(scenes: Scenes) -> None:
    receiver = Forgetful()
    scene = scenes(receiver)
    scene.tell(HOOK, name="gone")
    scene.live(95.0)
    assert receiver.refreshed == []


def test_a_kind_that_refreshes_has_one_thing_under_way_for_an_address(scenes: Scenes) -> None:
    receiver = Forgetful()
    scene = scenes(receiver)
    receiver.fates[HOOK.id] = [Fate.HUNG]
    scene.tell(HOOK, name="first")
    scene.tell(HOOK, name="second")
    scene.live(9.0)
    assert receiver.taken[HOOK.id] == []
    scene.live(3.0)
    assert len(receiver.taken[HOOK.id]) == 2


def test_without_the_right_to_send_nothing_is_sent_and_nothing_changes(scenes: Scenes) -> None:
    scene = scenes(FakeReceiver())
    scene.may_send = False
    scene.tell(HOOK)
    scene.live(100)
    assert not scene.receiver.taken[HOOK.id]
    assert [row.attempts for row in scene.outbox.heads(scene.now)] == [0]
    scene.may_send = True
    scene.live(2)
    assert len(scene.receiver.taken[HOOK.id]) == 1


def test_the_right_to_send_is_asked_for_right_before_each_message(scenes: Scenes) -> None:
    """What waits in its lane while the right is lost is not sent, and is sent once it is back."""
    scene = scenes(FakeReceiver())
    scene.receiver.fates[HOOK.id] = [Fate.TAKEN_SLOWLY] * WIDTH
    for number in range(WIDTH + 1):
        scene.tell(HOOK, name=f"contract-{number}")
    scene.live(1)
    scene.may_send = False
    scene.live(60)
    assert len(scene.receiver.taken[HOOK.id]) == WIDTH
    scene.may_send = True
    scene.live(2)
    assert len(scene.receiver.taken[HOOK.id]) == WIDTH + 1


def test_without_the_right_to_send_it_ends_at_once(scenes: Scenes) -> None:
    scene = scenes(FakeReceiver())
    scene.may_send = False
    scene.tell(HOOK)
    began = scene.now
    assert scene.drain(within=60)
    assert scene.now - began < 5
    assert not scene.receiver.taken[HOOK.id]
