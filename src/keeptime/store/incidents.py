"""Incidents: written with the change of the alert that starts, worsens or ends them. Runs inside the caller's
transaction.

Guarantees: of one objective at most one is open, and no two overlap; one that is over is kept for 400 days. Of an
older store those are made of which its messages still tell. Knows nothing of how an incident is decided.
"""

import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from keeptime.model.alert import ENDINGS, AlertRow, AlertState, Message, Topic
from keeptime.model.incident import Figures, How, Incident, IncidentQuery, Step, follow, row_told
from keeptime.model.key import ObjectiveKey
from keeptime.model.verdict import Condition, Severity
from keeptime.store.names import Names
from keeptime.store.sql import Database, Value

KEEP_SECONDS = 400 * 86_400.0
"""How long an incident that is over is kept: a year, and what a report of it takes."""

_COLUMNS = (
    "i.id, n.contract, n.name, i.started, i.condition, i.severity, i.reason, i.version, i.ended, i.how, i.omitted"
)
_SHORT = f"SELECT {_COLUMNS}, '[]' FROM incident i JOIN objective n ON n.id = i.objective "
_WHOLE = f"SELECT {_COLUMNS}, i.steps FROM incident i JOIN objective n ON n.id = i.objective "
_NEW = (
    "INSERT INTO incident (id, name, objective, contract, version, started, ended, how, condition, severity, "
    "reason, steps, omitted) "
    "VALUES ((SELECT coalesce(max(id), 0) + 1 FROM incident), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (name) DO UPDATE SET ended = excluded.ended, how = excluded.how, condition = excluded.condition, "
    "severity = excluded.severity, reason = excluded.reason, steps = excluded.steps, omitted = excluded.omitted"
)
_NEWEST = (
    "SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY contract ORDER BY id DESC) AS place FROM incident "
    "WHERE ended IS NULL OR ended >= ?) AS ranked WHERE place <= ?"
)
_MESSAGES = (
    "SELECT m.message_id, n.contract, n.name, m.topic, m.tick, m.body FROM message m "
    "JOIN objective n ON n.id = m.objective ORDER BY m.id"
)
_TOPICS = frozenset(topic.value for topic in Topic)


@dataclass(frozen=True, slots=True)
class Incidents:
    """The table incident of one database."""

    db: Database
    names: Names

    def advance(self, rows: Sequence[AlertRow], messages: Sequence[Message]) -> None:
        """These alerts changed, and this is told of them."""
        waiting = deque(messages)
        for row in rows:
            told = next((each for each in waiting if _tells_of(each, row)), None)
            if told is not None:
                waiting.remove(told)
            for changed in follow(self._newest(row.key), row, told):
                self._put(changed)

    def resume(self, alerts: Sequence[AlertRow]) -> None:
        """Of a store without incidents, those of which its messages tell; what fires no more is over."""
        if self.db.execute("SELECT 1 FROM incident LIMIT 1").fetchone() is not None:
            return
        for name, contract, objective, topic, tick, body in list(self.db.execute(_MESSAGES)):
            if topic in _TOPICS:
                key = ObjectiveKey(contract, objective)
                row = row_told(key, Topic(topic), body)
                if row is not None:
                    self.advance([row], [Message(name, key, Topic(topic), tick, body, ())])
        self.advance(alerts, ())

    def list(self, asked: IncidentQuery) -> tuple[Incident, ...]:
        """Newest first, without their changes. Raises KeyError where there is none to begin after."""
        terms: dict[str, Value] = {}
        if asked.contract:
            terms["i.contract = ?"] = asked.contract
        if asked.objective:
            terms["n.name = ?"] = asked.objective
        if asked.since is not None:
            terms["(i.ended IS NULL OR i.ended >= ?)"] = asked.since
        if asked.after:
            terms["i.id < ?"] = self._number(asked.after)
        states = {None: [], True: ["i.ended IS NULL"], False: ["i.ended IS NOT NULL"]}[asked.open]
        where = " AND ".join([*terms, *states])
        statement = f"{_SHORT}{f'WHERE {where} ' if where else ''}ORDER BY i.id DESC LIMIT ?"
        return tuple(map(_incident, self.db.execute(statement, (*terms.values(), asked.most))))

    def newest_of_each(self, since: float, most: int) -> tuple[Incident, ...]:
        """Of each contract the newest that were not over before, newest first."""
        statement = f"{_SHORT}WHERE i.id IN ({_NEWEST}) ORDER BY i.id DESC"
        return tuple(map(_incident, self.db.execute(statement, (since, most))))

    def one(self, name: str) -> Incident | None:
        """The incident of this id, with its changes."""
        row = self.db.execute(f"{_WHOLE}WHERE i.name = ?", (name,)).fetchone()
        return None if row is None else _incident(row)

    def prune(self, now: float, most: int) -> None:
        """Forget at most so many whose time is over."""
        self.db.execute(
            "DELETE FROM incident WHERE id IN (SELECT id FROM incident WHERE ended < ? ORDER BY ended LIMIT ?)",
            (now - KEEP_SECONDS, most),
        )

    def _newest(self, key: ObjectiveKey) -> Incident | None:
        objective = self.names.objective(key)
        row = self.db.execute(f"{_WHOLE}WHERE i.objective = ? ORDER BY i.id DESC LIMIT 1", (objective,)).fetchone()
        return None if row is None else _incident(row)

    def _number(self, name: str) -> int:
        row = self.db.execute("SELECT id FROM incident WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise KeyError(name)
        return int(row[0])

    def _put(self, one: Incident) -> None:
        values = (
            one.id,
            self.names.objective(one.key),
            one.key.contract,
            one.version,
            one.started,
            one.ended,
            "" if one.how is None else one.how.value,
            one.condition.value,
            None if one.severity is None else one.severity.value,
            one.reason,
            json.dumps([_written(step) for step in one.steps]),
            one.omitted,
        )
        self.db.execute(_NEW, values)


def _tells_of(message: Message, row: AlertRow) -> bool:
    """Is it about what this row is?"""
    if message.key != row.key or message.topic.value not in _TOPICS:
        return False
    return (message.topic in ENDINGS) == (row.state is not AlertState.FIRING)


def _incident(row: tuple[Any, ...]) -> Incident:
    """The columns are those of _COLUMNS, and the changes."""
    _, contract, name, started, condition, severity, reason, version, ended, how, omitted, steps = row
    return Incident(
        ObjectiveKey(contract, name),
        started,
        Condition(condition),
        None if severity is None else Severity(severity),
        reason,
        version,
        ended,
        How(how) if how else None,
        tuple(_read(json.loads(steps))),
        omitted,
    )


def _written(step: Step) -> dict[str, Any]:
    figures = asdict(step.figures)
    return {field.name: getattr(step, field.name) for field in fields(Step)} | {"figures": figures}


def _read(written: list[dict[str, Any]]) -> Iterator[Step]:
    for each in written:
        yield Step(
            each["at"],
            Topic(each["topic"]),
            Condition(each["condition"]),
            None if each["severity"] is None else Severity(each["severity"]),
            tuple(each["tiers"]),
            each["reason"],
            each["message"],
            Figures(**each["figures"]),
        )
