"""How soon messages were taken: counted from what the outbox keeps, so that it outlives a restart.

Guarantees: each message of an audience counts once, by whoever took it first. Knows nothing of what was promised.
"""

from keeptime.model.alert import Aside
from keeptime.store.rows import address_of
from keeptime.store.sql import Database

_TOOK = (
    "SELECT min(o.delivered - o.created) AS took, min(o.created) AS decided FROM outbox o "
    "JOIN message m ON m.id = o.message "
    "WHERE o.route IN ({routes}) AND o.created >= ? AND m.topic NOT IN (?, ?) AND o.muted IS NULL "
    "GROUP BY o.message"
)
_COUNTED = (
    "SELECT count(CASE WHEN took <= ? THEN 1 END), "
    "count(CASE WHEN took > ? OR (took IS NULL AND decided < ?) THEN 1 END), "
    "count(CASE WHEN took IS NULL AND decided >= ? THEN 1 END) FROM ({took}) t"
)


def told(
    db: Database, contract: str, audience: str, within: float, since: float, now: float
) -> tuple[int, int, int]:
    """Messages that were decided since: taken within so many seconds, late, and neither yet."""
    rows = db.execute("SELECT id, fields FROM route WHERE contract = ?", (contract,))
    routes = [route for route, fields in rows if address_of(fields).audience == audience]
    if not routes:
        return 0, 0, 0
    took = _TOOK.format(routes=", ".join("?" * len(routes)))
    values = (within, within, now - within, now - within, *routes, since, Aside.SERVICE.value, Aside.REPORT.value)
    in_time, late, waiting = db.execute(_COUNTED.format(took=took), values).fetchone()
    return in_time, late, waiting
