"""A contract and a span of time on the command line: from an instant, for a duration or until another one.

Guarantees: what is no instant, no duration, or several contracts, is wrong usage, with what was expected.
"""

import argparse

from keeptime.errors import UsageError


def add_span(parser: argparse.ArgumentParser, begins: str, longest: str) -> None:
    """`--from`, and one of `--for` and `--until`; `begins`: when it begins unless that is said."""
    parser.add_argument("--from", dest="begins", metavar="TIME", help=f"when it begins (default: {begins})")
    until = parser.add_mutually_exclusive_group(required=True)
    lasts = f"how long it lasts, such as 2h; at most {longest}"
    until.add_argument("--for", dest="lasts", metavar="DURATION", help=lasts)
    until.add_argument(
        "--until", metavar="TIME", help="when it ends, such as 2026-11-27T08:00Z; without a zone UTC"
    )


def span_of(args: argparse.Namespace) -> tuple[float | None, float]:
    """Unix seconds: when it begins, None where that is not said, and when it ends. Raises UsageError."""
    from keeptime.clock import SystemClock

    begins = None if args.begins is None else instant(args.begins, "--from")
    start = SystemClock().wall_ns() / 1e9 if begins is None else begins
    return begins, instant(args.until, "--until") if args.lasts is None else start + _seconds(args.lasts)


def one_contract(given: str, what: str) -> str:
    """The name of the contract that was named, or that its file holds; `what`: it is to be. Raises UsageError."""
    from keeptime.cli.status import names_of

    names = names_of(given)
    if len(names) != 1:
        raise UsageError(f"{given} holds {len(names)} contracts; name the one {what}")
    return names.pop()


def instant(given: str, option: str) -> float:
    """Unix seconds of a date and time. Raises UsageError."""
    from datetime import UTC, datetime

    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        raise UsageError(f"{option} {given}: expected a time such as 2026-11-27T08:00Z") from None
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()


def _seconds(given: str) -> float:
    from keeptime.units import parse_duration

    try:
        return parse_duration(given)
    except ValueError as error:
        raise UsageError(f"--for {given}: {error}") from error
