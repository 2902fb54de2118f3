"""An internal objective is told to the operators alone, and says that it is internal."""
