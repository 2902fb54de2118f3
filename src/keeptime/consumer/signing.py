"""Keys that check signatures, one class per scheme of Standard Webhooks; so far `v1`, HMAC-SHA256.

Guarantees: a key that is no key cannot be made; comparing takes the same time whatever was sent; no error shows a
key. An ed25519 key (`v1a`) is one more class with `scheme` and `signs`; the verifier asks each key for its scheme.
"""

import binascii
import hmac
import re
from datetime import UTC, datetime
from typing import Protocol

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from keeptime.errors import SecretError

_BASE64 = re.compile(r"(whsec_)?[A-Za-z0-9+/]+={0,2}")


class Key(Protocol):
    """What can tell whether a signature is right."""

    @property
    def scheme(self) -> str:
        """What stands before the comma of a signature: "v1"."""
        ...

    def signs(self, message_id: str, timestamp: int, body: str, signature: str) -> bool:
        """Was this signed by who holds the key's other end? `signature`: what follows the comma. Never raises."""
        ...


class SharedKey:
    """A secret that sender and consumer share: base64, with or without `whsec_` before it."""

    scheme = "v1"

    def __init__(self, secret: str) -> None:
        """Raises SecretError where it is not base64; the library drops what is none and goes on with the rest."""
        try:
            if not _BASE64.fullmatch(secret.strip()):
                raise SecretError(_NO_KEY)
            self._webhook = Webhook(secret.strip())
        except (EmptyWebhookSecretError, binascii.Error):
            raise SecretError(_NO_KEY) from None

    def signs(self, message_id: str, timestamp: int, body: str, signature: str) -> bool:
        # The library takes the fields of a datetime for UTC whatever its zone: give it UTC.
        expected = self._webhook.sign(message_id, datetime.fromtimestamp(timestamp, UTC), body)
        _, _, code = expected.partition(",")
        return hmac.compare_digest(code.encode(), signature.encode("utf-8", "replace"))


_NO_KEY = "a secret for webhooks is not base64; expected whsec_… as Standard Webhooks write it"
