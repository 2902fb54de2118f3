"""`webhook:URL`: posts the message's body as it is, signed as Standard Webhooks (standardwebhooks.com, v1) say.

Guarantees: the body is never changed; each attempt is signed anew with its own timestamp under the same id; URL and
secret are looked up at the time of sending and are in no error, log or header of ours beyond the signature.
"""

import binascii
import re
from datetime import UTC, datetime

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from keeptime.errors import DeliveryError
from keeptime.model.alert import Delivery
from keeptime.tell.receivers.http import TIMEOUT, Poster
from keeptime.tell.receivers.lookup import looked_up

_BASE64 = re.compile(r"(whsec_)?[A-Za-z0-9+/]+={0,2}")


class WebhookReceiver:
    """One for all webhooks; each delivery carries its own address. `timeout`: seconds for one attempt."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._poster = Poster(timeout)

    async def send(self, delivery: Delivery, now: float) -> str:
        url = looked_up(delivery.address.target)
        headers = {"content-type": "application/json"}
        headers |= signature(delivery.message_id, delivery.body, delivery.address.secret, now)
        return await self._poster.post(url, delivery.body, headers, now, delivery.address.reach)

    async def close(self) -> None:
        await self._poster.close()


def signature(message_id: str, body: bytes, secret: str, now: float) -> dict[str, str]:
    """The three headers; without a secret the first two. `secret` is a reference; `now` is in Unix seconds."""
    timestamp = int(now)
    headers = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    if secret:
        # `sign` takes the fields of a datetime for UTC whatever its zone: give it UTC.
        at = datetime.fromtimestamp(timestamp, UTC)
        headers["webhook-signature"] = _key(looked_up(secret)).sign(message_id, at, body.decode())
    return headers


def _key(secret: str) -> Webhook:
    """The library's key. Base64 is checked here: the library drops what is none, and signs with the rest."""
    try:
        if _BASE64.fullmatch(secret):
            return Webhook(secret)
    except (EmptyWebhookSecretError, binascii.Error):
        pass
    raise DeliveryError("its signing secret is not base64 (whsec_… as Standard Webhooks write it)")
