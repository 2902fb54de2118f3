"""Names a bug for the log without quoting its text, which may hold an address or a secret."""

import traceback


def blame(error: Exception) -> str:
    """ "KeyError in send (webhook.py:28)": the kind of error and the innermost place."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    last = frames[-1]
    return f"{type(error).__name__} in {last.name} ({last.filename.rpartition('/')[2]}:{last.lineno})"
