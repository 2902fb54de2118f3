"""Model servers' own metrics: read over HTTP, parsed, and counted."""
