"""Slack and PagerDuty, as servers that answer what the makers' pages say: what is sent, what answers become."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from keeptime.errors import DeliveryError
from keeptime.model.alert import Address, Delivery
from keeptime.tell.ports import Receiver
from keeptime.tell.receivers.pagerduty import PagerdutyReceiver
from keeptime.tell.receivers.slack import SlackReceiver
from keeptime.testing.outbox import FakeOutbox
from keeptime.testing.recorder import Answer, Recorder, hang, raw, recording
from tests.tell.given import BROKEN, NO_DATA, OK, PAGE, TICKET, Case, contract, tell_of
from tests.tell.sending import seconds

KEY = "canary0123456789abcdef0123456789"
HOOK = "/services/T000/B000/canary4f9c"
ACCEPTED = b'{"status":"success","message":"Event processed","dedup_key":"x"}'


def answer(status: int, body: bytes, **headers: str) -> Answer:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return raw(f"HTTP/1.1 {status} Said\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body)


def deliveries(to: Address, *cases: Case) -> list[Delivery]:
    outbox = FakeOutbox()
    terms = contract(to) if to.audience == "checkout" else contract(operators=[to])
    for message in tell_of(terms, cases or (PAGE,)):
        outbox.put(message, seconds())
    return [row for row, _ in outbox.waiting_rows]


def slack(url: str) -> tuple[Receiver, Address]:
    return SlackReceiver(0.5), Address("operators", "slack", "env:SLACK_HOOK")


def pagerduty(url: str) -> tuple[Receiver, Address]:
    address = Address("operators", "pagerduty", "env:PAGERDUTY_KEY", options=(("url", url),))
    return PagerdutyReceiver(0.5), address


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("PAGERDUTY_KEY", KEY)
    return monkeypatch


async def send(kind: str, hook: Recorder, patch: pytest.MonkeyPatch, *cases: Case) -> list[str]:
    patch.setenv("SLACK_HOOK", hook.url.replace("/hook", HOOK))
    receiver, address = slack(hook.url) if kind == "slack" else pagerduty(hook.url)
    try:
        return [await receiver.send(each, seconds()) for each in deliveries(address, *cases)]
    finally:
        await receiver.close()


def posted(kind: str, patch: pytest.MonkeyPatch, *cases: Case) -> list[dict[str, Any]]:
    async def story() -> list[dict[str, Any]]:
        good = answer(200, b"ok") if kind == "slack" else answer(202, ACCEPTED)
        async with recording(otherwise=good) as hook:
            answers = await send(kind, hook, patch, *cases)
            assert set(answers) == {"200" if kind == "slack" else "202"}
            assert all(request.headers["content-type"].startswith("application/json") for request in hook.requests)
            assert {request.path for request in hook.requests} == {HOOK if kind == "slack" else "/hook"}
            return [json.loads(request.body) for request in hook.requests]

    return asyncio.run(story())


def refused(kind: str, given: Answer, patch: pytest.MonkeyPatch) -> DeliveryError:
    async def story() -> DeliveryError:
        async with recording(otherwise=given) as hook:
            with pytest.raises(DeliveryError) as error:
                await send(kind, hook, patch)
            return error.value

    error = asyncio.run(story())
    assert "canary" not in str(error)
    return error


def test_slack_shows_all_that_a_person_asks(secrets: pytest.MonkeyPatch) -> None:
    (said,) = posted("slack", secrets)
    assert said["text"] == "sentiment-latency/p99 is at risk (page)"
    header, told, links, footer = said["blocks"]
    assert header == {"type": "header", "text": {"type": "plain_text", "text": said["text"], "emoji": False}}
    assert told["text"]["verbatim"] is True
    assert (
        "*Promised*  99% of requests under 500ms over 28d, by ml-platform for sentiment\n" in told["text"]["text"]
    )
    assert "*How bad*  42 of 3,600 were bad in the window: 1.17%, where 1% is allowed\n" in told["text"]["text"]
    assert links["text"]["text"] == "<https://wiki.example/sentiment|runbook>"
    assert "contract sentiment-latency" in footer["elements"][0]["text"]


def test_nothing_in_a_contract_is_markup_for_slack(secrets: pytest.MonkeyPatch) -> None:
    evil = "<!channel> <https://evil.example|here> & {{ 7*7 }} " * 200

    async def story() -> dict[str, Any]:
        async with recording(otherwise=answer(200, b"ok")) as hook:
            secrets.setenv("SLACK_HOOK", hook.url)
            receiver, address = slack(hook.url)
            (delivery,) = deliveries(address)
            body = json.loads(delivery.body) | {
                "reason": evil,
                "contract": evil,
                "links": {"a>b": "http://x/|<!here>"},
            }
            await receiver.send(replace(delivery, body=json.dumps(body).encode()), seconds())
            await receiver.close()
            said: dict[str, Any] = json.loads(hook.requests[0].body)
            return said

    said = asyncio.run(story())
    header, told, links, footer = said["blocks"]
    texts = [said["text"], told["text"]["text"], footer["elements"][0]["text"]]
    assert not any("<" in text or ">" in text for text in texts)
    assert "&lt;!channel&gt;" in told["text"]["text"]
    assert links["text"]["text"] == "<http://x/%7C%3C!here%3E|a&gt;b>"
    assert len(header["text"]["text"]) <= 150
    assert len(told["text"]["text"]) <= 3000
    assert not told["text"]["text"].rstrip("…").endswith(("&", "&l", "&lt", "&am"))


def test_pagerduty_opens_one_incident_for_an_alert_and_ends_it(secrets: pytest.MonkeyPatch) -> None:
    events = posted("pagerduty", secrets, PAGE, BROKEN, NO_DATA, TICKET, OK, PAGE)
    assert [event["event_action"] for event in events] == [*["trigger"] * 4, "resolve", "trigger"]
    assert [event["payload"]["severity"] for event in events[:4]] == ["error", "critical", "error", "warning"]
    keys = [event["dedup_key"] for event in events]
    assert len(set(keys[:5])) == 1
    assert keys[5] != keys[0]
    assert keys[0] == "sentiment-latency/p99/2027-01-15T08:00:00Z"
    assert {event["routing_key"] for event in events} == {KEY}


def test_pagerduty_shows_all_that_a_person_asks(secrets: pytest.MonkeyPatch) -> None:
    (event,) = posted("pagerduty", secrets)
    payload = event["payload"]
    assert payload["summary"] == "sentiment-latency/p99 is at risk (page)"
    assert (payload["source"], payload["component"], payload["group"], payload["class"]) == (
        "sentiment-latency",
        "sentiment",
        "ml-platform",
        "at_risk",
    )
    assert payload["timestamp"] == "2027-01-15T08:00:00Z"
    assert {"Promised", "What happened", "How bad", "Budget", "Reason", "What is next"} <= payload[
        "custom_details"
    ].keys()
    assert event["links"] == [{"href": "https://wiki.example/sentiment", "text": "runbook"}]


@pytest.mark.parametrize(
    ("kind", "given", "sentence", "retry", "after"),
    [
        (
            "slack",
            answer(400, b"invalid_payload"),
            "it answered 400 Bad Request; expected 2xx (what was sent is not understood)",
            False,
            None,
        ),
        (
            "slack",
            answer(403, b"invalid_token"),
            "it answered 403 Forbidden; expected 2xx (the webhook's address is wrong or was revoked)",
            False,
            None,
        ),
        (
            "slack",
            answer(404, b"no_service"),
            "it answered 404 Not Found; expected 2xx (the webhook is disabled, removed or invalid)",
            False,
            None,
        ),
        (
            "slack",
            answer(410, b"channel_is_archived"),
            "it answered 410 Gone; expected 2xx (the channel is archived)",
            False,
            None,
        ),
        (
            "slack",
            answer(429, b"", retry_after="30"),
            "it answered 429 Too Many Requests; expected 2xx",
            True,
            30.0,
        ),
        (
            "slack",
            answer(500, b"rollup_error"),
            "it answered 500 Internal Server Error; expected 2xx (Slack itself failed)",
            True,
            None,
        ),
        ("slack", answer(400, KEY.encode()), "it answered 400 Bad Request; expected 2xx", False, None),
        ("slack", hang(), "no answer within 0.5 s", True, None),
        (
            "pagerduty",
            answer(400, b'{"status":"invalid event","errors":["' + KEY.encode() + b'"]}'),
            "it answered 400 Bad Request; expected 2xx (the event is invalid; is the integration key right?)",
            False,
            None,
        ),
        (
            "pagerduty",
            answer(429, b"", retry_after="7"),
            "it answered 429 Too Many Requests; expected 2xx",
            True,
            7.0,
        ),
        ("pagerduty", answer(500, b""), "it answered 500 Internal Server Error; expected 2xx", True, None),
        ("pagerduty", hang(), "no answer within 0.5 s", True, None),
    ],
)
def test_answers(
    kind: str, given: Answer, sentence: str, retry: bool, after: float | None, secrets: pytest.MonkeyPatch
) -> None:
    error = refused(kind, given, secrets)
    assert (str(error), error.retry, error.after) == (sentence, retry, after)


@pytest.mark.parametrize(("kind", "name"), [("slack", "SLACK_HOOK"), ("pagerduty", "PAGERDUTY_KEY")])
def test_a_reference_without_a_value_is_named(kind: str, name: str, secrets: pytest.MonkeyPatch) -> None:
    receiver, address = slack("") if kind == "slack" else pagerduty("http://127.0.0.1:9")
    secrets.delenv(name, raising=False)

    async def story() -> None:
        with pytest.raises(DeliveryError, match=f"env:{name} has no value"):
            await receiver.send(deliveries(address)[0], seconds())
        await receiver.close()

    asyncio.run(story())
