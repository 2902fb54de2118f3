"""Pages of alerts that are open, taken by the operators: what somebody is to acknowledge.

Guarantees: of each alert the first page alone, so that one alert is passed on in one order, whatever else is told
of it. A silence that holds a page back asks nobody. Reads alone.
"""

import json
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from keeptime.model.alert import OPERATORS, Late, topic_of
from keeptime.model.verdict import Condition, Severity
from keeptime.store.rows import address_of
from keeptime.store.sql import Database

_OPEN = (
    "SELECT a.objective, a.started FROM alert a JOIN objective n ON n.id = a.objective "
    "WHERE n.contract = ? AND a.state = 'firing' AND a.started IS NOT NULL"
)
_TOLD = (
    "SELECT o.row, m.message_id, r.fields, m.topic, o.created, o.delivered, o.status, coalesce(e.steps, 0), "
    "e.stepped, m.body, (SELECT count(*) FROM escalated s JOIN outbox c ON c.row = s.copy "
    "WHERE s.origin = o.row AND c.delivered IS NOT NULL), "
    "(SELECT count(*) FROM ack k WHERE k.objective = o.objective AND k.started = ?) "
    "FROM outbox o JOIN message m ON m.id = o.message JOIN route r ON r.id = o.route "
    "LEFT JOIN escalation e ON e.origin = o.row "
    "WHERE o.route IN ({routes}) AND o.objective = ? AND o.muted IS NULL AND o.created >= ? "
    "AND NOT EXISTS (SELECT 1 FROM escalated s WHERE s.copy = o.row) ORDER BY o.row"
)
SAME = 0.001
"""Seconds within which two writings of one instant lie."""


def unanswered(db: Database, contracts: Collection[str]) -> Iterator[Late]:
    """Of each alert of these contracts that is open: its first page, where somebody took it."""
    for contract in contracts:
        rows = db.execute("SELECT id, fields FROM route WHERE contract = ?", (contract,))
        routes = [route for route, fields in rows if address_of(fields).audience == OPERATORS]
        for objective, started in list(db.execute(_OPEN, (contract,))) if routes else ():
            found = _first(db, contract, routes, objective, started)
            if found is not None:
                yield found


def _first(db: Database, contract: str, routes: list[int], objective: int, started: float) -> Late | None:
    """None: no page was told of it, or nobody took it yet, so that it is late in another way."""
    statement = _TOLD.format(routes=", ".join("?" * len(routes)))
    for row in db.execute(statement, (started, *routes, objective, started - SAME)):
        name, message, fields, topic, created, delivered, status, steps, stepped, body, taken, acked = row
        if not _page(json.loads(body), started):
            continue
        if delivered is None and not taken:
            return None
        address, about = address_of(fields), topic_of(topic)
        late = (name, message, contract, address, about, created, None, status, steps, stepped)
        return Late(*late, taken_on_the_way=bool(taken), acknowledged=bool(acked))
    return None


def _page(said: dict[str, Any], started: float) -> bool:
    """Does it wake somebody, and is it of the alert that began then? No data has no severity, and wakes, too."""
    wakes = said["severity"] == Severity.PAGE or said["condition"] == Condition.NO_DATA
    return wakes and abs(datetime.fromisoformat(said["started"]).timestamp() - started) < SAME
