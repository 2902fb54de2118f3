"""Probes whose answer comes in pieces: server-sent events, lines of JSON, tokens of a language model."""
