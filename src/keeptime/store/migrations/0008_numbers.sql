-- one row each time that a daemon began to write; what it numbers is of this epoch
CREATE TABLE epoch (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    began REAL NOT NULL  -- Unix seconds
) STRICT;

-- the newest row of the route: its number (0: none has one yet) and its message's id
ALTER TABLE route ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
ALTER TABLE route ADD COLUMN newest_id TEXT;
UPDATE route SET newest_id = (SELECT m.message_id FROM outbox o JOIN message m ON m.id = o.message
    WHERE o.route = route.id ORDER BY o.row DESC LIMIT 1);

-- NULL each: the row was written before there were numbers. missing: JSON {"count", "ids"}, NULL: nothing is missing
ALTER TABLE outbox ADD COLUMN epoch INTEGER REFERENCES epoch (id);
ALTER TABLE outbox ADD COLUMN sequence INTEGER;
ALTER TABLE outbox ADD COLUMN previous_id TEXT;
ALTER TABLE outbox ADD COLUMN missing TEXT;
-- of a dead letter: 1 once a later message of its route has named it as missing
ALTER TABLE outbox ADD COLUMN declared INTEGER NOT NULL DEFAULT 0;
-- of a dead letter: when (Unix seconds) somebody said that it needs no more attention
ALTER TABLE outbox ADD COLUMN discarded REAL;
DROP INDEX outbox_dead;
CREATE INDEX outbox_dead ON outbox (route, row) WHERE dead IS NOT NULL AND discarded IS NULL;
CREATE INDEX outbox_undeclared ON outbox (route, row) WHERE dead IS NOT NULL AND declared = 0;
CREATE INDEX outbox_discarded ON outbox (discarded) WHERE discarded IS NOT NULL;
