"""Mail through a real SMTP server on loopback: what arrives, how it is protected, and what refusals become."""

import asyncio
import contextlib
import json
import logging
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from keeptime.errors import DeliveryError
from keeptime.model.alert import REPORTED, Address, AlertState, Aside, Delivery
from keeptime.tell.aside import Saying, body
from keeptime.tell.message import canonical
from keeptime.tell.receivers.email import EmailReceiver
from keeptime.tell.wording import REPORT
from keeptime.testing.outbox import FakeOutbox
from keeptime.testing.recorder import hang, recording
from tests.nobody import nobody_listening
from tests.tell.given import BROKEN, OK, PAGE, Case, contract, tell_of
from tests.tell.mail import NAME, PASSWORD, MailServer, certificate, mail_server
from tests.tell.sending import dispatching, seconds, until

TO, FROM = "oncall@example.com", "keeptime@models.example.com"
LOGIN = {"user": "env:MAIL_USER"}


def address(server: str, tls: str = "none", **more: str) -> Address:
    options = (("from", FROM), ("server", server), ("tls", tls), *more.items())
    return Address("checkout", "email", TO, "env:MAIL_PASSWORD" if "user" in more else "", options)


def deliveries(to: Address, *cases: Case) -> list[Delivery]:
    outbox = FakeOutbox()
    for message in tell_of(contract(to), cases or (PAGE,)):
        outbox.put(message, seconds())
    return [row for row, _ in outbox.waiting_rows]


async def send(to: Address, *cases: Case, timeout: float = 5.0) -> None:
    receiver = EmailReceiver(timeout)
    try:
        for delivery in deliveries(to, *cases):
            assert await receiver.send(delivery, seconds()) == "250"
    finally:
        await receiver.close()


async def failing(to: Address, timeout: float = 5.0) -> DeliveryError:
    with pytest.raises(DeliveryError) as error:
        await send(to, timeout=timeout)
    assert PASSWORD not in str(error.value)
    return error.value


