"""`keeptime incidents`: what happened to the promises, and who was told; `keeptime incidents ID`: all of one.

Exit code 0: it is shown; 1: `--open` shows one that lasts, there is none of this id, or no keeptime answers; 2:
wrong usage.
"""

import argparse
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from keeptime.cli.asking import USUAL, add_token_option, ask
from keeptime.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table

EXAMPLES = """\
examples:
  keeptime incidents                               the newest of every contract
  keeptime incidents sentiment-latency --since 7d
  keeptime incidents --open                        what lasts now; exit code 1 if anything does
  keeptime incidents sentiment-latency.p99-500ms.20261126T051200Z    who was told when, and what they answered
  keeptime incidents --json | jq '.incidents[].reason'

exit codes:
  0  what was asked for is shown
  1  --open: an incident lasts; or there is none of this id, or no keeptime answers
  2  the command was called wrongly
"""
HEADINGS = ("began (UTC)", "for", "objective", "worst", "ended", "why", "id")
TABLE_WIDTH = 180
"""Columns of a terminal, from which on a table of all these can be read."""
_PAGE = 1000
_ID = re.compile(r"[a-z0-9-]+\..+\.\d{8}T\d{6}(_\d{6})?Z")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Show incidents: each life of an alert, from when it began to fire until it was over."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("what", metavar="CONTRACT|ID", nargs="?", help="a contract's name, or an incident's id")
    parser.add_argument("--objective", metavar="NAME", help="of this objective or segment alone")
    parser.add_argument("--open", action="store_true", help="those that last")
    parser.add_argument("--since", metavar="DURATION", help="those that were not over before, such as 7d")
    parser.add_argument("--limit", metavar="N", type=_count, default=100, help="at most so many (%(default)s)")
    parser.add_argument("--url", default=USUAL, help="where keeptime listens (default %(default)s)")
    add_token_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    if args.what and _ID.fullmatch(args.what):
        return _one(args)
    found = _found(args)
    if args.json:
        _print_json({"incidents": found})
    elif found:
        from rich.console import Console

        console = Console(highlight=False)
        console.print(_table(found) if console.width >= TABLE_WIDTH else _lines(found))
    else:
        print("there are no incidents" if not args.open else "nothing lasts")
    return 1 if args.open and found else 0


def _count(given: str) -> int:
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= 100_000:
        raise argparse.ArgumentTypeError(f"{given}: expected 1 to 100000")
    return int(given)


def _found(args: argparse.Namespace) -> list[dict[str, Any]]:
    """As many as are wanted, page by page."""
    from urllib.parse import urlencode

    asked = {"contract": args.what, "objective": args.objective, "open": "true" if args.open else None}
    asked["since"] = None if args.since is None else str(_now() - _seconds(args.since))
    given = {name: value for name, value in asked.items() if value}
    found: list[dict[str, Any]] = []
    after = ""
    while len(found) < args.limit:
        page = {**given, "limit": str(min(_PAGE, args.limit - len(found))), **({"after": after} if after else {})}
        said = ask(args.url, f"incidents?{urlencode(page)}", token=args.token)
        found += said["incidents"]
        after = said["next"]
        if not after:
            break
    return found


def _one(args: argparse.Namespace) -> int:
    from urllib.parse import quote

    from keeptime.cli.asking import send
    from keeptime.errors import KeeptimeError

    if args.open or args.since or args.objective:
        raise UsageError("--open, --since and --objective choose from the list; give them without an id")
    said = send(args.url, f"incidents/{quote(args.what, safe='~')}", token=args.token)
    if "incident" not in said:
        raise KeeptimeError(f"{args.url} says nothing of incidents; is it a keeptime of this version?")
    if args.json:
        _print_json(said)
    else:
        from rich.console import Console

        Console(highlight=False).print(_detail(said["incident"]))
    return 0


def _print_json(found: dict[str, Any]) -> None:
    import json

    print(json.dumps(found, indent=2, ensure_ascii=False))


def _now() -> float:
    from keeptime.clock import SystemClock

    return SystemClock().wall_ns() / 1e9


def _seconds(given: str) -> float:
    from keeptime.units import parse_duration

    try:
        return parse_duration(given)
    except ValueError as error:
        raise UsageError(f"--since {given}: {error}") from error


