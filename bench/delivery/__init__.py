"""How soon everyone is told, how many transitions a second become durable, and what the usual pair makes of the
same faults."""
