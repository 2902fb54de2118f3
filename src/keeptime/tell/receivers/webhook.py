"""`webhook:URL`: posts the message's body as it is, signed as Standard Webhooks (standardwebhooks.com) say.

Guarantees: the body is never changed; each attempt is signed anew with its own timestamp under the same id, once
with each secret; URL and secrets are looked up at the time of sending and are in no error, log or header of ours
beyond the signature.
"""

from functools import partial

from keeptime.model.alert import Delivery
from keeptime.tell.receivers.http import TIMEOUT, Poster
from keeptime.tell.receivers.lookup import looked_up
from keeptime.tell.receivers.signing import headers
from keeptime.tell.receivers.skew import refused


class WebhookReceiver:
    """One for all webhooks; each delivery carries its own address. `timeout`: seconds for one attempt."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._poster = Poster(timeout)

    async def send(self, delivery: Delivery, now: float) -> str:
        url = looked_up(delivery.address.target)
        secrets = [looked_up(each) for each in delivery.address.secrets]
        signed = headers(delivery.message_id, delivery.body, secrets, now)
        sent = {"content-type": "application/json", **signed}
        return await self._poster.post(url, delivery.body, sent, now, delivery.address.reach, partial(refused, now))

    async def close(self) -> None:
        await self._poster.close()
