"""The command line: one file per command. Prints; everything it says comes from a part below it."""
