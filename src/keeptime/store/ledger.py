"""The ledger: what can be proven, one row per event, in a chain of hashes. Runs inside the caller's transaction.

Guarantees: a row is appended together with what it tells of, or not at all; rows have no gap and are never changed;
each one's hash covers it and the hash before it. The same row has the same hash everywhere, for it is taken over
canonical JSON (RFC 8785). Knows nothing of what its rows mean.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import rfc8785

from keeptime.model.ledger import Json, LedgerHead, LedgerKind, LedgerQuery, LedgerRow
from keeptime.store.sql import Database

_COLUMNS = "seq, at, kind, contract, fields, hash"
_ROWS = (
    "SELECT l.seq, l.at, l.kind, l.contract, l.fields, p.hash, l.hash FROM ledger l "
    "LEFT JOIN ledger p ON p.seq = l.seq - 1 "
)
_PAGE = 1000
_HEAD = "SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Ledger:
    """The table `ledger` of one database."""

    db: Database

    def append(self, at: float, kind: LedgerKind, contract: str, fields: Mapping[str, Json]) -> LedgerHead:
        """One more row: what happened at these Unix seconds. Never give it the value of a secret.

        Numbers are whole ones below 2^53, or floats. Raises ValueError where RFC 8785 cannot say the fields.
        """
        before = self.head()
        said = canonical(fields)
        seq = before.seq + 1
        found = row_hash(seq, at, kind.value, contract, said, before.hash)
        values = (seq, at, kind.value, contract, said.decode(), found)
        self.db.execute(f"INSERT INTO ledger ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", values)
        return LedgerHead(seq, found)

    def head(self) -> LedgerHead:
        """The newest row's number and hash."""
        row = self.db.execute(_HEAD).fetchone()
        return LedgerHead() if row is None else LedgerHead(*row)

    def rows(self, asked: LedgerQuery) -> tuple[LedgerRow, ...]:
        """As they stand, oldest first. Whether they are what was written is `chain`'s to say."""
        wanted = {
            "l.seq > ?": asked.after,
            "l.seq < ?": asked.before,
            "l.kind = ?": asked.kind or None,
            "l.contract = ?": asked.contract or None,
            "l.at >= ?": asked.since,
        }
        given = {term: value for term, value in wanted.items() if value is not None}
        where = f"WHERE {' AND '.join(given)} " if given else ""
        order = "l.seq DESC" if asked.after is None else "l.seq"
        found = map(_row, self.db.execute(f"{_ROWS}{where}ORDER BY {order} LIMIT ?", (*given.values(), asked.most)))
        return tuple(sorted(found, key=lambda row: row.seq))

    def all(self) -> Iterator[LedgerRow]:
        """Every row, oldest first."""
        asked = LedgerQuery(after=0, most=_PAGE)
        while found := self.rows(asked):
            yield from found
            asked = replace(asked, after=found[-1].seq)


def canonical(value: Json) -> bytes:
    """RFC 8785. Half a surrogate pair, of which it knows nothing, becomes "?". Raises ValueError."""
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError:
        return rfc8785.dumps(_plain(value))


def row_hash(seq: int, at: float, kind: str, contract: str, fields: bytes, previous: str) -> str:
    """SHA-256 of the canonical JSON of a row without its hash; `fields` is canonical already.

    The members stand in the order that RFC 8785 gives them.
    """
    parts = (canonical(at), canonical(contract), fields, canonical(kind), canonical(previous), canonical(seq))
    row = b'{"at":%b,"contract":%b,"fields":%b,"kind":%b,"previous":%b,"seq":%b}' % parts
    return hashlib.sha256(row).hexdigest()


def _row(found: tuple[int, float, str, str, str, str | None, str]) -> LedgerRow:
    seq, at, kind, contract, fields, previous, own = found
    return LedgerRow(seq, at, kind, contract, _fields(fields), previous or LedgerHead().hash, own)


def _fields(text: str) -> Mapping[str, Json]:
    """What was written; of a text that was never written so, a value that has another hash."""
    with suppress(ValueError, RecursionError):
        value: Mapping[str, Json] = json.loads(text)
        if canonical(value).decode() == text:
            return value
    return {"unreadable": text}


def _plain(value: Json) -> Json:
    """As the library takes it: dicts, lists and texts of whole characters."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {str(_plain(name)): _plain(each) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [_plain(each) for each in value]
    return value
