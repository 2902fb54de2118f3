"""Fakes at the Protocols, one file for each: for keeptime's own tests and for those who build on it."""
