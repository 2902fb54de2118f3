"""Where messages can go: one file per receiver, one line of registration each."""
