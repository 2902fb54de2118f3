"""Traces that others keep, looked up by their id. Knows nothing of why they are wanted."""
