"""What is told when an alert is watched no more: to whom, in which words, and what each receiver makes of it."""

import asyncio
import json
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from keeptime.consumer.notice import read_notice
from keeptime.model.alert import Address, AlertRow, AlertState, Delivery, Heard, Message
from keeptime.model.verdict import Condition, Severity
from keeptime.tell.receivers import pagerduty
from keeptime.tell.withdraw import Gone, withdrawn
from keeptime.tell.wording import worded
from keeptime.testing.outbox import FakeOutbox
from keeptime.testing.recorder import recording
from tests.tell.alertmanager import BINARY, alertmanager
from tests.tell.given import BROKEN, NOW, PAGE, Case, contract, tell_of
from tests.tell.sending import dispatching, seconds, until
from tests.tell.test_alertmanager import notified

HOOK = Address("checkout", "webhook", "env:HOOK")
SCHEMA = json.loads(resources.files("keeptime.tell").joinpath("message.schema.json").read_text())


def both(to: Address, *cases: Case, at: float = NOW + 600, tick: int = 180_000_000) -> tuple[Message, Message]:
    """The last message of an alert, and its withdrawal."""
    last = tell_of(contract(operators=[to]), cases, tick)[-1]
    row = AlertRow(last.key, AlertState.FIRING, Condition.BROKEN, Severity.PAGE, NOW, NOW)
    return last, withdrawn(row, Heard(last.tick, last.body, (to,)), at, gone=Gone.CONTRACT)


def delivery(message: Message, to: Address) -> Delivery:
    return Delivery(1, message.id, message.key.contract, to, message.topic, message.body, 0, NOW, NOW)


def test_the_body_fits_the_schema_and_the_consumers_side_reads_it() -> None:
    _, message = both(HOOK, PAGE, BROKEN)
    body = json.loads(message.body)
    jsonschema.Draft202012Validator(SCHEMA).validate(body)
    notice = read_notice(body)
    assert (notice.topic, notice.state, notice.condition) == ("withdrawn", "resolved", "broken")
    assert notice.previous_condition is Condition.BROKEN
    assert notice.counts.bad == 42, "the figures are those of the last message"


def test_it_reads_well() -> None:
    _, message = both(HOOK, BROKEN)
    words = worded(message.body)
    assert words.title == "sentiment-latency/p99 is watched no more (page)"
    assert dict(words.lines)["Reason"].startswith(
        "the contract was withdrawn while its objective was broken; before"
    )


def test_the_same_alert_gives_the_same_id_whenever_it_is_withdrawn() -> None:
    assert both(HOOK, BROKEN, at=NOW + 1)[1].id == both(HOOK, BROKEN, at=NOW + 2)[1].id
    assert both(HOOK, BROKEN)[1].id != both(HOOK, BROKEN, tick=180_000_999)[1].id


def test_pagerduty_resolves_the_incident_that_the_alert_opened() -> None:
    to = Address("operators", "pagerduty", "env:KEY")
    opened, ended = (pagerduty.told(delivery(each, to)) for each in both(to, BROKEN))
    assert (opened["event_action"], ended["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == ended["dedup_key"]


@pytest.mark.skipif(BINARY is None, reason="there is no Alertmanager on this machine")
def test_alertmanager_ends_the_alert_and_is_not_told_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with recording() as hook, alertmanager(tmp_path, hook.url) as there:
            to = Address("operators", "alertmanager", there.url)
            began, ended = both(to, PAGE, at=seconds() - 1, tick=int(seconds() / 10) - 100)
            outbox = FakeOutbox()
            outbox.put(began, seconds())
            async with dispatching(outbox) as dispatcher:
                await until(lambda: bool(notified(hook)))
                outbox.put(ended, seconds())
                dispatcher.wake()
                await until(lambda: notified(hook)[-1][0] == "resolved")
                assert await there.firing() == []

    asyncio.run(story())
