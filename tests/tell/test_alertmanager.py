"""Alertmanager, the real one: told of firing, kept firing, told of the end."""

import asyncio
import json
from pathlib import Path

import pytest

from keeptime.model.alert import Address, Message
from keeptime.tell.receivers.alertmanager import AlertmanagerReceiver
from keeptime.tell.trial import trial
from keeptime.testing.outbox import FakeOutbox
from keeptime.testing.recorder import Recorder, recording
from tests.tell.alertmanager import BINARY, Alertmanager, alertmanager
from tests.tell.given import BROKEN, OK, PAGE, TICKET, Case, contract, tell_of
from tests.tell.sending import dispatching, seconds, until

pytestmark = pytest.mark.skipif(BINARY is None, reason="there is no Alertmanager on this machine")

AT_RISK, MISSED = "KeeptimeObjectiveAtRisk", "KeeptimeObjectiveBroken"


def messages(there: Alertmanager, *cases: Case, audience: str = "operators") -> list[Message]:
    """The messages of an objective that went through these cases, some minutes ago."""
    address = Address(audience, "alertmanager", there.url)
    terms = contract(operators=[address]) if audience == "operators" else contract(address)
    return tell_of(terms, cases, int(seconds() / 10) - 100)


def notified(recorder: Recorder) -> list[tuple[str, str, str]]:
    """(status, alertname, severity) of every alert that Alertmanager passed on, in order, each once."""
    bodies = [json.loads(request.body) for request in recorder.requests]
    alerts = [alert for body in bodies for alert in body["alerts"]]
    seen = [
        (alert["status"], alert["labels"]["alertname"], alert["labels"].get("severity", "")) for alert in alerts
    ]
    return list(dict.fromkeys(seen))


def test_hears_of_firing_and_then_of_the_end(tmp_path: Path) -> None:
    async def story() -> None:
        async with recording() as hook, alertmanager(tmp_path, hook.url) as there:
            began, ended = messages(there, PAGE, OK)
            outbox = FakeOutbox()
            outbox.put(began, seconds())
            async with dispatching(outbox) as dispatcher:
                await until(lambda: bool(notified(hook)))
                assert notified(hook) == [("firing", AT_RISK, "page")]
                (alert,) = await there.firing()
                assert alert["labels"] == {
                    "alertname": AT_RISK,
                    "audience": "operators",
                    "condition": "at_risk",
                    "contract": "sentiment-latency",
                    "model": "sentiment",
                    "objective": "p99",
                    "provider": "ml-platform",
                    "severity": "page",
                }
                assert alert["annotations"]["runbook_url"] == "https://wiki.example/sentiment"
                outbox.put(ended, seconds())
                dispatcher.wake()
                await until(lambda: ("resolved", AT_RISK, "page") in notified(hook))
                assert await there.firing() == []
                assert len(notified(hook)) == 2

    asyncio.run(story())


@pytest.mark.serial
def test_goes_on_firing_while_repeated_and_ends_by_itself_when_not(tmp_path: Path) -> None:
    async def story() -> None:
        async with recording() as hook, alertmanager(tmp_path, hook.url) as there:
            outbox = FakeOutbox()
            outbox.put(messages(there, PAGE)[0], seconds())
            async with dispatching(outbox):
                await until(lambda: bool(outbox.done))
                await asyncio.sleep(3.5)  # twice as long as one post lasts
                assert len(await there.firing()) == 1
            async with dispatching(outbox):  # killed, and started anew with nothing but the outbox
                await asyncio.sleep(2.5)
                assert len(await there.firing()) == 1
                assert notified(hook) == [("firing", AT_RISK, "page")]
            await asyncio.sleep(2.5)
            assert await there.firing() == []

    asyncio.run(story())


def test_a_change_of_severity_ends_the_one_alert_and_fires_the_other(tmp_path: Path) -> None:
    async def story() -> None:
        async with recording() as hook, alertmanager(tmp_path, hook.url) as there:
            outbox = FakeOutbox()
            async with dispatching(outbox) as dispatcher:
                for message in messages(there, PAGE, BROKEN, TICKET):
                    outbox.put(message, seconds())
                    dispatcher.wake()
                    await until(lambda: not outbox.waiting_rows)
                    (alert,) = await there.firing()
                    said = json.loads(message.body)
                    assert (alert["labels"]["condition"], alert["labels"]["severity"]) == (
                        said["condition"],
                        said["severity"],
                    )
                await until(lambda: ("firing", AT_RISK, "ticket") in notified(hook))

    asyncio.run(story())


def test_a_consumer_who_heard_no_tickets_is_still_told_of_the_end(tmp_path: Path) -> None:
    async def story() -> None:
        async with recording() as hook, alertmanager(tmp_path, hook.url) as there:
            outbox = FakeOutbox()
            async with dispatching(outbox) as dispatcher:
                page, recovered = messages(there, PAGE, TICKET, OK, audience="checkout")[::2]
                outbox.put(page, seconds())
                dispatcher.wake()
                await until(lambda: bool(notified(hook)))
                outbox.put(recovered, seconds())
                dispatcher.wake()
                await until(lambda: ("resolved", AT_RISK, "page") in notified(hook))
                assert len(notified(hook)) == 2

    asyncio.run(story())


def test_a_test_message_is_told_as_one(tmp_path: Path) -> None:
    async def story() -> None:
        async with recording() as hook, alertmanager(tmp_path, hook.url) as there:
            to = Address("operators", "alertmanager", there.url)
            receiver = AlertmanagerReceiver(timeout=2.0)
            await receiver.send(trial(contract(operators=[to]), to, seconds()), seconds())
            await receiver.close()
            await until(lambda: bool(notified(hook)))
            assert notified(hook) == [("firing", "KeeptimeTest", "")]

    asyncio.run(story())