def _table(found: list[dict[str, Any]]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    out = Table(show_edge=False)
    for heading in HEADINGS:
        out.add_column(heading, overflow="fold", no_wrap=heading not in ("objective", "why"))
    for row in map(_row, found):
        out.add_row(*map(Text, row))
    return out


def _lines(found: list[dict[str, Any]]) -> "Group":
    """The same where a table would be too narrow to be read."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    out: list[RenderableType] = []
    for began, lasted, objective, worst, ended, why, name in map(_row, found):
        out.append(Text(f"{began}  {objective}", "bold"))
        said = [f"{worst}, {ended}" + (f" after {lasted}" if ended != "lasts" else f" for {lasted}"), why, name]
        out += [Padding(Text(line), (0, 0, 0, 2), expand=False) for line in said if line]
    return Group(*out)


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    """What stands below `HEADINGS`."""
    from keeptime.units import speak_duration

    until = _now() if one["ended"] is None else one["ended"]
    lasted = speak_duration(max(1, round(until - one["started"])))
    how = "lasts" if one["ended"] is None else str(one["how"]).replace("_", " ")
    objective = f"{one['contract']}/{one['objective']}"
    return _instant(one["started"]), lasted, objective, _worst(one), how, one["reason"] or "", one["id"]


def _worst(one: dict[str, Any]) -> str:
    """ "at_risk (ticket)"; where it pages, that goes without saying."""
    return f"{one['condition']} (ticket)" if one["severity"] == "ticket" else str(one["condition"])


def _detail(one: dict[str, Any]) -> "Group":
    from rich.console import Group
    from rich.text import Text

    began, lasted, objective, worst, ended, _, name = _row(one)
    over = f"lasts, for {lasted} by now" if one["ended"] is None else f"{ended} after {lasted}"
    head = [Text(objective, "bold"), Text(f"{worst}, {over}; began {began}"), Text(name)]
    version = [Text(f"contract version {one['contract_version']}")] if one["contract_version"] else []
    sections = (
        ("what happened", _happened(one)),
        ("who was told", map(_told, one["told"])),
        ("who took it on", map(_taken_on, one["acks"])),
        ("silences", map(_silenced, one["silences"])),
        ("what was changed before and meanwhile", map(_changed, one.get("events", ()))),
    )
    out = [*head, *version]
    for heading, lines in sections:
        said = list(lines)
        if said:
            out += [Text(""), Text(heading, "bold"), *(Text(f"  {line}") for line in said)]
    return Group(*out)


def _happened(one: dict[str, Any]) -> Iterator[str]:
    for each in one["transitions"]:
        tiers = f" ({', '.join(each['tiers'])})" if each["tiers"] else ""
        yield f"{_instant(each['at'])}  {each['topic']}{tiers}: {each['reason'] or 'no reason is known'}"
    if one["transitions_omitted"]:
        yield f"{one['transitions_omitted']} changes between the first and the newest are not kept"


def _told(one: dict[str, Any]) -> str:
    """ "2026-11-26 05:12:00  broken to checkout by webhook: taken 05:12:01 (200)"."""
    tries = one["failed_attempts"]
    after = f" after {tries} failed attempt{'' if tries == 1 else 's'}" if tries else ""
    answer = f" ({one['answer']})" if one["answer"] else ""
    when = f" {_instant(one['taken'])}" if one["taken"] is not None else ""
    became = {
        "muted": f"held back by silence {one['muted_by_silence']}",
        "not_sent": f"not sent: silence {one['muted_by_silence']} held it back until it was old",
        "dead": "given up",
        "discarded": "given up, and discarded",
    }.get(one["state"], one["state"])
    passed = f", passed on from row {one['passed_on_from']}" if one["passed_on_from"] is not None else ""
    whom = f"{one['audience']} by {one['receiver'].removesuffix(':')}"
    return f"{_instant(one['created'])}  {one['topic']} to {whom}{passed}: {became}{when}{after}{answer}"


def _taken_on(one: dict[str, Any]) -> str:
    return f"{_instant(one['at'])}  {one['author']}{': ' if one['note'] else ''}{one['note'] or ''}"


def _silenced(one: dict[str, Any]) -> str:
    ends = one["ends"] if one["ended"] is None else one["ended"]
    spoken = f"silence {one['id']} by {one['author']} ({one['reason']})"
    return f"{_instant(one['begins'])} to {_instant(ends)}  {spoken}"


def _changed(one: dict[str, Any]) -> str:
    """ "2026-11-26 05:10:00  deploy v2 by ci: the new tokenizer"."""
    version = f" {one['version']}" if one["version"] else ""
    more = " ".join(filter(None, (one["text"], one["link"])))
    return f"{_instant(one['at'])}  {one['kind']}{version} by {one['author']}{': ' if more else ''}{more}"


def _instant(unix_seconds: float) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(unix_seconds, UTC):%Y-%m-%d %H:%M:%S}"
