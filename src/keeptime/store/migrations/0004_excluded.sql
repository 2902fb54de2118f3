-- events that were due and do not count, by the contract's own terms
ALTER TABLE counts_tick ADD COLUMN excluded INTEGER NOT NULL DEFAULT 0;
ALTER TABLE counts_60 ADD COLUMN excluded INTEGER NOT NULL DEFAULT 0;
ALTER TABLE counts_600 ADD COLUMN excluded INTEGER NOT NULL DEFAULT 0;
ALTER TABLE counts_3600 ADD COLUMN excluded INTEGER NOT NULL DEFAULT 0;

-- why: events left out per objective, UTC day and reason
CREATE TABLE exclusion (
    objective INTEGER NOT NULL REFERENCES objective (id),
    day INTEGER NOT NULL,  -- days since 1970-01-01, UTC
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    author TEXT NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (objective, day, kind, reason, author)
) STRICT;
CREATE INDEX exclusion_day ON exclusion (day);
