"""The store's part that incidents are read from: each call is one look.

Guarantees: reads alone; whatever changes an incident changes it in `commit`, with the alert.
"""

from keeptime.model.incident import Dossier, Incident, IncidentQuery
from keeptime.store.dossier import Dossiers
from keeptime.store.incidents import Incidents
from keeptime.store.names import Names
from keeptime.store.sql import Database


class StoredIncidents:
    """What happened, on a database; the store is one."""

    __slots__ = ()
    db: Database
    names: Names

    def incidents(self, asked: IncidentQuery) -> tuple[Incident, ...]:
        """Newest first, without their changes. Raises KeyError where there is none to begin after."""
        with self.db.speaking():
            return Incidents(self.db, self.names).list(asked)

    def newest_incidents(self, since: float, most: int) -> tuple[Incident, ...]:
        """Of each contract the newest that were not over before, newest first."""
        with self.db.speaking():
            return Incidents(self.db, self.names).newest_of_each(since, most)

    def incident(self, name: str) -> Dossier | None:
        """All that is known of the incident of this id."""
        with self.db.speaking():
            return Dossiers(self.db, self.names).one(name)
