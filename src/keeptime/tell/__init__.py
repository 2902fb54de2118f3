"""Alert life, messages and their delivery. Decides from verdicts; never judges and never counts."""
