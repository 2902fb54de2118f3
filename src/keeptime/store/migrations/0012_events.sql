-- changes that may be the cause of something. at: when it was made; noted: when it was told (Unix seconds);
-- contracts: JSON, [] is every one; once: the key under which it was told, NULL: none
CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    at REAL NOT NULL,
    contracts TEXT NOT NULL,
    author TEXT NOT NULL,
    version TEXT NOT NULL,
    said TEXT NOT NULL,
    link TEXT NOT NULL,
    noted REAL NOT NULL,
    once TEXT UNIQUE
) STRICT;
CREATE INDEX event_at ON event (at, id);

-- contract: '' for every one
CREATE TABLE event_of (
    contract TEXT NOT NULL,
    event INTEGER NOT NULL REFERENCES event (id),
    PRIMARY KEY (contract, event)
) STRICT;
CREATE INDEX event_of_event ON event_of (event);

-- what is known of contracts from before
INSERT INTO event (kind, at, contracts, author, version, said, link, noted)
SELECT 'contract', v.since, '["' || v.contract || '"]', 'keeptime', v.version,
    CASE WHEN EXISTS (SELECT 1 FROM contract_version b WHERE b.contract = v.contract AND b.id < v.id)
    THEN 'the contract was edited' ELSE 'the contract is new' END, '', v.since
FROM contract_version v ORDER BY v.id;
INSERT INTO event_of SELECT substr(contracts, 3, length(contracts) - 4), id FROM event;
