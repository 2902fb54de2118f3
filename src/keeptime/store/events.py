"""Events: changes that may be the cause of something. Runs inside the caller's transaction.

Guarantees: an event that was told under a key is there once, however often it is told; each that was told or seen
is a row of the ledger, and one of a contract has that of its version. Kept for 400 days, and the newest 100,000.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from keeptime.contract.segments import NONE, OTHER, read
from keeptime.model.event import ITSELF, LONGEST_AGO, MOST_KEPT, Event, EventKind, EventQuery
from keeptime.model.key import ObjectiveKey
from keeptime.model.ledger import Json, LedgerKind
from keeptime.store.ledger import Ledger
from keeptime.store.sql import Database, Value

VERSION = "model_version"
"""The attribute of traffic whose new values mark themselves."""

_EVENT = "SELECT id, kind, at, contracts, author, version, said, link, noted, once FROM event "
_OF = "id IN (SELECT event FROM event_of WHERE contract IN (?, ''))"
_NEW = (
    "INSERT INTO event (kind, at, contracts, author, version, said, link, noted, once) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"
)


@dataclass(frozen=True, slots=True)
class Events:
    """The tables event and event_of of one database."""

    db: Database

    def add(self, new: Event) -> Event:
        """The event with its number, and its row of the ledger."""
        made = self._put(new)
        said: Mapping[str, Json] = {
            "event": made.id,
            "kind": made.kind.value,
            "at": made.at,
            "contracts": list(made.contracts),
            "author": made.author,
            "version": made.version,
            "text": made.text,
            "link": made.link,
        }
        contract = made.contracts[0] if len(made.contracts) == 1 else ""
        Ledger(self.db).append(made.noted, LedgerKind.EVENT, contract, said)
        return made

    def of_contract(self, contract: str, version: str, text: str, at: float) -> None:
        """A contract is new, edited or gone; the ledger has that already."""
        self._put(Event(0, EventKind.CONTRACT, at, (contract,), ITSELF, version, text, noted=at))

    def first_seen(
        self, new: Iterable[ObjectiveKey], known: Collection[ObjectiveKey], at: float, now: float
    ) -> None:
        """Of these nothing was ever counted before: mark each version that no objective of its contract had yet.
        The first one of all is no change.
        """
        versions = {(key.contract, found) for key in new if (found := _version_of(key)) is not None}
        for contract, version in sorted(versions):
            before = {_version_of(key) for key in known if key.contract == contract} - {None}
            if before and version not in before:
                text = f"the first request of {VERSION}={version}"
                self.add(Event(0, EventKind.VERSION, at, (contract,), ITSELF, version, text, noted=now))

    def under(self, key: str) -> Event | None:
        """The one that was told under this key."""
        row = self.db.execute(f"{_EVENT}WHERE once = ?", (key,)).fetchone()
        return None if row is None else _event(row)

    def list(self, asked: EventQuery) -> tuple[Event, ...]:
        """Newest first. Raises KeyError where there is none to begin after."""
        terms: dict[str, tuple[Value, ...]] = {}
        if asked.contract:
            terms[_OF] = (asked.contract,)
        if asked.kind is not None:
            terms["kind = ?"] = (asked.kind.value,)
        if asked.since is not None:
            terms["at >= ?"] = (asked.since,)
        if asked.until is not None:
            terms["at < ?"] = (asked.until,)
        if asked.after is not None:
            at = self._instant(asked.after)
            terms["(at < ? OR (at = ? AND id < ?))"] = (at, at, asked.after)
        where = f"WHERE {' AND '.join(terms)} " if terms else ""
        given = [value for values in terms.values() for value in values]
        return tuple(
            map(_event, self.db.execute(f"{_EVENT}{where}ORDER BY at DESC, id DESC LIMIT ?", (*given, asked.most)))
        )

    def around(self, contract: str, start: float, end: float, most: int) -> tuple[Event, ...]:
        """Those of a contract from `start` until `end`, oldest first."""
        statement = f"{_EVENT}WHERE {_OF} AND at BETWEEN ? AND ? ORDER BY at, id LIMIT ?"
        return tuple(map(_event, self.db.execute(statement, (contract, start, end, most))))

    def prune(self, now: float, most: int) -> None:
        """Forget at most so many whose time is over."""
        due = "SELECT id FROM event WHERE at < ? ORDER BY at LIMIT ?"
        self._forget([number for (number,) in self.db.execute(due, (now - LONGEST_AGO, most))])

    def _put(self, new: Event) -> Event:
        values = (
            new.kind.value,
            new.at,
            json.dumps(new.contracts),
            new.author,
            new.version,
            new.text,
            new.link,
            new.noted,
            new.key or None,
        )
        (number,) = self.db.execute(_NEW, values).fetchone()
        self.db.executemany(
            "INSERT INTO event_of VALUES (?, ?)", [(contract, number) for contract in new.contracts or ("",)]
        )
        many = self.db.execute("SELECT id FROM event WHERE id <= ? LIMIT 2", (number - MOST_KEPT,))
        self._forget([old for (old,) in many])
        return replace(new, id=number)

    def _forget(self, numbers: Collection[int]) -> None:
        gone = [(number,) for number in numbers]
        if gone:
            self.db.executemany("DELETE FROM event_of WHERE event = ?", gone)
            self.db.executemany("DELETE FROM event WHERE id = ?", gone)

    def _instant(self, number: int) -> float:
        row = self.db.execute("SELECT at FROM event WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise KeyError(number)
        return float(row[0])


def _version_of(key: ObjectiveKey) -> str | None:
    """The version that a segment is of."""
    found = read(key.objective)
    version = None if found is None else dict(found[1]).get(VERSION)
    return None if version in (NONE, OTHER) else version


def _event(row: tuple[Any, ...]) -> Event:
    number, kind, at, contracts, author, version, text, link, noted, key = row
    of = tuple(json.loads(contracts))
    return Event(number, EventKind(kind), at, of, author, version, text, link, noted, key or "")
