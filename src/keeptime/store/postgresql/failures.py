"""What PostgreSQL and its driver raise, said in keeptime's own errors.

Guarantees: no error of psycopg leaves the store, and no password is in what is said.
"""

from contextlib import AbstractContextManager
from types import TracebackType

import psycopg

from keeptime.errors import StoreDamaged, StoreError, StoreUnavailable
from keeptime.store.postgresql.address import Address

_PASSING = {
    "08": "the connection failed",
    "40": "another transaction was in the way",
    "53": "it has run out of disk, memory or connections",
    "55": "something else holds a lock",
    "57": "it is being stopped or started, or ended this",
    "58": "its disk gave an error",
}
"""Classes of SQLSTATE after which trying again helps once the cause is gone."""

_READ_ONLY = "25006"
"""A database that takes no writes: a replica, before it is promoted."""


def said(error: psycopg.Error, address: Address) -> StoreError:
    """The same failure as a person can act on it, with whether trying again helps."""
    text = " ".join(address.without_secrets(str(error)).split())
    code = error.sqlstate or ""
    if code == _READ_ONLY:
        return StoreUnavailable(f"{address.shown}: it takes no writes; nothing was changed ({text})")
    if code[:2] == "XX":
        return StoreDamaged(f"{address.shown}: it is damaged ({text}); it is kept as it is")
    if code[:2] in _PASSING or (not code and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)):
        cause = _PASSING.get(code[:2], "it cannot be reached")
        return StoreUnavailable(f"{address.shown}: {cause}; trying again helps once that is over ({text})")
    return StoreError(f"{address.shown}: {text}")


class Speaking(AbstractContextManager[None]):
    """Any error of psycopg inside is raised as a StoreError."""

    __slots__ = ("_address",)

    def __init__(self, address: Address) -> None:
        self._address = address

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, psycopg.Error):
            raise said(error, self._address) from error
