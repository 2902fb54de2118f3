"""Signs of life: recognised, expired, and what they say of a lost tail; composed and signed by the sender's own."""

import asyncio
import json
from dataclasses import replace
from importlib import resources

import pytest
from jsonschema import Draft202012Validator

from keeptime.consumer import Inbox, Received
from keeptime.consumer.heartbeat import read_heartbeat
from keeptime.contract.terms import Contract
from keeptime.errors import MessageRefused
from keeptime.model.alert import Address
from keeptime.model.ledger import LedgerHead
from keeptime.model.numbers import Taken
from keeptime.model.verdict import Condition
from keeptime.tell.heartbeat import Anchor, compose
from keeptime.tell.receivers.webhook import WebhookReceiver
from keeptime.testing.recorder import recording
from tests.tell.given import contract, verdict

from .given import BROKEN, NOW, PAGE, SECRET, bodies, encoded, signed

SCHEMA = json.loads(resources.files("keeptime.tell").joinpath("heartbeat.schema.json").read_text("utf-8"))
HOOK = Address("checkout", "webhook", "env:HOOK")


def terms(every: float = 60.0) -> Contract:
    whole = contract(HOOK)
    return replace(whole, consumers=(replace(whole.consumers[0], heartbeat=every),))


def beat(now: float = NOW, anchor: Anchor = Anchor()) -> bytes:  # noqa: B008
    whole = terms()
    return compose(whole, whole.consumers[0], HOOK, [verdict(BROKEN)], anchor, now).body


def give(inbox: Inbox, body: bytes, now: float = NOW) -> str:
    name = str(json.loads(body)["id"])
    answer = inbox.take(signed(body, name, now), body, now)
    assert answer.status == 200
    return answer.text


def test_it_says_how_things_stand_and_what_can_be_held_against_it() -> None:
    head = LedgerHead(7, "ab" * 32)
    body = beat(NOW + 5, Anchor(Taken("e1", 41, "8df6fed3-ff0c-5e6e-8687-bdf88384ebf7"), head))
    Draft202012Validator(SCHEMA).validate(json.loads(body))
    read = read_heartbeat(json.loads(body))
    assert (read.contract, read.consumer, read.every_seconds) == ("sentiment-latency", "checkout", 60.0)
    assert read.conditions == {"p99": Condition.BROKEN}
    assert (read.epoch, read.sequence, read.ledger) == ("e1", 41, (7, "ab" * 32))
    assert read.at.timestamp() == NOW


def test_both_of_a_pair_send_the_same_one_and_each_slot_has_its_own() -> None:
    assert beat(NOW + 1) == beat(NOW + 59)
    assert json.loads(beat(NOW))["id"] != json.loads(beat(NOW + 60))["id"]


def test_a_heartbeat_is_heard_and_not_handed_over() -> None:
    got: list[Received] = []
    inbox = Inbox(SECRET, got.append)
    assert [give(inbox, beat()), give(inbox, beat())] == ["heard", "heard already"]
    assert got == []


def test_a_provider_that_stops_is_silent_after_three_of_its_own_intervals() -> None:
    inbox = Inbox(SECRET, lambda _: None)
    assert inbox.silent(NOW + 10_000) == ()  # none was promised
    give(inbox, beat())
    assert inbox.silent(NOW + 180) == ()
    (silent,) = inbox.silent(NOW + 181)
    assert (silent.contract, silent.since, silent.every_seconds) == ("sentiment-latency", NOW, 60.0)
    assert silent.text.startswith("sentiment-latency is silent since 2027-01-15 08:00:00 UTC (3 min 1 s); ")
    give(inbox, beat(NOW + 240), NOW + 240)
    assert inbox.silent(NOW + 300) == ()


def test_an_old_heartbeat_that_is_replayed_makes_nobody_live_longer() -> None:
    inbox = Inbox(SECRET, lambda _: None)
    first = beat()
    give(inbox, first)
    give(inbox, beat(NOW + 60), NOW + 60)
    assert give(inbox, first, NOW + 240) == "heard already"
    assert [each.since for each in inbox.silent(NOW + 241)] == [NOW + 60]


def test_a_lost_tail_is_told_once() -> None:
    got: list[Received] = []
    inbox = Inbox(SECRET, got.append)
    first, _ = bodies(PAGE, BROKEN)
    first |= {"audience": "checkout", "epoch": "e1", "sequence": 1}
    data = encoded(first)
    inbox.take(signed(data, str(first["id"])), data, NOW)
    give(inbox, beat(NOW, Anchor(Taken("e1", 1, "x"))))
    assert len(got) == 1
    give(inbox, beat(NOW + 60, Anchor(Taken("e1", 3, "x"))), NOW + 60)
    give(inbox, beat(NOW + 120, Anchor(Taken("e1", 3, "x"))), NOW + 120)
    assert len(got) == 2
    assert got[1].heartbeat is not None
    assert got[1].gap is not None
    assert (got[1].gap.certain, got[1].gap.missing) == (True, 2)


@pytest.mark.parametrize("change", [{"every_seconds": 0}, {"at": "soon"}, {"ledger": {"seq": -1, "hash": ""}}])
def test_a_wrong_one_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(MessageRefused):
        read_heartbeat(json.loads(beat()) | change)


def test_a_webhook_carries_it_signed() -> None:
    async def story() -> None:
        async with recording() as hook:
            whole = terms()
            to = Address("checkout", "webhook", hook.url, "env:KEEPTIME_TEST_SECRET")
            receiver = WebhookReceiver(timeout=5.0)
            await receiver.send(compose(whole, whole.consumers[0], to, [None], Anchor(), NOW), NOW)
            await receiver.close()
            (request,) = hook.requests
            answer = Inbox(SECRET, lambda _: None).take(request.headers, request.body, NOW)
            assert answer.heartbeat is not None

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEEPTIME_TEST_SECRET", SECRET)
        asyncio.run(story())
