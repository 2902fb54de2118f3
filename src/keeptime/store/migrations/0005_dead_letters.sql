-- dead: when (Unix seconds) a message was given up; NULL: it was delivered, or is still to be sent
ALTER TABLE outbox ADD COLUMN dead REAL;
DROP INDEX outbox_unsent;
CREATE INDEX outbox_unsent ON outbox (route, row) WHERE delivered IS NULL AND dead IS NULL;
CREATE INDEX outbox_dead ON outbox (route, row) WHERE dead IS NOT NULL;
