"""Receivers that take nothing, through the real dispatcher on time that jumps: the whole schedule, no sockets."""

import logging
from collections import defaultdict

import pytest

from keeptime.errors import DeliveryError
from keeptime.model.alert import Delivery, Topic
from keeptime.tell.message import numbered
from keeptime.tell.retry import PATIENCE
from keeptime.testing.receiver import FakeReceiver, Fate
from tests.tell.given import BROKEN, NO_DATA, OK, PAGE
from tests.tell.test_dispatch import HOOK, SLOW, Scenes, scenes  # noqa: F401 - a fixture

HOUR = 3600.0


class Choosy(FakeReceiver):
    """Refuses by topic, at some addresses. `errors`: what these topics meet; "" in `only`: everywhere."""

    def __init__(self, *topics: Topic, code: str = "it answered 400", gone: bool = False, only: str = "") -> None:
        super().__init__()
        self.topics = set(topics)
        self.code, self.gone, self.only = code, gone, only
        self.asked: defaultdict[str, list[Topic]] = defaultdict(list)

    async def send(self, delivery: Delivery, now: float) -> str:
        self.asked[delivery.address.id].append(delivery.topic)
        if delivery.topic in self.topics and self.only in ("", delivery.address.id):
            raise DeliveryError(self.code, gone=self.gone)
        return await super().send(delivery, now)


def topics(receiver: FakeReceiver, name: str = HOOK.id) -> list[Topic]:
    return [row.topic for row in receiver.taken[name]]


def test_each_5_minute_outage_with_a_breach_inside_ends_with_both_told(scenes: Scenes) -> None:  # noqa: F811
    for fate in (Fate.REFUSED, Fate.HUNG, Fate.ANSWER_LOST):
        scene = scenes(FakeReceiver())
        scene.receiver.fates[HOOK.id] = [fate] * 9
        scene.tell(HOOK, cases=[PAGE, OK])
        scene.live(900.0)
        assert list(dict.fromkeys(topics(scene.receiver))) == [Topic.AT_RISK, Topic.RECOVERED]
        assert not scene.outbox.dead


def test_a_410_parks_all_at_once_and_says_so(
    scenes: Scenes,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = scenes(Choosy(*Topic, code="it answered 410 Gone", gone=True, only=HOOK.id))
    with caplog.at_level(logging.ERROR):
        scene.tell(HOOK, SLOW, cases=[PAGE, BROKEN, OK])
        scene.live(1.0)
    assert [row.topic for row, *_ in scene.outbox.dead] == [Topic.AT_RISK, Topic.BROKEN, Topic.RECOVERED]
    assert not scene.outbox.waiting_rows
    assert topics(scene.receiver, SLOW.id) == [Topic.AT_RISK, Topic.BROKEN, Topic.RECOVERED]
    assert "for checkout by webhook is a dead letter, and all that waited behind it" in caplog.text
    assert "env:HOOK" not in caplog.text


def test_a_channel_that_was_dead_is_never_off(scenes: Scenes) -> None:  # noqa: F811
    receiver = Choosy(*Topic, code="it answered 410 Gone", gone=True)
    scene = scenes(receiver)
    scene.tell(HOOK, cases=[PAGE])
    scene.live(1.0)
    receiver.topics = set()
    scene.tell(HOOK, name="another")
    scene.live(1.0)
    assert topics(receiver) == [Topic.AT_RISK]
    assert len(scene.outbox.dead) == 1


def test_who_hangs_for_days_delays_no_other(scenes: Scenes) -> None:  # noqa: F811
    scene = scenes(FakeReceiver())
    scene.receiver.fates[SLOW.id] = [Fate.HUNG] * 10_000
    for name in ("first", "second"):
        scene.tell(SLOW, HOOK, name=name)
    scene.live(2 * HOUR)
    scene.tell(SLOW, HOOK, name="third")
    began = scene.now
    while len(scene.receiver.taken[HOOK.id]) < 3:
        scene.live(0.001)
    assert scene.now - began < 0.1


def test_down_for_72_hours_is_a_dead_letter_and_replay_works(
    scenes: Scenes,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    receiver = Choosy(*Topic, code="no connection: Connection refused")
    scene = scenes(receiver)
    with caplog.at_level(logging.ERROR):
        scene.tell(HOOK, cases=[PAGE, OK])
        scene.live(PATIENCE - 1)
        assert not scene.outbox.dead
        scene.live(HOUR)
    assert [each.count for each in scene.outbox.dead_letters()] == [2]
    reason = scene.outbox.letters(dead=True, most=9)[0].error
    assert reason.startswith("not taken in 72 h and ")
    assert reason.endswith(" tries; the last time: no connection: Connection refused")
    assert caplog.text.count("is a dead letter") == 2
    receiver.topics = set()
    before = [(row.message_id, numbered(row)) for row, *_ in scene.outbox.dead]
    assert scene.outbox.replay(scene.now, rows=None, contract=None) == 2
    scene.dispatcher.wake()
    scene.live(1.0)
    assert [(row.message_id, row.body) for row in receiver.taken[HOOK.id]] == before
    assert not scene.outbox.dead


def test_a_poison_message_is_parked_and_what_is_behind_it_goes_on(scenes: Scenes) -> None:  # noqa: F811
    receiver = Choosy(Topic.BROKEN)
    scene = scenes(receiver)
    scene.tell(HOOK, cases=[PAGE, BROKEN, NO_DATA, OK])
    scene.live(PATIENCE - 1)
    assert topics(receiver) == [Topic.AT_RISK]
    scene.live(10.0)
    assert topics(receiver) == [Topic.AT_RISK, Topic.NO_DATA, Topic.RECOVERED]
    assert [row.topic for row, *_ in scene.outbox.dead] == [Topic.BROKEN]


def test_replayed_in_vain_it_holds_up_others_for_less_than_half_an_hour(scenes: Scenes) -> None:  # noqa: F811
    receiver = Choosy(Topic.BROKEN)
    scene = scenes(receiver)
    scene.tell(HOOK, cases=[BROKEN])
    scene.live(PATIENCE + 10)
    assert scene.outbox.replay(scene.now, rows=[1], contract=None) == 1
    scene.tell(HOOK)
    scene.live(HOUR / 2)
    assert topics(receiver) == [Topic.AT_RISK]
    assert len(scene.outbox.dead) == 1


def test_a_restart_keeps_the_schedule(scenes: Scenes) -> None:  # noqa: F811
    scene = scenes(Choosy(*Topic))
    scene.tell(HOOK)
    scene.live(2 * HOUR)
    ((waiting, _),) = scene.outbox.waiting_rows
    asked = len(scene.outbox.outcomes)
    scene.running.cancel()
    scene.drain(0)
    scene.start()
    scene.live(waiting.next_try - scene.now - 0.5)
    assert len(scene.outbox.outcomes) == asked
    scene.live(1.0)
    assert len(scene.outbox.outcomes) == asked + 1
    assert scene.outbox.waiting_rows[0][0].next_try - scene.now > 299.0


def test_a_wall_clock_that_jumps_a_year_gives_up_nothing_that_was_hardly_tried(scenes: Scenes) -> None:  # noqa: F811
    scene = scenes(Choosy(*Topic))
    scene.tell(HOOK)
    scene.live(1.0)
    scene.clock.start += 365 * 24 * HOUR
    scene.live(600.0)
    assert not scene.outbox.dead
    scene.receiver.topics = set()  # type: ignore[attr-defined]
    scene.live(75.0)
    assert topics(scene.receiver) == [Topic.AT_RISK]
