"""From a contract file to a `Contract`, or to every mistake in it with its place."""
