"""`keeptime demo --history`: a store with a past that looks like a real one, and the command that goes on from it.

Guarantees: nothing is written over; what cannot be is said before anything is made.
"""

import argparse
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from keeptime.clock import wall_ns
from keeptime.errors import UsageError
from keeptime.model.levels import levels
from keeptime.units import format_duration, parse_duration, speak_duration

if TYPE_CHECKING:
    from keeptime.demo.past import Made, Order, Progress

DATA, TICK = "keeptime-past", "60s"
LONGEST = 400 * 86_400.0
"""No store keeps more."""


def configure(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("a made-up past", "instead of the two minutes")
    group.add_argument("--history", metavar="DURATION", help="make a store with a past of so long, such as 90d")
    group.add_argument("--seed", type=int, metavar="N", help="another past for each number (default 1)")
    group.add_argument("--objectives", type=int, metavar="N", help="how many, two to a contract (default 6)")
    group.add_argument("--data", metavar="DIR", help=f"where: a new or empty directory (default {DATA})")
    group.add_argument("--tick", metavar="DURATION", help=f"the store's tick; divides a minute (default {TICK})")
    group.add_argument("--until", metavar="TIME", help="when the past ends, in ISO 8601 (default now)")


def wanted(args: argparse.Namespace) -> bool:
    """Raises UsageError where the two kinds of demo are mixed."""
    given = [name for name in ("seed", "objectives", "data", "tick", "until") if getattr(args, name) is not None]
    if args.history is None and given:
        raise UsageError(f"--{given[0]} belongs to --history DURATION")
    if args.history is not None and args.keep:
        raise UsageError("--keep leaves the demo running, and with --history nothing runs; leave one of them out")
    return args.history is not None


def run(args: argparse.Namespace) -> int:
    """0: the store is there. Raises KeeptimeError."""
    from keeptime.demo.past import made_json, make_past

    order = _order(args)
    size = f"{order.objectives} objectives in {order.contracts} contracts over {args.history}"
    about = speak_duration(max(1.0, float(f"{order.cost:.1g}")))
    _say(f"{size}, in {order.ticks:,} ticks of {format_duration(order.tick_seconds)}: about {about}")
    made = make_past(order, _progress())
    where, data = shlex.quote(str(made.data / "contracts")), shlex.quote(str(made.data))
    command = f"keeptime run {where} --data {data} --tick {format_duration(order.tick_seconds)}"
    print(made_json(made, command) if args.json else _shown(made, command, order.tick_seconds))
    return 0


def _order(args: argparse.Namespace) -> "Order":
    from keeptime.demo.past import MOST_OBJECTIVES, Order

    objectives, seed = 6 if args.objectives is None else args.objectives, args.seed
    if not 1 <= objectives <= MOST_OBJECTIVES:
        raise UsageError(f"--objectives {objectives}: expected 1 to {MOST_OBJECTIVES}")
    if seed is not None and seed < 0:
        raise UsageError(f"--seed {seed}: expected a number from 0 on")
    tick = _seconds("--tick", args.tick or TICK)
    try:
        levels(tick)
    except ValueError as error:
        raise UsageError(f"--tick {args.tick}: {error}") from None
    seconds = _seconds("--history", args.history)
    if not 3600 <= seconds <= LONGEST:
        raise UsageError(f"--history {args.history}: expected 1h to {format_duration(LONGEST)}, which stores keep")
    end = wall_ns() / 1e9 if args.until is None else _instant(args.until)
    return Order(Path(args.data or DATA), seconds, end, 1 if seed is None else seed, objectives, tick)


def _seconds(option: str, text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def _instant(text: str) -> float:
    """Without an offset it is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--until {text}: expected a time in ISO 8601, such as 2026-11-01T12:00:00Z") from None
    seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    if seconds < LONGEST:
        raise UsageError(f"--until {text}: expected a time after 1971")
    return seconds


def _progress() -> "Progress":
    """Each tenth that is done, once."""
    said = 0

    def progress(share: float) -> None:
        nonlocal said
        tenth = int(share * 10)
        if tenth > said:
            said = tenth
            _say(f"{tenth * 10} %")

    return progress


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _shown(made: "Made", command: str, tick_seconds: float) -> str:
    """What was made, for people."""
    lines = [
        f"{made.events:,} events of {len(made.conditions)} objectives, until {_time(made.until * tick_seconds)}"
    ]
    lines += [
        f"  {_time(each.start)}  {each.what}{': ' if each.contract else ''}{each.contract}" for each in made.mishaps
    ]
    told = ", ".join(f"{count} {topic}" for topic, count in sorted(made.topics.items())) or "nothing"
    return "\n".join([*lines, f"told: {told}", "", command])


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
