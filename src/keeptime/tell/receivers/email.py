"""`email:ADDRESS via HOST:PORT`: one mail in plain text per message, by SMTP; a report comes as a file with it.

Guarantees: the same message is the same mail, byte for byte, with the same Message-ID, so mailboxes drop or thread
repeats; all mails of one alert refer to one thread. TLS is verified, and `starttls` never goes on without it. A
fresh connection each time, to an address that was checked, ended within the timeout. User and password are looked
up when sending. No error repeats what the server wrote but its codes: the text may hold anything.
"""

import asyncio
import os
import re
import socket
import ssl
import textwrap
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from hashlib import sha256

import aiosmtplib
from aiohttp.abc import AbstractResolver, ResolveResult

from keeptime.contract.mailing import Tls, host_and_port
from keeptime.errors import DeliveryError
from keeptime.model.alert import Address, Delivery
from keeptime.model.reach import Reach
from keeptime.tell.receivers.lookup import looked_up
from keeptime.tell.receivers.names import Names, Reachable, check_host
from keeptime.tell.wording import Attached, Wording, attached, decided, worded

TIMEOUT = 30.0
"""Seconds for the whole exchange. More than for HTTP: servers make strangers wait before they greet."""

GOODBYE = 1.0
"""Seconds that the server has to answer QUIT. The mail is taken by then."""

WIDTH = 76
_POLICY = SMTP_POLICY.clone(max_line_length=998, cte_type="7bit")
"""The longest line that RFC 5321 allows: at 78 Python encodes a long id in References, which breaks it."""

_ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")


class EmailReceiver:
    """One for all mail servers. `timeout`: seconds for one attempt; `names`: who looks host names up, its own."""

    def __init__(self, timeout: float = TIMEOUT, names: AbstractResolver | None = None) -> None:
        self._timeout = timeout
        self._names = Names() if names is None else names

    async def send(self, delivery: Delivery, now: float) -> str:  # noqa: ARG002 - a Protocol's signature
        address = delivery.address
        mail = composed(address, worded(delivery.body), decided(delivery.body), delivery.message_id)
        attach(mail, attached(delivery.body), delivery.message_id)
        try:
            async with asyncio.timeout(self._timeout):
                client = await self._connected(address)
                try:
                    await client.sendmail(address.option("from"), [address.target], mail.as_bytes(policy=_POLICY))
                except BaseException:
                    client.close()
                    raise
        except aiosmtplib.SMTPException as error:  # before TimeoutError: it names an aborted handshake one
            raise failure(error) from None
        except TimeoutError:
            raise DeliveryError(f"no answer within {self._timeout:g} s") from None
        except (OSError, ValueError) as error:
            raise failure(error) from None
        await _goodbye(client)
        return "250"

    async def close(self) -> None:
        await self._names.close()

    async def _connected(self, address: Address) -> aiosmtplib.SMTP:
        """Greeted, encrypted and logged in, as the address says."""
        host, port = host_and_port(address.option("server"))
        tls = Tls(address.option("tls"))
        user, password = address.option("user"), address.secret
        login = (looked_up(user, secret=False), looked_up(password)) if user else (None, None)
        context = None if tls is Tls.NONE else await asyncio.to_thread(ssl.create_default_context)
        there = await self._socket(host, port, address.reach)
        client = aiosmtplib.SMTP(
            hostname=host,
            sock=there,
            local_hostname=_literal(there),
            username=login[0],
            password=login[1],
            timeout=None,
            use_tls=tls is Tls.TLS,
            start_tls=tls is Tls.STARTTLS,
            tls_context=context,
        )
        await client.connect()  # the socket is its own from here on
        return client

    async def _socket(self, host: str, port: int, reach: Reach) -> socket.socket:
        """Connected to the name's first address that takes it; each has its share of the time. Raises OSError."""
        found = await self._resolved(host, port, reach)
        last: OSError = OSError(None, "the name has no address")
        for node in found:
            try:
                async with asyncio.timeout(self._timeout / len(found)):
                    return await _connect(node)
            except OSError as error:  # a TimeoutError too
                last = error
        raise last

    async def _resolved(self, host: str, port: int, reach: Reach) -> list[ResolveResult]:
        check_host(host, reach)
        try:
            return await Reachable(self._names, reach).resolve(host, port)
        except OSError:
            raise DeliveryError("the name of its host was not found") from None


async def _connect(node: ResolveResult) -> socket.socket:
    there = socket.socket(socket.AddressFamily(node["family"]), socket.SOCK_STREAM)
    there.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(there, (node["host"], node["port"]))
    except BaseException:
        there.close()
        raise
    return there


