"""Kinds of probes: the fields that only some of them have."""
