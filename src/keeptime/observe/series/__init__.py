"""Counting requests from the series of an existing Prometheus."""
