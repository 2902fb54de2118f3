"""The address of `email`: who gets the mail, and which server takes it.

Guarantees: addresses and server can stand in SMTP commands and headers as they are; user and password are
references.
"""

import re
from enum import StrEnum

from keeptime.contract.addressing import UNNAMED, Kind, TargetShape, written_ref
from keeptime.contract.kinds import Choice
from keeptime.contract.nodes import Place
from keeptime.contract.references import Ref
from keeptime.contract.report import Report, quote
from keeptime.contract.shapes import Field, Row, Table
from keeptime.model.alert import Address
from keeptime.model.reach import host_refusal


class Tls(StrEnum):
    """How the way to the mail server is encrypted: after STARTTLS, from the beginning, or not at all."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


SHORT = re.compile(r"(?P<to>\S+) +via +(?P<server>\S+)")
_MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?P<domain>\S+)")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*")
_SERVER = re.compile(r"(?P<host>[^\s:\[\]]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})")
LOOPBACK = re.compile(r"localhost|127\.[0-9.]+|::1")
SMTPS = 465
"""The port where TLS comes first (RFC 8314)."""


def mailbox(text: str, place: Place, report: Report, what: str) -> str:
    """One address: a dotted name of ASCII letters, '@', a domain (RFC 5321 without quotes and literals)."""
    found = _MAILBOX.fullmatch(text)
    if found is None or len(text) > 254 or _NAME.fullmatch(found["domain"]) is None:
        message = f"{what}: {quote(text)} is no mail address; expected one such as oncall@example.com"
        raise report.spoil(place, "bad-email", message)
    return text


def server(text: str, place: Place, report: Report, what: str) -> str:
    """HOST:PORT; an IPv6 address stands in brackets."""
    found = _SERVER.fullmatch(text)
    named = found is not None and (found["host"].startswith("[") or _NAME.fullmatch(found["host"]) is not None)
    if found is None or not named or not 0 < int(found["port"]) < 65_536:
        message = f"{what}: {quote(text)}; expected a mail server as HOST:PORT such as mail.example.com:587"
        raise report.spoil(place, "bad-server", message)
    if refused := host_refusal(host_and_port(text)[0]):
        raise report.spoil(place, "refused-address", f"{what}: {quote(text)}: {refused}")
    return text


def host_and_port(text: str) -> tuple[str, int]:
    """The parts of what `server` accepted."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


TO = Field("to", TargetShape(mailbox, "a mail address such as oncall@example.com"), "Who gets it.", required=True)
FROM = Field(
    "from", TargetShape(mailbox, "a mail address"), "The sender, also of bounces.", default="the address of `to`"
)
SERVER = Field("server", TargetShape(server, "HOST:PORT"), "The mail server that takes it.", required=True)
TLS = Field(
    "tls",
    Choice(Tls),
    "How the way there is encrypted; starttls never goes on without.",
    default="tls at port 465, none on loopback, else starttls",
)
USER = Field("user", Ref(), "The name to log in with, by reference; needs password.")
PASSWORD = Field("password", Ref(), "The password, by reference; needs user.")


def _email(row: Row) -> Address:
    to, place = row.need(TO), row.need(SERVER)
    tls = row.get(TLS, usual(place))
    user, password = row.get(USER, None), row.get(PASSWORD, None)
    if (user is None) != (password is None):
        missing = "password" if password is None else "user"
        message = f"{row.what}: the key '{missing}' is missing; to log in takes user and password"
        raise row.report.spoil(row.place, "login-incomplete", message)
    if user is not None and tls is Tls.NONE and not _loopback(place):
        message = f"{row.what}: the password goes unencrypted to {place}; write tls: starttls"
        row.report.warning(row.place, "password-unencrypted", message)
    return _address(to, row.get(FROM, to), place, tls, written_ref(user), written_ref(password))


def _short(text: str, place: Place, report: Report, what: str) -> Address:
    """`TO via HOST:PORT`."""
    found = SHORT.fullmatch(text.strip())
    if found is None:
        message = f"{what}: {quote(text)}; expected email:ADDRESS via HOST:PORT, or the long form"
        raise report.spoil(place, "bad-receiver", message)
    to = mailbox(found["to"], place, report, what)
    where = server(found["server"], place, report, what)
    return _address(to, to, where, usual(where))


def usual(where: str) -> Tls:
    """The encryption where a contract says none."""
    if host_and_port(where)[1] == SMTPS:
        return Tls.TLS
    return Tls.NONE if _loopback(where) else Tls.STARTTLS


def _loopback(where: str) -> bool:
    return LOOPBACK.fullmatch(host_and_port(where)[0]) is not None


def _address(to: str, sender: str, where: str, tls: Tls, user: str = "", password: str = "") -> Address:
    options = (("from", sender), ("server", where), ("tls", str(tls)), ("user", user))
    return Address(UNNAMED, "email", to, password, tuple((name, value) for name, value in options if value))


EMAIL_TABLE = Table("email", "A mail in plain text, by SMTP.", (TO, FROM, SERVER, TLS, USER, PASSWORD), _email)
EMAIL = Kind(_short, EMAIL_TABLE)
