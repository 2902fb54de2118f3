"""A connection to PostgreSQL as the store needs it: its types, its settings, and its end from another thread.

Guarantees: what is committed is synced, whatever the database's default; a peer that is gone is noticed within
seconds; whole numbers come and go as BIGINT and a sum of them is one.
"""

import contextlib
import os
import socket

import psycopg
from psycopg import Connection
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumperUnknown

from keeptime.errors import StoreError
from keeptime.store.postgresql.address import Address
from keeptime.store.postgresql.failures import Speaking

SCHEMA = "keeptime"
CONNECT_SECONDS = 4
_NETWORK = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 3,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 7_000,
}
_SETTINGS = (
    f"SET search_path TO {SCHEMA}; SET statement_timeout TO '60s'; SET lock_timeout TO '20s'; "
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)


class _Whole(Int8Dumper):
    """Every whole number, and true and false as 1 and 0, as SQLite has them."""

    def dump(self, obj: int) -> bytes:
        return b"%d" % obj


class _Text(StrDumperUnknown):
    """PostgreSQL takes no NUL and no half of a surrogate pair; what was said by others may have them."""

    def dump(self, obj: str) -> bytes:
        return obj.replace("\x00", "\ufffd").encode("utf-8", "replace")


class _Sum(psycopg.adapt.Loader):
    """The store has no NUMERIC of its own: one that comes is a sum of whole numbers."""

    def load(self, data: bytes | bytearray | memoryview) -> int | float:
        text = bytes(data).decode("ascii")
        return float(text) if "." in text else int(text)


def connect(address: Address, name: str) -> Connection:
    """Open one. `name`: who this is, for `pg_stat_activity` and for whoever must end it.

    Raises StoreUnavailable, or StoreError where waiting does not help.
    """
    with Speaking(address):
        found = psycopg.connect(address.url, autocommit=True, application_name=name, **_NETWORK)  # type: ignore[arg-type]
        try:
            _prepare(found, address)
        except BaseException:
            found.close()
            raise
        return found


def _prepare(found: Connection, address: Address) -> None:
    if found.info.parameter_status("server_encoding") != "UTF8":
        raise StoreError(f"{address.shown}: its encoding must be UTF8; create the database with ENCODING 'UTF8'")
    for kind in (int, bool):
        found.adapters.register_dumper(kind, _Whole)
    found.adapters.register_dumper(str, _Text)
    found.adapters.register_loader("numeric", _Sum)
    found.execute(_SETTINGS)


def cut(connection: Connection | None) -> None:
    """From any thread: whoever waits on this connection gets an error now; the server notices its end."""
    if connection is None or connection.closed:
        return
    with contextlib.suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as shared:
        shared.shutdown(socket.SHUT_RDWR)
