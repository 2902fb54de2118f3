"""Keys that check signatures, one class per scheme of Standard Webhooks: `v1`, HMAC-SHA256, and `v1a`, ed25519.

Guarantees: a key that is no key cannot be made; comparing takes the same time whatever was sent; no error shows a
key. A key of another scheme is one more class with `scheme` and `signs`; the verifier asks each key for its scheme.
"""

import base64
import binascii
import hmac
import re
from datetime import UTC, datetime
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from keeptime.errors import SecretError

_BASE64 = re.compile(r"(whsec_)?[A-Za-z0-9+/]+={0,2}")
PUBLIC, PRIVATE = "whpk_", "whsk_"


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


class PublicKey:
    """The public half of the sender's ed25519 key, `whpk_…`: whoever has it can check and cannot sign."""

    scheme = "v1a"

    def __init__(self, key: str) -> None:
        """Raises SecretError where it is none."""
        try:
            raw = base64.b64decode(key.strip().removeprefix(PUBLIC), validate=True)
            self._key = Ed25519PublicKey.from_public_bytes(raw)
        except (binascii.Error, ValueError):
            raise SecretError("a public key for webhooks is no ed25519 key; expected whpk_… and 32 bytes") from None

    def signs(self, message_id: str, timestamp: int, body: str, signature: str) -> bool:
        signed = f"{message_id}.{timestamp}.{body}".encode()
        try:
            self._key.verify(base64.b64decode(signature.encode("utf-8", "replace"), validate=True), signed)
        except (binascii.Error, ValueError, InvalidSignature):
            return False
        return True


def key_of(text: str) -> Key:
    """The key that a text is, by what it begins with. Raises SecretError."""
    if text.strip().startswith(PRIVATE):
        raise SecretError("this is the sender's own secret key (whsk_…); expected its public key, whpk_…")
    return PublicKey(text) if text.strip().startswith(PUBLIC) else SharedKey(text)


_NO_KEY = "a secret for webhooks is not base64; expected whsec_… as Standard Webhooks write it"
