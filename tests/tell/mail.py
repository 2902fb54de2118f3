"""A mail server on loopback: aiosmtpd, which speaks SMTP as the RFCs say; what it answers can be changed."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NAME, PASSWORD = "keeptime", "canary-7c1e-password"


@dataclass(slots=True)
class MailServer:
    """`mails`: what was taken, each with whether it came over TLS. `refusals`: answers by command ("RCPT", "DATA").

    `seen`: every SMTP command that reached a handler.
    """

    refusals: dict[str, str] = field(default_factory=dict)
    mails: list[tuple[EmailMessage, bool]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    hello: list[str] = field(default_factory=list)
    address: str = ""

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.hello.append(hostname)
        return responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "MAIL" in self.refusals:
            return self.refusals["MAIL"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "RCPT" in self.refusals:
            return self.refusals["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if "DATA" in self.refusals:
            return self.refusals["DATA"]
        content = cast("bytes", envelope.content)
        mail = cast("EmailMessage", message_from_bytes(content, policy=policy.SMTP))
        self.mails.append((mail, session.ssl is not None))
        self.raw.append(content)
        self.envelopes.append((str(envelope.mail_from), [*envelope.rcpt_tos]))
        return "250 2.0.0 queued"


def _known(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    if isinstance(data, LoginPassword) and (data.login, data.password) == (NAME.encode(), PASSWORD.encode()):
        return AuthResult(success=True)
    return AuthResult(success=False, handled=False)


@asynccontextmanager
async def mail_server(
    *, certificate: Path | None = None, first: bool = False, login: bool = False
) -> AsyncIterator[MailServer]:
    """With a certificate it offers STARTTLS, or speaks TLS `first`; `login`: it takes nothing without."""
    state = MailServer()
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()

    def session() -> SMTP:
        with warnings.catch_warnings():  # it warns of a log-in without TLS, which is what is tried
            warnings.simplefilter("ignore")
            return SMTP(
                state,
                hostname="mail.test",
                loop=loop,
                tls_context=None if first else context,
                authenticator=_known if login else None,
                auth_required=login,
                auth_require_tls=False,
            )

    server = await loop.create_server(session, "127.0.0.1", 0, ssl=context if first else None)
    state.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield state
    finally:
        server.close()
        await asyncio.sleep(0.01)  # the sessions' own tasks end


def certificate(folder: Path, *, valid: bool = True) -> Path:
    """A self-signed certificate of 127.0.0.1 with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=1 if valid else -1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "mail.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file
