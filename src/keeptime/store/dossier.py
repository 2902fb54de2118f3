"""All that the store knows of one incident: who was told of it and what they answered, who took it on, what was
silenced meanwhile, what was changed shortly before. Reads alone, inside the caller's step.

Guarantees: what was told is read from the outbox, which keeps a delivered message for 90 days; later the ledger
alone says so.
"""

from dataclasses import dataclass

from keeptime.model.ack import Ack
from keeptime.model.alert import topic_of
from keeptime.model.event import BEFORE, Event
from keeptime.model.explanation import explained_id
from keeptime.model.incident import SAME, Dossier, Incident, Told
from keeptime.model.silence import Silence
from keeptime.store.events import Events
from keeptime.store.incidents import Incidents
from keeptime.store.names import Names
from keeptime.store.rows import address_of
from keeptime.store.sql import Database

MOST = 1000
"""Rows of a kind at most: the newest."""

_TOLD = (
    "SELECT o.row, m.message_id, m.topic, r.fields, o.created, o.attempts, o.delivered, o.status, o.dead, "
    "o.discarded, o.muted, o.passed, e.origin FROM message m JOIN outbox o ON o.message = m.id "
    "JOIN route r ON r.id = o.route LEFT JOIN escalated e ON e.copy = o.row "
    "WHERE m.message_id IN ({ids}) ORDER BY o.row DESC LIMIT ?"
)
_ACKS = (
    "SELECT started, author, note, at FROM ack WHERE objective = ? AND started BETWEEN ? AND ? "
    "ORDER BY id DESC LIMIT ?"
)
_SILENCES = (
    "SELECT id, contract, objective, author, reason, begins, ends, ended, ended_by, ended_why FROM silence "
    "WHERE contract = ? AND coalesce(ended, ends) > ? AND begins < ? ORDER BY id DESC LIMIT ?"
)
_FAR = 1e12


@dataclass(frozen=True, slots=True)
class Dossiers:
    """Of one database."""

    db: Database
    names: Names

    def one(self, name: str) -> Dossier | None:
        """Of the incident of this id."""
        incident = Incidents(self.db, self.names).one(name)
        if incident is None:
            return None
        said = (self._told(incident), self._acks(incident), self._silences(incident), self._events(incident))
        return Dossier(incident, *said)

    def _told(self, incident: Incident) -> tuple[Told, ...]:
        """Oldest first."""
        ids = [step.message for step in incident.steps]
        if not ids:
            return ()
        ids.append(explained_id(incident.id))
        statement = _TOLD.format(ids=", ".join("?" * len(ids)))
        found = [
            Told(row, message, topic_of(topic), address_of(fields), *rest)
            for row, message, topic, fields, *rest in self.db.execute(statement, (*ids, MOST))
        ]
        return tuple(reversed(found))

    def _acks(self, incident: Incident) -> tuple[Ack, ...]:
        """Newest first: the first one counts."""
        objective = self.names.objectives.get(incident.key, 0)
        began = (incident.started - SAME, incident.started + SAME)
        rows = self.db.execute(_ACKS, (objective, *began, MOST))
        return tuple(Ack(incident.key, *row) for row in rows)

    def _silences(self, incident: Incident) -> tuple[Silence, ...]:
        end = _FAR if incident.ended is None else incident.ended
        rows = self.db.execute(_SILENCES, (incident.key.contract, incident.started, end, MOST))
        found = (Silence(*row) for row in rows)
        return tuple(each for each in found if each.covers(incident.key))

    def _events(self, incident: Incident) -> tuple[Event, ...]:
        """Oldest first."""
        end = _FAR if incident.ended is None else incident.ended
        return Events(self.db).around(incident.key.contract, incident.started - BEFORE, end, MOST)
