"""Bytes and clocks in, Samples and counts out. Never judges, never tells, never stores."""
