-- Rows of counts_* and sketches_* are keyed by `at` = first tick of the bucket * 2^20 + id of the objective or
-- signal: rows of one bucket lie together, a new bucket is appended at the end, an old one is cut off the front.

CREATE TABLE setting (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;

CREATE TABLE objective (
    id INTEGER PRIMARY KEY,
    contract TEXT NOT NULL,
    name TEXT NOT NULL,
    born INTEGER,  -- first tick ever observed; NULL: only alerts so far
    UNIQUE (contract, name)
) STRICT;

CREATE TABLE signal (
    id INTEGER PRIMARY KEY,
    contract TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (contract, name)
) STRICT;

-- runs of ticks that were recorded; what lies between them was not lived through
CREATE TABLE lived (first INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT;
CREATE INDEX lived_last ON lived (last);
CREATE TABLE incomplete (tick INTEGER PRIMARY KEY) STRICT;

CREATE TABLE counts_tick (at INTEGER PRIMARY KEY, good INTEGER NOT NULL, bad INTEGER NOT NULL,
    skipped INTEGER NOT NULL, suspect INTEGER NOT NULL) STRICT;
CREATE TABLE counts_60 (at INTEGER PRIMARY KEY, good INTEGER NOT NULL, bad INTEGER NOT NULL,
    skipped INTEGER NOT NULL, suspect INTEGER NOT NULL) STRICT;
CREATE TABLE counts_600 (at INTEGER PRIMARY KEY, good INTEGER NOT NULL, bad INTEGER NOT NULL,
    skipped INTEGER NOT NULL, suspect INTEGER NOT NULL) STRICT;
CREATE TABLE counts_3600 (at INTEGER PRIMARY KEY, good INTEGER NOT NULL, bad INTEGER NOT NULL,
    skipped INTEGER NOT NULL, suspect INTEGER NOT NULL) STRICT;

CREATE TABLE sketches_tick (at INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE sketches_60 (at INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE sketches_600 (at INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE sketches_3600 (at INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;

-- how far each level is summed up: every `at` below has been; of sketches a bucket may be done in part
CREATE TABLE summed (kind TEXT NOT NULL, seconds INTEGER NOT NULL, below INTEGER NOT NULL,
    PRIMARY KEY (kind, seconds)) STRICT;

CREATE TABLE memory (name TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT;

CREATE TABLE alert (
    objective INTEGER PRIMARY KEY REFERENCES objective (id),
    state TEXT NOT NULL,
    condition TEXT NOT NULL,
    severity TEXT,
    since REAL NOT NULL,
    started REAL,
    told TEXT NOT NULL  -- topics, comma between them
) STRICT;

CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL UNIQUE,
    objective INTEGER NOT NULL REFERENCES objective (id),
    topic TEXT NOT NULL,
    tick INTEGER NOT NULL,
    created REAL NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX message_created ON message (created);

-- one contract's messages to one address; they go out in order
CREATE TABLE route (
    id INTEGER PRIMARY KEY,
    contract TEXT NOT NULL,
    address TEXT NOT NULL,
    fields TEXT NOT NULL,  -- every field of the address, as JSON; the newest writing
    kind TEXT NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    last_error TEXT NOT NULL DEFAULT '',
    UNIQUE (contract, address)
) STRICT;

CREATE TABLE outbox (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    message INTEGER NOT NULL REFERENCES message (id),
    route INTEGER NOT NULL REFERENCES route (id),
    objective INTEGER NOT NULL REFERENCES objective (id),
    created REAL NOT NULL,
    next_try REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    delivered REAL,
    status TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX outbox_unsent ON outbox (route, row) WHERE delivered IS NULL;
CREATE INDEX outbox_latest ON outbox (route, objective, row);
CREATE INDEX outbox_message ON outbox (message);
CREATE INDEX outbox_delivered ON outbox (delivered) WHERE delivered IS NOT NULL;
