"""Messages of keeptime as they arrive: composed and signed by the sender's own code."""

import asyncio
import base64
import hashlib
import hmac
import json

from keeptime.model.alert import Address, Delivery
from keeptime.tell.receivers.webhook import WebhookReceiver
from keeptime.testing.outbox import FakeOutbox
from tests.tell.given import BROKEN, NOW, OK, PAGE, Case, contract, tell_of
from tests.tell.sending import seconds

SECRET = "whsec_a2VlcHRpbWUga2VlcHMgaXRzIHByb21pc2Vz"
OTHER = "whsec_bm90IHRoaXMga2V5IGJ1dCBhbm90aGVyIG9uZQ=="

__all__ = ["BROKEN", "NOW", "OK", "OTHER", "PAGE", "SECRET", "bodies", "deliveries", "encoded", "send", "signed"]


def bodies(*cases: Case) -> list[dict[str, object]]:
    """What an objective that goes through these cases is told with."""
    terms = contract(Address("checkout", "webhook", "env:HOOK"))
    return [json.loads(message.body) for message in tell_of(terms, cases)]


def encoded(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")


def signed(body: bytes, message_id: str, at: float = NOW, secret: str = SECRET) -> dict[str, str]:
    """The three headers, by arithmetic of the tests' own."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    code = hmac.new(key, f"{message_id}.{int(at)}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": "v1," + base64.b64encode(code).decode(),
    }


def deliveries(url: str, secret: str, *cases: Case) -> list[Delivery]:
    outbox = FakeOutbox()
    for message in tell_of(contract(Address("checkout", "webhook", url, secret)), cases):
        outbox.put(message, seconds())
    return [row for row, _ in outbox.waiting_rows]


def send(rows: list[Delivery], at: float | None = None) -> list[str]:
    """Delivers by the sender's real receiver; the statuses. Raises DeliveryError."""

    async def story() -> list[str]:
        receiver = WebhookReceiver(timeout=5.0)
        try:
            return [await receiver.send(row, seconds() if at is None else at) for row in rows]
        finally:
            await receiver.close()

    return asyncio.run(story())