def arrived(*cases: Case) -> MailServer:
    async def story() -> MailServer:
        async with mail_server() as server:
            await send(address(server.address), *cases)
            return server

    return asyncio.run(story())


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate that this machine trusts."""
    file = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return file


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_USER", NAME)
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)


def test_a_mail_says_all_that_a_person_asks() -> None:
    server = arrived()
    ((mail, _),) = server.mails
    assert server.envelopes == [(FROM, [TO])]
    assert mail["Subject"] == "sentiment-latency/p99 is at risk (page)"
    assert (mail["From"], mail["To"]) == (f"keeptime <{FROM}>", TO)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    lines = mail.get_content().splitlines()
    assert lines[0] == "sentiment-latency/p99 is at risk (page)."
    said = " ".join(" ".join(lines).split())
    for part in (
        "Promised: 99% of requests under 500ms over 28d, by ml-platform for sentiment",
        "What happened: At this pace the promise will be missed.",
        "Since: 2027-01-15 08:00:00 UTC",
        "How bad: 42 of 3,600 were bad in the window: 1.17%, where 1% is allowed",
        "Budget: 2,377 of the 2,419 that may be bad are left (98.3%); at this pace gone in 6 h",
        "Reason: 42 of 3,600 requests were slow or failed in the last hour",
        "What is next: The next message says that it is broken",
        "runbook: https://wiki.example/sentiment",
    ):
        assert part in said
    assert max(map(len, lines)) <= 100


def test_a_repetition_is_the_same_mail_and_an_alert_is_one_thread() -> None:
    async def story() -> MailServer:
        async with mail_server() as server:
            to = address(server.address)
            await send(to, PAGE, BROKEN, OK)
            await send(to, PAGE)
            return server

    server = asyncio.run(story())
    assert server.raw[0] == server.raw[3]
    ids = [str(mail["Message-ID"]) for mail, _ in server.mails]
    assert ids[0] == ids[3]
    assert len(set(ids)) == 3
    assert ids[0].endswith("@models.example.com>")
    assert len({mail["References"] for mail, _ in server.mails}) == 1
    assert [mail["Subject"].partition(" ")[2] for mail, _ in server.mails[:3]] == [
        "is at risk (page)",
        "is broken (page)",
        "holds again",
    ]


def report(at: float) -> Delivery:
    """As it is sent, with a file whose lines are long."""
    said = Saying(REPORT, REPORTED, "none", AlertState.RESOLVED, "2026-10: met. p99: met", "Nothing.", at)
    file = {"name": "c-2026-10.html", "type": "text/html", "base64": b64encode(b"<p>\xc3\xa9" * 999).decode()}
    told = {**body("m1", contract(), said), "period": "2026-10", "compliance": "met", "attachment": file}
    return Delivery(1, "m1", "sentiment-latency", address("h:25"), Aside.REPORT, canonical(told), 0, at, at)


def test_a_report_comes_as_a_file_and_a_repetition_is_the_same_mail() -> None:
    async def story() -> MailServer:
        async with mail_server() as server:
            receiver = EmailReceiver(5.0)
            for _ in range(2):
                await receiver.send(replace(report(1e9), address=address(server.address)), seconds())
            await receiver.close()
            return server

    first, again = (mail for mail, _ in asyncio.run(story()).mails)
    assert first["Subject"] == "sentiment-latency: report of 2026-10, met"
    text, file = first.iter_parts()
    assert "2026-10: met. p99: met" in " ".join(text.get_content().split())
    assert (file.get_filename(), file.get_content_type()) == ("c-2026-10.html", "text/html")
    assert file.get_payload(decode=True) == b"<p>\xc3\xa9" * 999
    assert max(map(len, first.as_bytes().splitlines())) <= 998
    assert first.as_bytes() == again.as_bytes()


def test_long_domains_do_not_break_the_thread() -> None:
    domain = ".".join(["a" * 60] * 3) + ".example"

    async def story() -> MailServer:
        async with mail_server() as server:
            options = (("from", f"keeptime@{domain}"), ("server", server.address), ("tls", "none"))
            await send(Address("checkout", "email", TO, "", options))
            return server

    (data,) = asyncio.run(story()).raw
    assert f".keeptime@{domain}>".encode() in data
    assert b"=?" not in data.partition(b"\r\n\r\n")[0]


def test_starttls_then_log_in(trusted: Path, password: None) -> None:
    async def story() -> MailServer:
        async with mail_server(certificate=trusted, login=True) as server:
            await send(address(server.address, "starttls", **LOGIN))
            return server

    ((_, encrypted),) = asyncio.run(story()).mails
    assert encrypted


def test_tls_from_the_beginning(trusted: Path, password: None) -> None:
    async def story() -> MailServer:
        async with mail_server(certificate=trusted, first=True, login=True) as server:
            await send(address(server.address, "tls", **LOGIN))
            return server

    assert len(asyncio.run(story()).mails) == 1


def test_starttls_never_goes_on_without_it(password: None) -> None:
    async def story() -> None:
        async with mail_server() as server:
            error = await failing(address(server.address, "starttls", **LOGIN))
            assert str(error) == "it offers no STARTTLS; nothing was sent unencrypted"
            assert error.retry
            assert server.mails == []

    asyncio.run(story())


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_refused(tls: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with mail_server(certificate=certificate(tmp_path), first=tls == "tls") as server:
            error = await failing(address(server.address, tls))
            assert str(error) == "its TLS certificate is not valid"
            assert server.mails == []

    asyncio.run(story())


def test_an_expired_certificate_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        expired = certificate(tmp_path, valid=False)
        monkeypatch.setenv("SSL_CERT_FILE", str(expired))
        async with mail_server(certificate=expired) as server:
            assert str(await failing(address(server.address, "starttls"))) == "its TLS certificate is not valid"

    asyncio.run(story())


def test_a_wrong_password_is_in_no_error(
    password: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = "canary-wrong-4f"
    monkeypatch.setenv("MAIL_PASSWORD", wrong)

    async def story() -> None:
        with caplog.at_level(logging.DEBUG):
            async with mail_server(login=True) as server:
                error = await failing(address(server.address, **LOGIN))
        assert str(error) == "it refused the log-in: 535 5.7.8"
        assert not error.retry
        assert wrong not in str(error)

    asyncio.run(story())
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("keeptime", "aiosmtplib"))]
    assert not any(wrong in text for text in ours)


def test_a_reference_without_a_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAIL_USER", raising=False)

    async def story() -> None:
        async with mail_server() as server:
            error = await failing(address(server.address, **LOGIN))
            assert str(error) == "env:MAIL_USER has no value: the environment variable MAIL_USER is not set"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("refusals", "sentence", "retry"),
    [
        ({"RCPT": "550 5.1.1 canary: no such user"}, "it refused the recipient: 550 5.1.1", False),
        ({"RCPT": "450 4.2.1 greylisted"}, "it refused the recipient: 450 4.2.1", True),
        ({"MAIL": "553 canary"}, "it refused the sender: 553", False),
        ({"DATA": "452 4.3.1 disk full"}, "it refused: 452 4.3.1", True),
        ({"DATA": "554 5.7.1 spam"}, "it refused: 554 5.7.1", False),
        ({"MAIL": "421 4.3.2 shutting down"}, "it refused the sender: 421 4.3.2", True),
    ],
)
def test_a_refusal_says_whether_trying_again_helps(refusals: Mapping[str, str], sentence: str, retry: bool) -> None:
    async def story() -> DeliveryError:
        async with mail_server() as server:
            server.refusals.update(refusals)
            return await failing(address(server.address))

    error = asyncio.run(story())
    assert (str(error), error.retry) == (sentence, retry)


def test_what_hangs_ends_by_the_timeout() -> None:
    async def story() -> None:
        async with recording(otherwise=hang()) as silent:
            where = silent.url.partition("//")[2].partition("/")[0]
            error = await failing(address(where), timeout=0.4)
            assert (str(error), error.retry) == ("no answer within 0.4 s", True)

    asyncio.run(story())


def test_what_is_no_mail_server() -> None:
    async def greeting(data: bytes) -> DeliveryError:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(data)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            return await failing(address(f"127.0.0.1:{server.sockets[0].getsockname()[1]}"))

    assert str(asyncio.run(greeting(b"HTTP/1.1 400 Bad\r\n\r\n"))) == "it answered what is not SMTP"
    assert str(asyncio.run(greeting(b"x" * 1_000_000))) == "it answered what is not SMTP"
    assert str(asyncio.run(greeting(b"554 5.3.2 go away\r\n"))) == "it refused: 554 5.3.2"
    assert str(asyncio.run(greeting(b""))) == "it closed the connection before it took the mail"


def test_nobody_listens_and_nobody_has_the_name() -> None:
    async def story() -> None:
        with nobody_listening() as port:
            error = await failing(address(f"127.0.0.1:{port}"))
            assert str(error) == "no connection: Connection refused"

    asyncio.run(story())


def test_the_dispatcher_sends_again_until_it_is_taken() -> None:
    async def story() -> None:
        async with mail_server() as server:
            server.refusals["DATA"] = "451 4.3.0 later"
            outbox = FakeOutbox()
            for message in tell_of(contract(address(server.address)), [PAGE, OK]):
                outbox.put(message, seconds())
            async with dispatching(outbox, {"email": lambda: EmailReceiver(2.0)}):
                await until(lambda: bool(outbox.outcomes))
                server.refusals.clear()
                await until(lambda: len(outbox.done) == 2)
            assert [mail["Subject"].partition(" ")[2] for mail, _ in server.mails] == [
                "is at risk (page)",
                "holds again",
            ]

    asyncio.run(story())


def test_what_stands_in_a_contract_is_inert() -> None:
    evil = "x\r\nBcc: canary@example.com\r\n\r\n<script>{{ 7*7 }}"

    async def story() -> MailServer:
        async with mail_server() as server:
            receiver = EmailReceiver()
            (delivery,) = deliveries(address(server.address))
            body = json.loads(delivery.body) | {"contract": evil, "reason": evil, "links": {evil: evil}}
            await receiver.send(replace(delivery, body=json.dumps(body).encode()), seconds())
            await receiver.close()
            return server

    server = asyncio.run(story())
    ((mail, _),) = server.mails
    assert mail["Bcc"] is None
    assert server.envelopes == [(FROM, [TO])]
    assert "<script>{{ 7*7 }}" in mail.get_content()
    assert mail.get_content_type() == "text/plain"


def test_a_handshake_that_breaks_off_is_not_called_a_timeout() -> None:
    async def story() -> DeliveryError:
        done = asyncio.Event()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            said = (b"220 mail.test\r\n", b"250-mail.test\r\n250 STARTTLS\r\n", b"220 go on\r\n", b"not TLS\r\n")
            with contextlib.suppress(ConnectionError):
                for line in said:
                    writer.write(line)
                    await reader.read(4096)
                writer.close()
                await writer.wait_closed()
            done.set()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            error = await failing(address(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", "starttls"))
            await done.wait()
            return error

    assert str(asyncio.run(story())) == "TLS failed"
