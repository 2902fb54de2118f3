"""How a request failed, by what was raised while it was answered.

Guarantees: knows the standard library's exceptions alone; whatever else was raised is an `error`.
"""

import asyncio


def kind_of(error: BaseException) -> str:
    """One of KINDS. What was closed or cancelled before its end was left by whoever had asked for it."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return "disconnect"
    return "error"
