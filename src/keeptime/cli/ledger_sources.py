"""Where `keeptime ledger` reads from: a store, a running keeptime, or a file that was exported.

Guarantees: a store is only read, in one piece, also while a daemon writes to it; of a row that cannot be read the
error says which.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

from platformdirs import user_state_path

from keeptime.cli.asking import USUAL, NoAnswer, ask
from keeptime.errors import KeeptimeError, UsageError
from keeptime.model.ledger import LedgerHead, LedgerQuery, LedgerRow, Verified
from keeptime.store.audit import Audit
from keeptime.store.chain import verified
from keeptime.store.ledger import Ledger
from keeptime.store.looking import looking_at
from keeptime.store.opening import FILE
from keeptime.store.sql import Database
from keeptime.store.versions import Versions
from keeptime.web.ledger import LARGEST, row_json

Row = Mapping[str, Any]


class Source(Protocol):
    """A ledger, wherever it is."""

    def newest(self, asked: LedgerQuery) -> Sequence[Row]: ...

    def head(self) -> LedgerHead: ...

    def all(self) -> Iterator[Row]: ...

    def verify(self, anchors: Sequence[LedgerHead]) -> Verified: ...


@contextmanager
def source_of(url: str | None, data: str | None, store: str | None, token: str) -> Iterator[Source]:
    """What is meant. Where nothing was given: the keeptime that runs here, or the user's own store."""
    if data is None and store is None:
        where = url or USUAL
        try:
            ask(where, "ledger?limit=1", token=token)
        except NoAnswer:
            if url or not (_usual() / FILE).is_file():
                raise
        else:
            yield Running(where, token)
            return
    with looking(data, store) as db:
        yield InStore(db)


def versions(data: str | None, store: str | None, contract: str) -> Sequence[Row]:
    """Every use of a version of this contract, newest first."""
    with looking(data, store) as db:
        return [
            {
                "version": each.of.version,
                "since": each.since,
                "until": each.until,
                "file": each.of.file,
                "written": json.loads(each.of.written),
            }
            for each in Versions(db).all(contract)
        ]


@dataclass(frozen=True, slots=True)
class InStore:
    """A store; its other tables are compared, too."""

    db: Database

    def newest(self, asked: LedgerQuery) -> Sequence[Row]:
        return [row_json(row) for row in Ledger(self.db).rows(asked)]

    def head(self) -> LedgerHead:
        return Ledger(self.db).head()

    def all(self) -> Iterator[Row]:
        return map(row_json, Ledger(self.db).all())

    def verify(self, anchors: Sequence[LedgerHead]) -> Verified:
        audit = Audit(self.db)
        found = verified(audit.seeing(Ledger(self.db).all()), anchors)
        return found if found.fault else replace(found, differences=audit.differences())


@dataclass(frozen=True, slots=True)
class Running:
    """A keeptime that answers here. `token`: a reference."""

    url: str
    token: str

    def newest(self, asked: LedgerQuery) -> Sequence[Row]:
        given = {"kind": asked.kind, "contract": asked.contract, "since": asked.since, "limit": asked.most}
        words = urlencode({name: value for name, value in given.items() if value not in ("", None)})
        return list(ask(self.url, f"ledger?{words}", token=self.token)["ledger"])

    def head(self) -> LedgerHead:
        newest = ask(self.url, "ledger?limit=1", token=self.token)
        return LedgerHead.read(newest["head"]["anchor"])

    def all(self) -> Iterator[Row]:
        after: int | None = 0
        while after is not None:
            page = ask(self.url, f"ledger?after={after}&limit={LARGEST}", token=self.token)
            yield from page["ledger"]
            after = page["next"]

    def verify(self, anchors: Sequence[LedgerHead]) -> Verified:
        return verified((_read(row, self.url) for row in self.all()), anchors)


def exported(path: Path) -> Iterator[LedgerRow]:
    """The rows of a file that `export` wrote. Raises KeeptimeError."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                yield _parsed(line, f"{path}:{number}")
    except OSError as error:
        raise KeeptimeError(f"{path}: it cannot be read ({error.strerror})") from error


def _parsed(line: bytes, where: str) -> LedgerRow:
    try:
        return _read(json.loads(line), where)
    except (ValueError, RecursionError):
        raise KeeptimeError(f"{where}: this is no row of a ledger; expected a line of `export`") from None


def _read(row: Row, where: str) -> LedgerRow:
    """The row; its values are whatever they are. Raises KeeptimeError where it is none."""
    match row:
        case {"seq": int(seq), "at": at, "kind": kind, "contract": contract, "fields": fields,
              "previous": previous, "hash": own} if not isinstance(seq, bool):  # fmt: skip
            return LedgerRow(seq, at, kind, contract, fields, previous, own)
    raise KeeptimeError(f"{where}: this is no row of a ledger; expected one as `export` writes it")


def looking(data: str | None, store: str | None) -> AbstractContextManager[Database]:
    """The store in this directory, in this pair's database, or the user's own: only to be read."""
    if store is None:
        return looking_at(_usual() if data is None else Path(data))
    try:
        from keeptime.store.postgresql.address import address_of
        from keeptime.store.postgresql.looking import looking_into
    except ImportError as error:
        raise UsageError(f"--store needs psycopg ({error}); pip install 'keeptime[postgresql]'") from error
    return looking_into(address_of(store))


def _usual() -> Path:
    return user_state_path("keeptime")
