"""Traces: where a request's time went, span by span, and what is different about the slow ones. Pure."""
