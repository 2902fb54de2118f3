"""The store on PostgreSQL, for a pair of daemons. Needs psycopg (`keeptime[postgresql]`); no other part does."""
