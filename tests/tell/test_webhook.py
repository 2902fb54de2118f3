"""Webhooks over real sockets: what a consumer's server can do to a message, and what a forger cannot."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from standardwebhooks import Webhook, WebhookVerificationError

from keeptime.errors import DeliveryError
from keeptime.model.alert import Address, Delivery
from keeptime.tell.receivers.http import ANSWER_LIMIT, retry_after
from keeptime.tell.receivers.webhook import WebhookReceiver
from keeptime.testing.outbox import FakeOutbox
from keeptime.testing.recorder import Answer, Recorder, Request, drip, endless, hang, raw, recording, status
from tests.nobody import nobody_listening
from tests.tell.given import BROKEN, OK, PAGE, Case, contract, tell_of
from tests.tell.sending import dispatching, seconds, until

SECRET = "whsec_a2VlcHRpbWUga2VlcHMgaXRzIHByb21pc2Vz"
CANARY = "canary-9f27"


def delivery(target: str, secret: str = "") -> Delivery:
    (message,) = tell_of(contract(Address("checkout", "webhook", target, secret)), [PAGE])
    outbox = FakeOutbox()
    outbox.put(message, seconds())
    return outbox.waiting_rows[0][0]


async def post(target: str, secret: str = "", timeout: float = 0.4) -> str:
    receiver = WebhookReceiver(timeout)
    try:
        return await receiver.send(delivery(target, secret), seconds())
    finally:
        await receiver.close()


async def failing(target: str, secret: str = "", timeout: float = 0.4) -> DeliveryError:
    with pytest.raises(DeliveryError) as error:
        await post(target, secret, timeout)
    return error.value


async def answered(answer: Answer) -> tuple[DeliveryError, Recorder]:
    async with recording([answer]) as hook:
        return await failing(hook.url), hook


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    return "env:HOOK_SECRET"


def sent(target_secret: str = "") -> Request:
    async def story() -> Request:
        async with recording() as hook:
            assert await post(hook.url, target_secret) == "204"
            return hook.requests[0]

    return asyncio.run(story())


def test_the_body_is_the_message_and_the_signature_verifies(secret: str) -> None:
    request = sent(secret)
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/json"
    assert request.body == delivery("env:ANY").body
    assert Webhook(SECRET).verify(request.body, request.headers)["id"] == request.headers["webhook-id"]


@pytest.mark.parametrize("change", ["body", "webhook-id", "webhook-timestamp", "key"])
def test_what_was_tampered_with_does_not_verify(secret: str, change: str) -> None:
    request = sent(secret)
    body, headers, key = request.body, dict(request.headers), SECRET
    if change == "body":
        body = body.replace(b"at_risk", b"no_data")
    elif change == "key":
        key = "whsec_bm90IHRoaXMga2V5IGJ1dCBhbm90aGVyIG9uZQ=="
    else:
        headers[change] = headers[change].translate(str.maketrans("0123456789", "1234567890"))
    with pytest.raises(WebhookVerificationError):
        Webhook(key).verify(body, headers)


def test_a_replay_after_its_time_does_not_verify(secret: str) -> None:
    async def story() -> Request:
        async with recording() as hook:
            receiver = WebhookReceiver()
            await receiver.send(delivery(hook.url, secret), seconds() - 400)
            await receiver.close()
            return hook.requests[0]

    request = asyncio.run(story())
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(SECRET).verify(request.body, request.headers)


def test_without_a_secret_it_goes_out_unsigned() -> None:
    headers = sent().headers
    assert "webhook-signature" not in headers
    assert {"webhook-id", "webhook-timestamp"} <= headers.keys()


def test_url_and_secret_are_looked_up_when_sending(tmp_path: Path) -> None:
    async def story() -> None:
        async with recording() as hook:
            url, key = tmp_path / "url", tmp_path / "key"
            target, secret = f"file:{url}", f"file:{key}"
            error = await failing(target, secret)
            assert error.retry
            assert "has no value" in str(error)
            url.write_text(hook.url + "\n")
            key.write_text("this is no key\n")
            assert "not base64" in str(await failing(target, secret))
            key.write_text(SECRET + "\n")
            assert await post(target, secret) == "204"

    asyncio.run(story())


REFUSALS: Mapping[str, tuple[Answer, str]] = {
    "500": (status(500), "it answered 500 Internal Server Error; expected 2xx"),
    "400": (status(400), "it answered 400 Bad Request; expected 2xx"),
    "410": (status(410), "it answered 410 Gone; expected 2xx"),
    "599": (status(599), "it answered 599; expected 2xx"),
    "no answer": (raw(b""), "it closed the connection before it answered"),
    "not HTTP": (raw(b"SSH-2.0-OpenSSH_9\r\n\r\n"), "it answered what is not HTTP"),
    "hang": (hang(), "no answer within 0.4 s"),
    "drip": (drip(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 0.1), "no answer within 0.4 s"),
    "endless header": (raw(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000), "it answered what is not HTTP"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_anything_but_2xx_is_tried_again(name: str) -> None:
    answer, sentence = REFUSALS[name]
    error, _ = asyncio.run(answered(answer))
    assert str(error) == sentence
    assert error.retry


@pytest.mark.parametrize(("code", "gone"), [(410, True), (404, False), (400, False), (500, False)])
def test_only_410_says_that_the_receiver_is_gone(code: int, gone: bool) -> None:
    error, _ = asyncio.run(answered(status(code)))
    assert (error.gone, error.retry) == (gone, True)


def test_a_redirect_is_a_failure_and_not_followed() -> None:
    async def story() -> None:
        async with recording() as elsewhere:
            error, _ = await answered(status(307, location=elsewhere.url))
            assert "307, a redirect, which is not followed" in str(error)
            assert elsewhere.requests == []

    asyncio.run(story())


def test_retry_after_is_passed_on() -> None:
    error, _ = asyncio.run(answered(status(429, retry_after="7")))
    assert error.after == 7.0


@pytest.mark.parametrize(
    ("text", "expected"), [("", None), ("soon", None), ("-3", None), ("120", 120.0), ("0", 0.0), ("٣", None)]
)
def test_retry_after_in_seconds(text: str, expected: float | None) -> None:
    assert retry_after({"Retry-After": text}, 0.0) == expected


def test_retry_after_as_a_date() -> None:
    now = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
    later = format_datetime(now + timedelta(seconds=30), usegmt=True)
    assert retry_after({"Retry-After": later}, now.timestamp()) == 30.0
    assert retry_after({"Retry-After": later}, now.timestamp() + 3600) == 0.0


def test_a_name_is_looked_up() -> None:
    async def story() -> str:
        async with recording() as hook:
            return await post(hook.url.replace("127.0.0.1", "localhost"), timeout=5.0)

    assert asyncio.run(story()) == "204"


def test_a_name_that_there_is_not() -> None:
    """c-ares answers for .onion itself (RFC 7686 §2): nothing leaves the machine."""
    assert (
        str(asyncio.run(failing("http://nobody.onion/hook", timeout=5.0))) == "the name of its host was not found"
    )


def test_nobody_listens() -> None:
    with nobody_listening() as port:
        error = asyncio.run(failing(f"http://127.0.0.1:{port}/hook"))
    assert str(error) == "no connection: Connection refused"


def test_a_huge_answer_is_cut() -> None:
    async def story() -> int:
        served = 0

        async def answer(writer: asyncio.StreamWriter) -> None:
            nonlocal served
            writer.transport.set_write_buffer_limits(0)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                while True:
                    writer.write(b"x" * 65_536)
                    await writer.drain()
                    served += 65_536

        async with recording([answer]) as hook:
            assert await post(hook.url, timeout=5.0) == "200"
        return served

    assert asyncio.run(story()) < 100 * ANSWER_LIMIT  # what the kernel's buffers hold, and not 1 GB


def test_a_body_that_breaks_off_or_never_ends_was_taken() -> None:
    async def story() -> None:
        async with recording([endless(), raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx")]) as hook:
            assert await post(hook.url, timeout=5.0) == "200"
            assert await post(hook.url) == "200"

    asyncio.run(story())


def test_an_answer_that_comes_compressed_is_not_unpacked() -> None:
    bomb = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\n\x1f\x8b\x00"

    async def story() -> str:
        async with recording([raw(bomb)]) as hook:
            return await post(hook.url)

    assert asyncio.run(story()) == "200"


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert sent().path == "/hook"


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    certificate = _self_signed(tmp_path)

    async def story() -> DeliveryError:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

        async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        async with server:
            return await failing(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook", timeout=5.0)

    assert str(asyncio.run(story())) == "its TLS certificate is not valid"


@pytest.mark.parametrize(
    "url",
    [
        f"http://127.0.0.1:1/{CANARY}",
        f"http://{CANARY}.onion/hook",
        f"http://user:{CANARY}@127.0.0.1:1/",
        f"https://127.0.0.1:99999/{CANARY}",
        f"//{CANARY}",
        f"{CANARY}\n",
        f"ftp://127.0.0.1/{CANARY}",
        f"http://[{CANARY}/",
    ],
)
def test_no_error_quotes_the_address(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HOOK", url)
    error = asyncio.run(failing("env:HOOK", timeout=10.0))
    assert CANARY not in str(error)
    assert CANARY not in repr(error.__cause__)


def test_500_then_200_is_delivered_with_the_same_id_and_bytes(secret: str) -> None:
    requests = _delivered([status(500), status(200)], secret, tries=2)
    assert len({request.headers["webhook-id"] for request in requests}) == 1
    assert len({request.body for request in requests}) == 1
    for request in requests:
        Webhook(SECRET).verify(request.body, request.headers)


def test_an_answer_that_is_lost_makes_a_duplicate_with_the_same_id_and_bytes(secret: str) -> None:
    first, second = _delivered([raw(b""), status(200)], secret, tries=2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


def test_a_429_with_retry_after_is_heeded() -> None:
    async def story() -> None:
        async with recording([status(429, retry_after="2")]) as hook:
            outbox = _outbox(hook.url)
            async with dispatching(outbox):
                await until(lambda: bool(outbox.done))
            (_, refused, error), (_, taken, _) = outbox.outcomes
            assert "429 Too Many Requests" in error
            assert taken - refused >= 2.0

    asyncio.run(story())


def test_order_is_kept_through_failures() -> None:
    async def story() -> list[str]:
        async with recording([status(204), status(503)]) as hook:
            outbox = _outbox(hook.url, [PAGE, BROKEN, OK])
            async with dispatching(outbox):
                await until(lambda: len(outbox.done) == 3)
            return [json.loads(request.body)["condition"] for request in hook.requests]

    assert asyncio.run(story()) == ["at_risk", "broken", "broken", "ok"]


def test_a_receiver_that_hangs_does_not_delay_another() -> None:
    async def story() -> None:
        async with recording(otherwise=hang()) as slow, recording() as quick:
            outbox = FakeOutbox()
            addresses = [Address("slow", "webhook", slow.url), Address("quick", "webhook", quick.url)]
            for message in tell_of(contract(operators=addresses), [PAGE, BROKEN, OK]):
                outbox.put(message, seconds())
            async with dispatching(outbox):
                await until(lambda: len(outbox.done) == 3)
                assert {row.address.audience for row in outbox.done} == {"quick"}
                assert len(slow.requests) == 1
                assert outbox.outcomes[:3] == [outcome for outcome in outbox.outcomes if outcome[2] == "204"]

    asyncio.run(story())


def _outbox(url: str, cases: Iterable[Case] = (PAGE,), secret: str = "") -> FakeOutbox:
    outbox = FakeOutbox()
    for message in tell_of(contract(Address("checkout", "webhook", url, secret)), cases):
        outbox.put(message, seconds())
    return outbox


def _delivered(script: list[Answer], secret: str, tries: int) -> list[Request]:
    async def story() -> list[Request]:
        async with recording(script) as hook:
            outbox = _outbox(hook.url, secret=secret)
            async with dispatching(outbox):
                await until(lambda: bool(outbox.done))
            assert len(hook.requests) == tries
            return hook.requests

    return asyncio.run(story())


def _self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file
