-- where the time of probes that succeeded went: nanoseconds in each phase. at = first tick of the bucket * 2^20 + id of
-- the contract's signal `requests`. Each probe is added to its minute and to its hour.
CREATE TABLE phases_60 (at INTEGER PRIMARY KEY, probes INTEGER NOT NULL, dns INTEGER NOT NULL, connect INTEGER NOT NULL,
    tls INTEGER NOT NULL, write INTEGER NOT NULL, wait INTEGER NOT NULL, transfer INTEGER NOT NULL) STRICT;
CREATE TABLE phases_3600 (at INTEGER PRIMARY KEY, probes INTEGER NOT NULL, dns INTEGER NOT NULL,
    connect INTEGER NOT NULL, tls INTEGER NOT NULL, write INTEGER NOT NULL, wait INTEGER NOT NULL,
    transfer INTEGER NOT NULL) STRICT;
