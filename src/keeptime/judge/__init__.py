"""Counts in, verdicts out. Pure numpy: no clock, no I/O, no randomness."""
