-- requests that are kept as evidence. at: Unix nanoseconds; usual: 1 one of many fast ones, 0 slow or failed;
-- said: all that is known of it, as JSON
CREATE TABLE exemplar (
    id INTEGER PRIMARY KEY,
    contract TEXT NOT NULL,
    at INTEGER NOT NULL,
    usual INTEGER NOT NULL,
    said TEXT NOT NULL
) STRICT;
CREATE INDEX exemplar_at ON exemplar (contract, at);
CREATE INDEX exemplar_kind ON exemplar (usual, id);

-- why requests were slow, as far as the evidence told at that instant. incident: its id; said: JSON
CREATE TABLE explanation (
    incident TEXT PRIMARY KEY,
    at REAL NOT NULL,
    said TEXT NOT NULL
) STRICT;
CREATE INDEX explanation_at ON explanation (at);
