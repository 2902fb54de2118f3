"""Every objective's alert: the one row each that survives a kill. Runs inside the caller's transaction."""

from dataclasses import dataclass

from keeptime.model.alert import AlertRow, AlertState, Topic
from keeptime.model.key import ObjectiveKey
from keeptime.model.verdict import Condition, Severity
from keeptime.store.names import Names
from keeptime.store.sql import Database

_Row = tuple[str, str, str, str, str | None, float, float | None, str]

_PUT = (
    "INSERT INTO alert VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (objective) DO UPDATE SET state = excluded.state, "
    "condition = excluded.condition, severity = excluded.severity, since = excluded.since, "
    "started = excluded.started, told = excluded.told"
)


@dataclass(frozen=True, slots=True)
class Alerts:
    """The table alert of one database."""

    db: Database
    names: Names

    def put(self, row: AlertRow) -> None:
        severity = None if row.severity is None else row.severity.value
        told = ",".join(sorted(topic.value for topic in row.told))
        values = (row.state.value, row.condition.value, severity, row.since, row.started, told)
        self.db.execute(_PUT, (self.names.objective(row.key), *values))

    def all(self) -> dict[ObjectiveKey, AlertRow]:
        """Every alert, as last committed."""
        query = (
            "SELECT o.contract, o.name, a.state, a.condition, a.severity, a.since, a.started, a.told "
            "FROM alert a JOIN objective o ON o.id = a.objective ORDER BY o.id"
        )
        rows = map(_alert, self.db.execute(query))
        return {row.key: row for row in rows}


def _alert(row: _Row) -> AlertRow:
    contract, name, state, condition, severity, since, started, told = row
    return AlertRow(
        ObjectiveKey(contract, name),
        AlertState(state),
        Condition(condition),
        None if severity is None else Severity(severity),
        since,
        started,
        frozenset(map(Topic, told.split(","))) if told else frozenset(),
    )
