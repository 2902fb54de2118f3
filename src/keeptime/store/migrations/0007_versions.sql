-- each use of a contract's version: since when, and until when it was not edited or taken out (NULL: it is in force)
CREATE TABLE contract_version (
    id INTEGER PRIMARY KEY,
    contract TEXT NOT NULL,
    version TEXT NOT NULL,
    since REAL NOT NULL,
    until REAL,
    file TEXT NOT NULL,
    written TEXT NOT NULL  -- what it says, as the version is computed from it: references, never values of secrets
) STRICT;
CREATE INDEX contract_version_contract ON contract_version (contract, id);

-- messages up to this one were decided before there was a ledger
INSERT INTO setting SELECT 'before_ledger', coalesce(max(id), 0) FROM message;

-- days whose exclusions are still to be written into the ledger, once they are over
CREATE TABLE exclusion_due (
    day INTEGER NOT NULL,
    objective INTEGER NOT NULL REFERENCES objective (id),
    PRIMARY KEY (day, objective)
) STRICT;
INSERT INTO exclusion_due SELECT DISTINCT day, objective FROM exclusion;
