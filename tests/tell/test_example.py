"""The example receiver takes what is ours, each once, and refuses the rest."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeptime.errors import DeliveryError
from keeptime.model.alert import Address, Delivery
from keeptime.tell.receivers.webhook import WebhookReceiver
from keeptime.testing.outbox import FakeOutbox
from tests.tell.given import OK, PAGE, contract, tell_of
from tests.tell.sending import seconds

EXAMPLE = Path(__file__).parents[2] / "examples" / "receiver.py"
SECRET = "whsec_a2VlcHRpbWUga2VlcHMgaXRzIHByb21pc2Vz"


@contextlib.contextmanager
def example() -> Iterator["subprocess.Popen[str]"]:
    environment = {**os.environ, "KEEPTIME_SECRET": SECRET}
    with subprocess.Popen(
        [sys.executable, EXAMPLE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def deliveries(url: str, secret: str) -> list[Delivery]:
    outbox = FakeOutbox()
    for message in tell_of(contract(Address("checkout", "webhook", url, secret)), [PAGE, OK]):
        outbox.put(message, seconds())
    return [row for row, _ in outbox.waiting_rows]


def send(rows: list[Delivery]) -> list[str]:
    async def story() -> list[str]:
        receiver = WebhookReceiver()
        try:
            return [await receiver.send(row, seconds()) for row in rows]
        finally:
            await receiver.close()

    return asyncio.run(story())


def test_it_prints_each_message_once_and_refuses_forgeries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", SECRET)
    monkeypatch.setenv("FORGED", "whsec_bm90IHRoaXMga2V5IGJ1dCBhbm90aGVyIG9uZQ==")
    with example() as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().split()[-1]
        began, ended = deliveries(url, "env:OURS")
        assert send([began, began, ended]) == ["204"] * 3
        for secret in ("env:FORGED", ""):
            with pytest.raises(DeliveryError, match="400"):
                send(deliveries(url, secret)[:1])
        first, second = process.stdout.readline(), process.stdout.readline()
        assert "at_risk   sentiment-latency/p99: 42 of 3,600" in first
        assert "recovered sentiment-latency/p99" in second
        assert process.stderr.readline().startswith("refused: not signed by who knows our secret")
