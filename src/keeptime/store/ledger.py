"""The ledger: what can be proven, one row per event, in a chain of hashes. Runs inside the caller's transaction.

Guarantees: a row is appended together with what it tells of, or not at all; rows have no gap and are never changed;
each one's hash covers it and the hash before it. The same row has the same hash everywhere, for it is taken over
canonical JSON (RFC 8785). Knows nothing of what its rows mean.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import rfc8785

from keeptime.model.ledger import Json, LedgerHead, LedgerKind
from keeptime.store.sql import Database

_COLUMNS = "seq, at, kind, contract, fields, hash"
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


def _plain(value: Json) -> Json:
    """As the library takes it: dicts, lists and texts of whole characters."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {str(_plain(name)): _plain(each) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [_plain(each) for each in value]
    return value
