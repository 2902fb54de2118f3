"""Which signs of life are given, and when: from real snapshots, with a clock and a receiver of the test's."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from keeptime.app.deadman import DeadMan
from keeptime.app.signs import beats, facts_of, pings
from keeptime.app.view import DeliveryView, PairView, SignView, Snapshot
from keeptime.contract.terms import Consumer, Contract
from keeptime.contract.urgency import Ping, Urgency
from keeptime.model.alert import Address, Aside, Delivery
from keeptime.model.numbers import Taken
from keeptime.tell.heartbeat import Anchor
from keeptime.tell.wellness import held
from keeptime.testing.receiver import FakeReceiver, Fate
from keeptime.testing.recorder import recording, status
from keeptime.testing.showable import NOW, FakeShowable, observed, sample, view
from keeptime.testing.showable import contract as plain

HOOK, MAIL = Address("checkout", "webhook", "env:HOOK"), Address("checkout", "email", "a@example.com")


def terms(name: str = "kept", heartbeat: float | None = 60.0, ping: Ping | None = None) -> Contract:
    told = Consumer("checkout", (HOOK, MAIL), frozenset(), heartbeat)
    return replace(plain(name), consumers=(told,), ping=ping)


def shown(*contracts: Contract, age: float = 1.0, waiting: Sequence[DeliveryView] = ()) -> Snapshot:
    fresh = replace(sample("kept"), done_ns=round((NOW - age) * 1e9))
    return FakeShowable(
        [view(each, last_sample=fresh) for each in contracts], deliveries=waiting, last_tick_at=NOW - 4
    ).snapshot()


def late(audience: str, seconds: float) -> DeliveryView:
    return DeliveryView("kept", audience, "webhook:env:HOOK", 0, 1, 1, seconds)


def test_heartbeats_go_to_webhooks_of_who_asked_for_them() -> None:
    assert [key.address for key in beats([terms(), terms("other", None)])] == [HOOK]


def test_contracts_that_name_one_ping_share_it() -> None:
    slow, quick, other = Ping("env:PING", 60.0), Ping("env:PING", 10.0), Ping("env:OTHER", 5.0)
    found = pings([terms("a", ping=slow), terms("b", ping=quick), terms("c", ping=other), terms("d")])
    assert [(key.contracts, every) for key, every in found.items()] == [(("a", "b"), 10.0), (("c",), 5.0)]


def test_a_probe_that_did_not_end_in_time_holds_the_sign_back() -> None:
    """Every 10 s, given up after 5: nothing for three of them and a timeout is too long."""
    assert held(facts_of(shown(terms(), age=36), ["kept"])) == ""
    assert held(facts_of(shown(terms(), age=37), ["kept"])) == "the last probe of kept ended 37 s ago"
    unseen = FakeShowable([view(terms())]).snapshot()
    assert held(facts_of(unseen, ["kept"])) == "kept was not probed yet"
    assert held(facts_of(unseen, ["another"])) == ""


def test_a_prometheus_that_cannot_be_read_holds_it_back() -> None:
    read = view(observed("kept"), source_problem="it answered 500")
    assert held(facts_of(FakeShowable([read]).snapshot(), ["kept"])) == "kept cannot be read: it answered 500"


def test_a_message_that_waits_too_long_holds_back_what_its_audience_gets() -> None:
    waiting = shown(terms(), waiting=(late("operators", 121),))
    assert held(facts_of(waiting, ["kept"])).startswith("a message has waited for 2 min 1 s")
    assert held(facts_of(waiting, ["kept"], "checkout")) == ""
    hurried = terms()
    hurried = replace(hurried, consumers=(replace(hurried.consumers[0], urgency=Urgency(5.0)),))
    assert "expected at most 5 s" in held(facts_of(shown(hurried, waiting=(late("checkout", 6),)), ["kept"]))


def test_who_stands_by_gives_none() -> None:
    waiting = PairView(leads=False, may_send=False, holder="other", url="", since=0.0, term=7)
    assert held(facts_of(replace(shown(terms()), pair=waiting), ["kept"])) == "another keeptime leads"


class Clock:
    now = NOW

    def wall_ns(self) -> int:
        return round(self.now * 1e9)

    def monotonic_ns(self) -> int:
        return self.wall_ns()


class Scene:
    """A dead man whose looks are the test's."""

    def __init__(self, contract: Contract) -> None:
        self.receiver, self.clock, self.snapshot = FakeReceiver(), Clock(), shown(contract)
        self.dead_man = DeadMan(lambda: [contract], lambda: self.snapshot, self.receiver, self.clock, self.anchor)

    async def anchor(self, contract: str, address: Address) -> Anchor:
        return Anchor(Taken("e1", 7, "m7"))

    async def look(self, at: float) -> None:
        self.clock.now = NOW + at
        self.dead_man._look(self.clock.now)
        while tasks := [each.task for each in self.dead_man._signs.values() if each.task is not None]:
            await asyncio.gather(*tasks)

    @property
    def sent(self) -> list[Delivery]:
        return self.receiver.taken[HOOK.id]

    @property
    def sign(self) -> SignView:
        (found,) = self.dead_man.views()
        return found


def test_one_in_each_slot_and_one_that_failed_is_not_tried_again() -> None:
    async def story() -> None:
        scene = Scene(terms())
        scene.receiver.fates[HOOK.id] = [Fate.TAKEN, Fate.REFUSED]
        for at in (0, 1, 59, 60, 61, 119, 120):
            await scene.look(at)
        assert len(scene.sent) == 2
        assert [each.topic for each in scene.sent] == [Aside.HEARTBEAT] * 2
        body = json.loads(scene.sent[0].body)
        assert (body["sequence"], body["last_id"], body["every_seconds"]) == (7, "m7", 60.0)
        assert (scene.sign.taken, scene.sign.failed, scene.sign.held) == (2, 1, 0)

    asyncio.run(story())


def test_what_is_held_back_is_given_as_soon_as_it_may(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        scene = Scene(terms())
        well, scene.snapshot = scene.snapshot, shown(terms(), age=99)
        for at in (0, 1, 2, 3):
            await scene.look(at)
        assert (scene.sent, scene.sign.held) == ([], 1)
        assert scene.sign.trouble == "held back: the last probe of kept ended 1 min 39 s ago"
        scene.snapshot = well
        await scene.look(4)
        assert (len(scene.sent), scene.sign.trouble) == (1, "")

    with caplog.at_level("INFO"):
        asyncio.run(story())
    assert [each.partition(":")[0] for each in caplog.messages] == [
        "heartbeat of kept for checkout held back",
        "heartbeat of kept for checkout",
    ]


def test_a_ping_is_a_get_and_its_failure_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with recording([status(200), status(500), status(500)]) as watcher:
            monkeypatch.setenv("PING", watcher.url)
            scene = Scene(terms(heartbeat=None, ping=Ping("env:PING", 10.0)))
            for at in (0, 10, 20):
                await scene.look(at)
            assert [each.method for each in watcher.requests] == ["GET"] * 3
            assert (scene.sign.taken, scene.sign.failed) == (1, 2)
            await scene.dead_man._poster.close()

    asyncio.run(story())
    assert caplog.messages == ["ping of kept failed: it answered 500 Internal Server Error; expected 2xx"]
