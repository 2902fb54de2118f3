"""A contract as Prometheus recording and alerting rules that give the verdicts of the embedded judge."""
