"""Signatures as Standard Webhooks write them: `v1` with a shared secret, `v1a` with an ed25519 key.

Guarantees: a signature covers id, time and body; several secrets give several signatures in one header, so that a
consumer with either key takes the message while one is being changed; no error shows a secret.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from keeptime.errors import DeliveryError

_BASE64 = re.compile(r"(whsec_)?[A-Za-z0-9+/]+={0,2}")
PRIVATE, PUBLIC = "whsk_", "whpk_"
SEED = 32
"""Bytes of an ed25519 key: the secret is the seed, with or without the public key after it."""


def headers(message_id: str, body: bytes, secrets: Iterable[str], now: float) -> dict[str, str]:
    """The three headers; without a secret the first two. `secrets`: their values; `now`: Unix seconds."""
    timestamp = int(now)
    given = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    signatures = [_signed(message_id, timestamp, body, each) for each in secrets]
    return given | ({"webhook-signature": " ".join(signatures)} if signatures else {})


def new_pair() -> tuple[str, str]:
    """A new (secret, public) ed25519 key."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    return PRIVATE + _encoded(key.private_bytes_raw() + public), PUBLIC + _encoded(public)


def _signed(message_id: str, timestamp: int, body: bytes, secret: str) -> str:
    if secret.startswith(PRIVATE):
        signature = private_key(secret).sign(f"{message_id}.{timestamp}.".encode() + body)
        return f"v1a,{_encoded(signature)}"
    # `sign` takes the fields of a datetime for UTC whatever its zone: give it UTC.
    signed: str = _shared(secret).sign(message_id, datetime.fromtimestamp(timestamp, UTC), body.decode())
    return signed


def private_key(secret: str) -> Ed25519PrivateKey:
    """Of `whsk_…`. Raises DeliveryError."""
    try:
        raw = base64.b64decode(secret.removeprefix(PRIVATE), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) not in (SEED, 2 * SEED):
        raise DeliveryError("its signing secret whsk_… is no ed25519 key; `keeptime tell key --ed25519` makes one")
    key = Ed25519PrivateKey.from_private_bytes(raw[:SEED])
    if raw[SEED:] and raw[SEED:] != key.public_key().public_bytes_raw():
        raise DeliveryError("the halves of its signing secret whsk_… do not belong together")
    return key


def _shared(secret: str) -> Webhook:
    """The library's key. Base64 is checked here: the library drops what is none, and signs with the rest."""
    if secret.startswith(PUBLIC):
        raise DeliveryError("its signing secret is a public key (whpk_…), which is the consumer's; expected whsk_…")
    try:
        if _BASE64.fullmatch(secret):
            return Webhook(secret)
    except (EmptyWebhookSecretError, binascii.Error):
        pass
    raise DeliveryError("its signing secret is not base64 (whsec_… as Standard Webhooks write it)")


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
