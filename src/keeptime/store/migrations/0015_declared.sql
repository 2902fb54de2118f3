-- exclusions that somebody declared while keeptime ran; objective: '' for all of the contract
CREATE TABLE declared (
    id INTEGER PRIMARY KEY,
    contract TEXT NOT NULL,
    objective TEXT NOT NULL,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    begins REAL NOT NULL,
    until REAL NOT NULL,
    at REAL NOT NULL,
    ended_by TEXT NOT NULL DEFAULT '',
    ended_why TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX declared_until ON declared (until);