def _literal(there: socket.socket) -> str:
    """Our name for EHLO: the address itself (RFC 5321 §4.1.3), for which nobody must be asked."""
    own = there.getsockname()[0].partition("%")[0]
    return f"[IPv6:{own}]" if there.family == socket.AF_INET6 else f"[{own}]"


async def _goodbye(client: aiosmtplib.SMTP) -> None:
    with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        async with asyncio.timeout(GOODBYE):
            await client.quit()
    client.close()


def composed(address: Address, words: Wording, at: datetime, message_id: str) -> EmailMessage:
    """The mail of a message; the same for every attempt."""
    sender = address.option("from")
    domain = sender.rpartition("@")[2]
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = f"keeptime <{sender}>"
    mail["To"] = address.target
    mail["Subject"] = words.title
    mail["Date"] = at
    mail["Message-ID"] = f"<{message_id}@{domain}>"
    thread = f"<{sha256(words.incident.encode()).hexdigest()[:32]}.keeptime@{domain}>"
    mail["In-Reply-To"] = thread
    mail["References"] = thread
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine answers
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(text(words), charset="utf-8")
    return mail


def attach(mail: EmailMessage, file: Attached | None, message_id: str) -> None:
    """The file beside the text, if there is one; the same bytes for every attempt."""
    if file is None:
        return
    kind, _, subtype = file.type.partition("/")
    part = EmailMessage(policy=_POLICY.clone(max_line_length=78))
    part.set_content(file.data, maintype=kind, subtype=subtype, disposition="attachment", filename=file.name)
    del part["MIME-Version"]
    mail.make_mixed(boundary=f"=_{sha256(message_id.encode()).hexdigest()[:40]}")
    mail.attach(part)


def text(words: Wording) -> str:
    """The mail's body: a heading and its sentence, one after the other, then the links."""
    column = max(len(heading) for heading, _ in words.lines) + 3
    lines = [f"{words.title}.", ""]
    for heading, sentence in words.lines:
        lines += textwrap.wrap(
            sentence,
            WIDTH,
            initial_indent=f"{heading}:".ljust(column),
            subsequent_indent=" " * column,
            break_long_words=False,
            break_on_hyphens=False,
        )
    if words.links:
        lines += ["", *(f"{name}: {url}" for name, url in words.links)]
    return "\n".join([*lines, "", "-- ", words.footer, ""])


def failure(error: Exception) -> DeliveryError:
    """What went wrong. 5xx is final, says the server (RFC 5321 §4.2.1); all else may pass."""
    match error:
        case aiosmtplib.SMTPRecipientsRefused():
            return failure(error.recipients[0])
        case aiosmtplib.SMTPAuthenticationError():
            return _answered("refused the log-in", error)
        case aiosmtplib.SMTPSenderRefused():
            return _answered("refused the sender", error)
        case aiosmtplib.SMTPRecipientRefused():
            return _answered("refused the recipient", error)
        case aiosmtplib.SMTPResponseException():
            return _answered("refused", error)
        case ssl.SSLCertVerificationError():
            return DeliveryError("its TLS certificate is not valid")
        case ssl.SSLError():
            return DeliveryError("TLS failed")
        case aiosmtplib.SMTPTimeoutError():  # no other, for no timeout of its own is set
            return DeliveryError("TLS failed")
        case aiosmtplib.SMTPConnectError() if isinstance(error.__cause__, OSError | ValueError):
            return failure(error.__cause__)
        case aiosmtplib.SMTPServerDisconnected():
            return DeliveryError("it closed the connection before it took the mail")
        case aiosmtplib.SMTPException():
            return _unable(error)
        case OSError(errno=int(number)):
            return DeliveryError(f"no connection: {os.strerror(number)}")
        case _:
            return DeliveryError(f"it cannot be reached ({type(error).__name__})")


def _answered(what: str, error: aiosmtplib.SMTPResponseException) -> DeliveryError:
    """ "it refused the recipient: 550 5.1.1": the codes alone."""
    if error.code < 0:
        return DeliveryError("it answered what is not SMTP")
    enhanced = _ENHANCED.match(error.message)
    codes = f"{error.code} {enhanced[1]}" if enhanced else str(error.code)
    return DeliveryError(f"it {what}: {codes}", retry=not 500 <= error.code < 600)


def _unable(error: aiosmtplib.SMTPException) -> DeliveryError:
    """The library's own words about what a server does not offer, which are not the server's."""
    if "STARTTLS" in error.message:
        return DeliveryError("it offers no STARTTLS; nothing was sent unencrypted")
    if "auth" in error.message.lower():
        return DeliveryError("it offers no way to log in that is known here")
    return DeliveryError("it does not offer what is needed")
