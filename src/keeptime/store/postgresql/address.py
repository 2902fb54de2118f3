"""Where the database is: what `--store` says, understood.

Guarantees: a password is in no text that is shown, logged or raised; one that was written on the command line,
where every user of the machine can read it, is refused. Opens no connection.
"""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from keeptime.contract.secrets import resolve
from keeptime.errors import SecretError, UsageError
from keeptime.redaction import remember

SCHEMES = ("postgresql", "postgres")
_EXPECTED = "expected postgresql://USER@HOST:PORT/DATABASE, with %-codes for what is no letter, digit or -._~"


@dataclass(frozen=True, slots=True)
class Address:
    """`shown`: fit for people. `url`: for libpq, maybe with a password; it is not in the `repr`."""

    shown: str
    url: str = field(repr=False)
    password: str = field(repr=False, default="")

    def without_secrets(self, text: str) -> str:
        """The same text without the password, whatever the driver wrote."""
        hidden = text.replace(self.url, self.shown)
        return hidden.replace(self.password, "***") if len(self.password) > 2 else hidden


def address_of(text: str) -> Address:
    """`postgresql://…` without a password, or `env:NAME` or `file:PATH` with one that may have it.

    Raises UsageError, which quotes nothing that could be a secret.
    """
    written = text.startswith(tuple(f"{scheme}://" for scheme in SCHEMES))
    if not written and not text.startswith(("env:", "file:")):
        raise UsageError(f"--store: {_EXPECTED}, or env:NAME or file:PATH that holds one")
    try:
        url = text if written else resolve(text).strip()
    except SecretError as error:
        raise UsageError(f"--store: {error}") from error
    found = _understood(url)
    if written and found.password:
        raise UsageError(
            "--store: a password on the command line can be read by every user of this machine; give it in "
            "PGPASSWORD or a password file (~/.pgpass), or put the whole URL into --store env:NAME or file:PATH"
        )
    return found


def _understood(url: str) -> Address:
    try:
        if urlsplit(url).scheme not in SCHEMES:
            raise ValueError
        parts = conninfo_to_dict(url)
        named = (str(parts.get(name) or "") for name in ("host", "dbname"))
        if any(map(_doubtful, named)) or not _ports(parts.get("port")):
            raise ValueError
    except (ValueError, ProgrammingError):  # their texts may quote a part of a password
        raise UsageError(f"--store: this is no URL of a PostgreSQL database; {_EXPECTED}") from None
    user, host, port, name = (str(parts.get(each) or "") for each in ("user", "host", "port", "dbname"))
    shown = f"postgresql://{user}{'@' if user else ''}{host}{':' if port else ''}{port}/{name}"
    password = unquote(str(parts.get("password") or ""))
    remember(password)
    return Address(shown, url, password)


def _doubtful(part: str) -> bool:
    """Of a password with a "/" that was not written as %2F the rest would stand here."""
    return "@" in part


def _ports(port: str | int | None) -> bool:
    return all(each.isdigit() for each in str(port or "0").split(","))
