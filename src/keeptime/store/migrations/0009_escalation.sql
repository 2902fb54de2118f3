-- how far a row of the outbox that nobody took in time was passed on: steps so far, the last one at (Unix seconds)
CREATE TABLE escalation (
    origin INTEGER PRIMARY KEY,
    steps INTEGER NOT NULL,
    stepped REAL NOT NULL
) STRICT;

-- rows of the outbox that such a step put in; they are not passed on themselves
CREATE TABLE escalated (
    copy INTEGER PRIMARY KEY,
    origin INTEGER NOT NULL,
    stepped REAL NOT NULL
) STRICT;
CREATE INDEX escalated_origin ON escalated (origin);
