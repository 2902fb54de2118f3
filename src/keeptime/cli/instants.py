"""An instant as it is written on the command line.

Guarantees: what is no instant is wrong usage, with what was expected.
"""

import argparse


def instant_or_ago(text: str) -> float:
    """Unix seconds of a date, an instant (UTC unless it says otherwise), or a duration before now."""
    from datetime import UTC, datetime

    from keeptime.clock import SystemClock
    from keeptime.units import parse_duration

    try:
        return SystemClock().wall_ns() / 1e9 - parse_duration(text)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text}: expected a date, an instant such as 2026-11-25T10:00Z, or a duration such as 24h"
        raise argparse.ArgumentTypeError(message) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
