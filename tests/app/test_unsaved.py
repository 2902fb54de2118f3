"""A store that takes nothing: everyone is told all the same, operators of the trouble too; then all is as ever."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from keeptime.app.operators import Operators
from keeptime.app.queues import Queues
from keeptime.app.unsaved import Unsaved, nothing_older
from keeptime.errors import StoreUnavailable
from keeptime.model.alert import Address, Message
from keeptime.model.change import Change
from keeptime.store.stored import Stored
from keeptime.tell.unstored import PATIENCE, Unstored
from keeptime.testing.receiver import FakeReceiver
from keeptime.testing.virtual import VirtualClock, VirtualLoop
from tests.store.given import opened
from tests.tell.given import NOW, OK, PAGE, contract, tell_of

HOOK, LOG = Address("checkout", "webhook", "env:HOOK"), Address("operators", "log", "")
TERMS = contract(HOOK, operators=[LOG])
FULL = "2 ticks wait for the store: the disk is full"


class Scene:
    """Real store and parts, a disk that is full, and time that jumps."""

    def __init__(self, store: Stored) -> None:
        self.store, self.full = store, True
        self.loop, self.receiver = VirtualLoop(), FakeReceiver()
        clock = VirtualClock(self.loop, NOW)
        operators = Operators(store, self.in_store, clock, lambda: (TERMS,), lambda: None)
        self.queues, self.unmarked = Queues(store, self.in_store), set[tuple[str, str]]()
        older = nothing_older(self.queues, lambda: frozenset(self.unmarked))
        self.muted: set[Address] = set()
        self.unsaved = Unsaved(Unstored(self.receiver, clock, older), operators, clock, self.audible)

    async def in_store(self, call: Callable[..., object], *args: object, **kwargs: object) -> object:
        if self.full:
            raise StoreUnavailable("the disk is full")
        return call(*args, **kwargs)

    def audible(self, message: Message) -> Message:
        return replace(message, addresses=tuple(each for each in message.addresses if each not in self.muted))

    def live(self, seconds: float, waiting: Sequence[Message]) -> None:
        async def looking() -> None:
            for _ in range(round(seconds * 2)):
                await self.unsaved.see(FULL if self.full else "", waiting if self.full else ())
                await asyncio.sleep(0.5)

        self.loop.run_until_complete(looking())

    def taken(self, address: Address) -> list[str]:
        return [str(each.topic) for each in self.receiver.taken[address.id]]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with opened(tmp_path) as store:
        made = Scene(store)
        yield made
        made.loop.close()


def test_the_decision_is_told_and_the_operators_hear_of_the_store_once(scene: Scene) -> None:
    decided = tell_of(TERMS, (PAGE,))
    scene.live(PATIENCE - 0.5, decided)
    assert (scene.taken(HOOK), scene.taken(LOG)) == ([], [])
    scene.live(60, decided)
    assert scene.taken(HOOK) == ["at_risk"]
    assert scene.taken(LOG) == ["at_risk", "service"]
    assert scene.unsaved.problem == FULL
    scene.full = False
    scene.live(1, ())
    assert scene.unsaved.problem == ""
    assert [(each.contract, each.count) for each in scene.store.waiting()] == [(TERMS.name, 1)], "stored at last"
    assert scene.taken(LOG) == ["at_risk", "service"], "and the outbox sends it again, with its id"


def test_what_is_stored_and_waits_goes_first_but_for_what_only_lacks_its_mark(scene: Scene) -> None:
    first, second = tell_of(TERMS, (PAGE,)), tell_of(contract(HOOK), (PAGE,))
    scene.store.commit(Change(NOW, messages=tuple(first)))
    scene.queues.waiting = scene.store.waiting()
    scene.live(60, second)
    assert scene.taken(HOOK) == []
    scene.unmarked.add((TERMS.name, HOOK.id))
    scene.live(1, second)
    assert scene.taken(HOOK) == ["at_risk"]


def test_whom_a_silence_mutes_hears_nothing_without_the_store_either(scene: Scene) -> None:
    scene.muted = {LOG}
    scene.live(60, tell_of(TERMS, (PAGE,)))
    assert (scene.taken(HOOK), scene.taken(LOG)) == (["at_risk"], [])


def test_what_ended_without_the_store_is_known_to_be_over(scene: Scene) -> None:
    began, ended = tell_of(TERMS, (PAGE, OK))
    scene.store.commit(Change(NOW, messages=(began,)))
    (head,) = [each for each in scene.store.heads(NOW) if each.address == HOOK]
    scene.live(1, ())
    assert not scene.unsaved.is_over(head)
    scene.live(1, (ended,))
    assert scene.unsaved.is_over(head)
    (anew,) = tell_of(TERMS, (PAGE,))
    scene.live(1, (ended, anew))
    assert not scene.unsaved.is_over(head), "another one began"
    scene.full = False
    scene.live(1, ())
    assert not scene.unsaved.is_over(head)
