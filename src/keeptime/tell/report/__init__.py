"""Reports: what was promised in a period, what came of it, and who was told."""
