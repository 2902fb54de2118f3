"""Pages for people: what app knows, as HTML that needs no script. Decides nothing."""
