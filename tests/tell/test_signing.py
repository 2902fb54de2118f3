"""Signatures against what others wrote: RFC 8032's arithmetic, a published vector; and the consumer's verifier."""

import base64
import hashlib

import pytest
from standardwebhooks import Webhook

from keeptime.consumer import PublicKey, Verifier
from keeptime.errors import DeliveryError, MessageRefused, SecretError
from keeptime.tell.receivers.signing import headers, new_pair
from tests.consumer.given import NOW, OTHER, SECRET
from tests.tell.sending import seconds

ID, BODY = "8df6fed3-ff0c-5e6e-8687-bdf88384ebf7", '{"reason":"zu spät"}'.encode()
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]


def _add(a: Point, b: Point) -> Point:
    """RFC 8032 §5.1: the curve's own addition, in plain numbers."""
    (x1, y1), (x2, y2) = a, b
    t = D * x1 * x2 * y1 * y2
    return (
        (x1 * y2 + x2 * y1) * pow(1 + t, -1, P) % P,
        (y1 * y2 + x1 * x2) * pow(1 - t, -1, P) % P,
    )


def _times(k: int, point: Point) -> Point:
    total: Point = (0, 1)
    while k:
        total = _add(total, point) if k & 1 else total
        point, k = _add(point, point), k >> 1
    return total


def _point(raw: bytes) -> Point:
    number = int.from_bytes(raw, "little")
    y, odd = number & (2**255 - 1), number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return (x if x & 1 == odd else P - x, y)


BASE = _point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def verifies(public: bytes, signed: bytes, signature: bytes) -> bool:
    """RFC 8032 §5.1.7, without any library."""
    digest = hashlib.sha512(signature[:32] + public + signed).digest()
    k, s = int.from_bytes(digest, "little"), int.from_bytes(signature[32:], "little")
    return _times(s, BASE) == _add(_point(signature[:32]), _times(k, _point(public)))


def _raw(text: str) -> bytes:
    return base64.b64decode(text)


def test_the_arithmetic_of_this_test_is_rfc_8032s() -> None:
    """§7.1, test 2."""
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert verifies(public, b"\x72", signature)
    assert not verifies(public, b"\x73", signature)


def test_ed25519_is_signed_as_the_rfc_says() -> None:
    secret, public = new_pair()
    scheme, _, signature = headers(ID, BODY, [secret], NOW)["webhook-signature"].partition(",")
    assert scheme == "v1a"
    assert verifies(_raw(public.removeprefix("whpk_")), f"{ID}.{int(NOW)}.".encode() + BODY, _raw(signature))


def test_a_published_vector_of_a_webhook() -> None:
    secret = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
    given = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', [secret], 1614265330.9)
    assert given["webhook-signature"] == (
        "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
    )


def test_a_seed_alone_is_a_secret_too() -> None:
    secret, public = new_pair()
    seed = "whsk_" + base64.b64encode(_raw(secret.removeprefix("whsk_"))[:32]).decode()
    assert headers(ID, BODY, [seed], NOW) == headers(ID, BODY, [secret], NOW)
    body = b'{"id":"%s"}' % ID.encode()
    assert Verifier(public).verify(headers(ID, body, [seed], NOW), body, NOW).id == ID


def test_fault_34_while_a_secret_is_changed_a_consumer_with_either_takes_the_message() -> None:
    body = b'{"id":"%s"}' % ID.encode()
    private, public = new_pair()
    now = seconds()
    given = headers(ID, body, [private, SECRET, OTHER], now)
    assert [each.partition(",")[0] for each in given["webhook-signature"].split(" ")] == ["v1a", "v1", "v1"]
    for key in (public, SECRET, OTHER):
        assert Verifier(key).verify(given, body, now).id == ID
    assert Webhook(OTHER).verify(body, given)  # an independent implementation
    with pytest.raises(MessageRefused):
        Verifier(new_pair()[1]).verify(given, body, now)


@pytest.mark.parametrize("change", [b"x", b" "])
def test_a_changed_body_is_not_believed(change: bytes) -> None:
    secret, public = new_pair()
    given = headers(ID, BODY, [secret], NOW)
    with pytest.raises(MessageRefused, match="not signed by who knows"):
        Verifier(public).verify(given, BODY + change, NOW)


@pytest.mark.parametrize("signature", ["", "AAAA", "ä", "=" * 88, "A" * 86 + "=="])
def test_what_is_no_signature_is_none(signature: str) -> None:
    assert not PublicKey(new_pair()[1]).signs(ID, int(NOW), "{}", signature)


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("whsk_aHVudGVyMg==", "is no ed25519 key"),
        ("whsk_hunter2!", "is no ed25519 key"),
        ("whsk_" + base64.b64encode(b"hunter2!" * 8).decode(), "do not belong together"),
        ("whpk_" + base64.b64encode(b"hunter2!" * 4).decode(), "is a public key"),
    ],
)
def test_a_secret_that_is_none_is_said_and_not_shown(secret: str, said: str) -> None:
    with pytest.raises(DeliveryError, match=said) as error:
        headers(ID, BODY, [secret], NOW)
    assert secret[5:] not in str(error.value)


@pytest.mark.parametrize("given", ["whpk_aHVudGVyMg==", "whpk_hunter2!", "the sender's own"])
def test_a_consumers_key_that_is_none_is_said_and_not_shown(given: str) -> None:
    key = new_pair()[0] if given.startswith("the") else given
    with pytest.raises(SecretError) as error:
        Verifier(key)
    assert key[5:] not in str(error.value)
