"""Access logs that grow: a file is followed, its lines are read, and each becomes a request."""
