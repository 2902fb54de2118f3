"""The only place where parts are built and wired."""
