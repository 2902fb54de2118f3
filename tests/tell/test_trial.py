"""A test message: whole, marked, and taken by every kind of receiver."""

import asyncio
import json
from collections.abc import Mapping
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator

from keeptime.contract.people import everyone
from keeptime.model.alert import Address
from keeptime.tell.ports import Receiver
from keeptime.tell.receivers.alertmanager import AlertmanagerReceiver
from keeptime.tell.receivers.registry import Receivers
from keeptime.tell.trial import attempt, trial
from keeptime.tell.wording import worded
from keeptime.testing.recorder import recording, status
from tests.tell.given import NOW, contract
from tests.tell.sending import seconds

HOOK = Address("checkout", "webhook", "http://127.0.0.1:9/hook")


def test_it_fits_the_schema_and_is_no_news() -> None:
    schema = json.loads((files("keeptime.tell") / "message.schema.json").read_text("utf-8"))
    body = json.loads(trial(contract(HOOK), HOOK, NOW).body)
    Draft202012Validator(schema).validate(body)
    assert body["type"] == "keeptime.test"
    assert (body["state"], body["condition"], body["severity"]) == ("resolved", "ok", None)
    assert body["objective"]["name"] == "(test)"
    assert "test" in body["reason"]
    assert b"canary" not in trial(contract(HOOK), HOOK, NOW).body


def test_each_is_a_message_of_its_own() -> None:
    first, second = (trial(contract(HOOK), HOOK, NOW) for _ in range(2))
    assert first.message_id != second.message_id
    assert worded(first.body).incident != worded(second.body).incident


def test_people_see_first_that_it_is_a_test() -> None:
    words = worded(trial(contract(HOOK), HOOK, NOW).body)
    assert words.title == "[TEST] sentiment-latency: a test message, nothing happened"
    assert [heading for heading, _ in words.lines] == ["What happened", "Reason", "What is next"]


def test_everyone_is_tried_once() -> None:
    pager = Address("operators", "pagerduty", "env:KEY")
    assert everyone(contract(HOOK, operators=[pager])) == (HOOK, pager)


def test_alertmanager_is_given_an_alert_of_no_condition() -> None:
    async def story() -> list[Mapping[str, object]]:
        async with recording(otherwise=status(200)) as hook:
            receiver = AlertmanagerReceiver(timeout=1.0)
            to = Address("operators", "alertmanager", hook.url)
            assert await receiver.send(trial(contract(operators=[to]), to, NOW), NOW) == "200"
            await receiver.close()
            (request,) = hook.requests
            alerts: list[Mapping[str, object]] = json.loads(request.body)
            return alerts

    (alert,) = asyncio.run(story())
    assert alert["labels"] == {
        "alertname": "KeeptimeTest",
        "audience": "operators",
        "contract": "sentiment-latency",
        "model": "sentiment",
        "objective": "(test)",
        "provider": "ml-platform",
    }
    assert (alert["startsAt"], alert["endsAt"]) == ("2027-01-15T08:00:00Z", "2027-01-15T08:02:00Z")


def test_a_bug_in_a_receiver_is_a_failure_without_its_text() -> None:
    class Buggy:
        async def send(self, delivery: object, now: float) -> str:
            raise RuntimeError("canary")

        async def close(self) -> None: ...

    def buggy() -> Receiver:
        return Buggy()

    async def story() -> str:
        answer, error = await attempt(Receivers({"webhook": buggy}), trial(contract(HOOK), HOOK, NOW), seconds())
        assert answer == ""
        return str(error)

    assert asyncio.run(story()).startswith("a bug of keeptime: RuntimeError in send")


@pytest.mark.parametrize("kind", ["email", "slack", "pagerduty", "webhook", "alertmanager", "log"])
def test_every_kind_is_registered(kind: str) -> None:
    assert kind in Receivers().kinds
