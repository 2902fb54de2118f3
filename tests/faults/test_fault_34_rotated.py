"""Fault 34: a signing secret is rotated: both signatures overlap, and no message is refused on either side."""

import asyncio

import pytest

from keeptime.consumer import Inbox
from keeptime.contract.load import load_text
from keeptime.model.alert import Address
from keeptime.tell.receivers.signing import new_pair
from keeptime.tell.receivers.webhook import WebhookReceiver
from keeptime.tell.trial import trial
from keeptime.testing.recorder import recording
from tests.consumer.given import OTHER, SECRET
from tests.tell.sending import seconds

TERMS = """\
contract: kept
endpoint: {{url: "http://127.0.0.1:5000/"}}
observe: [{{probe: {{every: 10s}}}}]
objectives: [99% of requests under 500ms over 28d]
consumers:
  - name: checkout
    tell: [{{webhook: {{url: "{url}", secret: {secret}}}}}]
"""


async def _sent(url: str, secret: str) -> None:
    (contract,) = load_text(TERMS.format(url=url, secret=secret).encode(), "c.yaml").contracts
    (address,) = contract.consumers[0].tell
    assert isinstance(address, Address)
    receiver = WebhookReceiver(5.0)
    try:
        await receiver.send(trial(contract, address, seconds()), seconds())
    finally:
        await receiver.close()


def test_fault_34_both_signatures_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Old alone; both; new alone: the consumer that changes over at any time in between refuses nothing."""
    private, public = new_pair()
    monkeypatch.setenv("OLD", SECRET)
    monkeypatch.setenv("NEW", private)
    monkeypatch.setenv("THIRD", OTHER)

    async def story() -> list[list[int]]:
        async with recording() as hook:
            for secret in ("env:OLD", "[env:NEW, env:OLD]", "env:NEW", "[env:THIRD, env:NEW]"):
                await _sent(hook.url, secret)
            return [
                [Inbox(key, lambda _: None).take(each.headers, each.body).status for key in (SECRET, public, OTHER)]
                for each in hook.requests
            ]

    assert asyncio.run(story()) == [[200, 401, 401], [200, 200, 401], [401, 200, 401], [401, 200, 200]]
