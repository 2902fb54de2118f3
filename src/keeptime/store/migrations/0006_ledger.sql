-- what can be proven: each row's hash covers the row and the hash of the row before it (docs/ledger.md)
CREATE TABLE ledger (
    seq INTEGER PRIMARY KEY,  -- 1, 2, 3, … without a gap
    at REAL NOT NULL,  -- Unix seconds
    kind TEXT NOT NULL,
    contract TEXT NOT NULL,  -- '': of none
    fields TEXT NOT NULL,  -- canonical JSON (RFC 8785)
    hash TEXT NOT NULL  -- SHA-256 in hex
) STRICT;
CREATE INDEX ledger_kind ON ledger (kind, seq);
