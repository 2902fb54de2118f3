"""Pages, API and /metrics on one port. Shows what app knows; decides nothing."""
