"""What must survive a kill: counts, carried state, alerts and messages, each step in one transaction."""
