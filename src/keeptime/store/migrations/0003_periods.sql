-- Days in the time zone of their objective, closed in the step that ended them, and the periods made of them. Both
-- keep exact counts where the coarse levels of counts_* cannot tell midnight: [first, until) in ticks.

-- at = first tick of the day * 2^20 + id of the objective; missing: probe slots in time that was not lived through
CREATE TABLE day (at INTEGER PRIMARY KEY, until INTEGER NOT NULL, good INTEGER NOT NULL, bad INTEGER NOT NULL,
    skipped INTEGER NOT NULL, missing INTEGER NOT NULL, excluded INTEGER NOT NULL) STRICT;
CREATE INDEX day_missing ON day (at) WHERE missing > 0;

-- the terms are those of the time: target as a fraction, promise in words
CREATE TABLE period (
    objective INTEGER NOT NULL REFERENCES objective (id),
    unit TEXT NOT NULL,
    first INTEGER NOT NULL,
    until INTEGER NOT NULL,
    since INTEGER NOT NULL,  -- first tick observed
    name TEXT NOT NULL,
    timezone TEXT NOT NULL,
    promise TEXT NOT NULL,
    target TEXT NOT NULL,
    basis TEXT NOT NULL,
    least INTEGER NOT NULL,  -- events below which nothing is said
    good INTEGER NOT NULL,
    bad INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    missing INTEGER NOT NULL,
    excluded INTEGER NOT NULL,
    PRIMARY KEY (objective, unit, first)
) STRICT;
CREATE INDEX period_until ON period (until);
