-- one row for each life of an alert; ended: NULL while it lasts; how: '' while it lasts;
-- condition, severity: the worst that it was, and reason the sentence of then;
-- steps: its changes, as JSON; omitted: how many of them are not kept
CREATE TABLE incident (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    objective INTEGER NOT NULL REFERENCES objective (id),
    contract TEXT NOT NULL,
    version TEXT NOT NULL,
    started REAL NOT NULL,
    ended REAL,
    how TEXT NOT NULL,
    condition TEXT NOT NULL,
    severity TEXT,
    reason TEXT NOT NULL,
    steps TEXT NOT NULL,
    omitted INTEGER NOT NULL
) STRICT;
CREATE INDEX incident_objective ON incident (objective, id);
CREATE INDEX incident_contract ON incident (contract, id);
CREATE INDEX incident_open ON incident (id) WHERE ended IS NULL;
CREATE INDEX incident_ended ON incident (ended) WHERE ended IS NOT NULL;
