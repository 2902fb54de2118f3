"""What keeptime says of itself: whole, marked, once an hour, and read rightly by every kind of receiver."""

import asyncio
import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from keeptime.cli.received import picture
from keeptime.consumer import Inbox, Received, Verifier
from keeptime.model.alert import Address, Aside, Delivery
from keeptime.tell.audience import still_told
from keeptime.tell.receivers.alertmanager import of_itself
from keeptime.tell.receivers.pagerduty import told
from keeptime.tell.service import service
from keeptime.tell.wording import worded
from keeptime.testing.outbox import FakeOutbox
from keeptime.testing.recorder import recording
from tests.tell.alertmanager import BINARY, alertmanager
from tests.tell.given import NOW, PAGE, contract, tell_of
from tests.tell.sending import dispatching, seconds, until
from tests.tell.test_alertmanager import notified

HOOK, PAGER = Address("checkout", "webhook", "env:HOOK"), Address("operators", "pagerduty", "env:KEY")
TERMS = contract(HOOK, operators=[PAGER])
SAID = service(TERMS, "dead_letter", "Message m1 was given up.", NOW, "checkout by webhook")


def delivery(address: Address = PAGER) -> Delivery:
    outbox = FakeOutbox()
    outbox.put(replace(SAID, addresses=(address,)), NOW)
    return outbox.waiting_rows[0][0]


def test_it_fits_the_schema_and_is_no_news_of_an_objective() -> None:
    schema = json.loads((files("keeptime.tell") / "message.schema.json").read_text("utf-8"))
    body = json.loads(SAID.body)
    Draft202012Validator(schema).validate(body)
    assert body["type"] == "keeptime.service.dead_letter"
    assert (body["state"], body["condition"], body["severity"]) == ("firing", "ok", None)
    assert body["objective"]["name"] == SAID.key.objective == "(keeptime)"
    assert body["service"] == {"code": "dead_letter", "subject": "checkout by webhook"}
    assert (SAID.topic, SAID.addresses) == (Aside.SERVICE, (PAGER,))
    assert b"canary" not in SAID.body


def test_its_id_is_of_version_code_subject_and_hour() -> None:
    assert service(TERMS, "dead_letter", "Later.", NOW + 3599, "checkout by webhook").id == SAID.id
    others = [
        service(TERMS, "dead_letter", "x", NOW + 3600, "checkout by webhook"),
        service(TERMS, "dead_letter", "x", NOW, "shop by webhook"),
        service(TERMS, "clock", "x", NOW, "checkout by webhook"),
        service(replace(TERMS, version="other"), "dead_letter", "x", NOW, "checkout by webhook"),
    ]
    assert len({SAID.id, *(each.id for each in others)}) == 5


def test_a_code_is_words_in_lower_case() -> None:
    with pytest.raises(ValueError, match="expected words in lower case"):
        service(TERMS, "Dead letter", "x", NOW)


def test_people_see_first_that_it_is_about_keeptime_itself() -> None:
    words = worded(SAID.body)
    assert words.title == "keeptime itself: a message could not be delivered (contract sentiment-latency)"
    assert [heading for heading, _ in words.lines] == ["What happened", "When", "What is next"]
    unknown = worded(service(TERMS, "moon_fell", "It fell.", NOW).body)
    assert unknown.title == "keeptime itself: moon fell (contract sentiment-latency)"


def test_what_is_said_again_later_is_the_same_incident() -> None:
    later = service(TERMS, "dead_letter", "Another.", NOW + 7200, "checkout by webhook")
    other = service(TERMS, "dead_letter", "Another.", NOW + 7200, "shop by webhook")
    assert worded(later.body).incident == worded(SAID.body).incident != worded(other.body).incident


def test_pagerduty_is_given_a_warning() -> None:
    event = told(delivery())
    assert event["event_action"] == "trigger"
    payload = event["payload"]
    assert isinstance(payload, dict)
    assert (payload["severity"], payload["class"]) == ("warning", "dead_letter")


def test_alertmanager_is_given_an_alert_that_ends_by_itself_and_is_never_repeated() -> None:
    there = Address("operators", "alertmanager", "http://127.0.0.1:9")
    alert = of_itself(delivery(there), NOW)
    assert alert["labels"] == {
        "alertname": "KeeptimeService",
        "audience": "operators",
        "code": "dead_letter",
        "contract": "sentiment-latency",
        "model": "sentiment",
        "objective": "(keeptime)",
        "provider": "ml-platform",
        "subject": "checkout by webhook",
    }
    assert (alert["startsAt"], alert["endsAt"]) == ("2027-01-15T08:00:00Z", "2027-01-15T08:15:00Z")
    terms = contract(operators=[there])
    assert not still_told({terms.name: terms}, delivery(there))


@pytest.mark.skipif(BINARY is None, reason="there is no Alertmanager on this machine")
def test_the_real_alertmanager_tells_it_beside_an_alert_that_fires(tmp_path: Path) -> None:
    async def story() -> None:
        async with recording() as hook, alertmanager(tmp_path, hook.url) as there:
            terms = contract(operators=[Address("operators", "alertmanager", there.url)])
            outbox = FakeOutbox()
            outbox.put(tell_of(terms, [PAGE], int(seconds() / 10) - 100)[0], seconds())
            outbox.put(service(terms, "clock", "A clock is off.", seconds()), seconds())
            async with dispatching(outbox):
                await until(lambda: len(notified(hook)) == 2)
            assert {name for _, name, _ in notified(hook)} == {"KeeptimeObjectiveAtRisk", "KeeptimeService"}

    asyncio.run(story())


def test_a_receiver_tells_it_apart_as_it_does_a_test() -> None:
    taken: list[Received] = []
    inbox = Inbox(Verifier([], unsigned=True), taken.append)
    headers = {"webhook-id": SAID.id, "webhook-timestamp": str(int(NOW))}
    assert inbox.take(headers, SAID.body, NOW).status == 200
    (received,) = taken
    assert (received.type, received.notice) == ("keeptime.service.dead_letter", None)
    assert picture(received) == f"keeptime.service.dead_letter  {SAID.id}\n  Message m1 was given up."
