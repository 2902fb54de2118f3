-- objective: '' for all of the contract; ended: when it was over, NULL while it lasts, is to come, or nobody has looked
CREATE TABLE silence (
    id INTEGER PRIMARY KEY,
    contract TEXT NOT NULL,
    objective TEXT NOT NULL,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    begins REAL NOT NULL,
    ends REAL NOT NULL,
    ended REAL,
    ended_by TEXT NOT NULL DEFAULT '',
    ended_why TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX silence_open ON silence (contract, ends) WHERE ended IS NULL;

-- started: when the alert began that it is of
CREATE TABLE ack (
    id INTEGER PRIMARY KEY,
    objective INTEGER NOT NULL REFERENCES objective (id),
    started REAL NOT NULL,
    author TEXT NOT NULL,
    note TEXT NOT NULL,
    at REAL NOT NULL
) STRICT;
CREATE INDEX ack_objective ON ack (objective, id);

-- muted: the silence that keeps a row from being sent; passed: when it was over, and the row stayed unsent for good
ALTER TABLE outbox ADD COLUMN muted INTEGER;
ALTER TABLE outbox ADD COLUMN passed REAL;
DROP INDEX outbox_unsent;
CREATE INDEX outbox_unsent ON outbox (route, row) WHERE delivered IS NULL AND dead IS NULL AND muted IS NULL;
CREATE INDEX outbox_muted ON outbox (route, objective, row) WHERE muted IS NOT NULL;
