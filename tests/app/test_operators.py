"""The operators are told of keeptime itself: durably, once an hour, also when the store failed meanwhile."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keeptime.app.operators import Operators
from keeptime.errors import DeliveryError, StoreUnavailable
from keeptime.model.alert import Address, Aside, Topic
from keeptime.model.change import Change
from keeptime.model.key import ObjectiveKey
from keeptime.store.sqlite import SqliteStore
from keeptime.tell.dispatch import Dispatcher
from keeptime.testing.outbox import in_place
from keeptime.testing.receiver import FakeReceiver
from keeptime.testing.virtual import VirtualClock, VirtualLoop
from tests.store.given import message, opened
from tests.tell.given import NOW, contract

HOOK = Address("checkout", "webhook", "env:HOOK")
PAGER, LOG = Address("operators", "pagerduty", "env:KEY"), Address("operators", "log", "")
TERMS = contract(HOOK, operators=[PAGER, LOG])
OTHER = contract(HOOK, name="without-operators")


class Scene:
    """A real store, and time that jumps. `full`: the disk is."""

    def __init__(self, store: SqliteStore) -> None:
        self.store, self.full, self.woken = store, False, 0
        self.loop = VirtualLoop()
        self.clock = VirtualClock(self.loop, NOW)
        self.operators = Operators(store, self.in_store, self.clock, lambda: (TERMS, OTHER), self.wake)

    async def in_store(self, call: Callable[..., object], *args: object, **kwargs: object) -> object:
        if self.full:
            raise StoreUnavailable("the disk is full")
        return call(*args, **kwargs)

    def wake(self) -> None:
        self.woken += 1

    def tell(self, code: str, contract: str | None = None, subject: str = "") -> None:
        self.loop.run_until_complete(self.operators.tell(code, "It is so.", contract, subject))

    def waiting(self) -> list[tuple[str, str, int]]:
        return [(each.contract, each.address.kind, each.count) for each in self.store.waiting()]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with opened(tmp_path) as store:
        made = Scene(store)
        yield made
        made.loop.close()


def test_every_receiver_of_the_operators_is_told_and_no_consumer(scene: Scene) -> None:
    scene.tell("clock")
    assert scene.waiting() == [(TERMS.name, "pagerduty", 1), (TERMS.name, "log", 1)]
    assert scene.store.heads(NOW)[0].topic is Aside.SERVICE
    assert scene.store.letters(dead=False, most=9)[0].objective == "(keeptime)"
    assert scene.woken == 1


def test_once_an_hour_for_each_code_and_subject(scene: Scene) -> None:
    for subject in ("a", "a", "b"):
        scene.tell("clock", subject=subject)
    scene.tell("store")
    assert scene.waiting()[0][2] == 3
    scene.operators._said.clear()  # as after a restart
    scene.tell("store")
    assert scene.waiting()[0][2] == 3
    scene.clock.start += 3600
    scene.tell("store")
    assert scene.waiting()[0][2] == 4


def test_one_contract_alone(scene: Scene) -> None:
    scene.tell("probe_failed", contract="without-operators")
    assert scene.waiting() == []
    scene.tell("probe_failed", contract=TERMS.name)
    assert len(scene.waiting()) == 2


def test_what_the_store_could_not_take_is_told_when_it_can(scene: Scene) -> None:
    scene.full = True
    scene.tell("store")
    assert (scene.waiting(), scene.woken) == ([], 0)
    scene.full = False
    scene.loop.run_until_complete(scene.operators.catch_up())
    assert len(scene.waiting()) == 2
    assert scene.woken == 1


class Gone(FakeReceiver):
    async def send(self, delivery: object, now: float) -> str:
        raise DeliveryError("it answered 410 Gone", gone=True)


def test_a_dead_letter_tells_them_in_the_same_step_and_breeds_no_other(scene: Scene) -> None:
    scene.store.commit(Change(NOW, messages=(message("m1", ObjectiveKey(TERMS.name, "p99"), HOOK),)))
    dispatcher = Dispatcher(scene.store, Gone(), scene.clock, in_place, on_given_up=scene.operators.of_dead_letter)
    running = scene.loop.create_task(dispatcher.run())
    scene.loop.run_until_complete(asyncio.sleep(100.0))
    running.cancel()
    scene.loop.run_until_complete(dispatcher.drain(0))
    dead = scene.store.letters(dead=True, most=9)
    assert [(each.topic, each.address.kind) for each in dead] == [
        (Topic.BROKEN, "webhook"),
        (Aside.SERVICE, "pagerduty"),
        (Aside.SERVICE, "log"),
    ]
    assert scene.store.transitions(TERMS.name, 9)[0].topic is Aside.SERVICE
    assert b"Message m1 (broken) for checkout by webhook was given up" in (
        scene.store.transitions(TERMS.name, 1)[0].body
    )
