"""The name of who sits at the terminal, for changes that nobody else is named for."""

import getpass


def author() -> str:
    """The user's name, "unknown" where the system knows none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
