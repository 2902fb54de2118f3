"""`keeptime exclusions`: what was left out of a contract's counts, and why.

Exit code 0: done; 1: no keeptime answers, or it does not keep the contract; 2: wrong usage.
"""

import argparse
from typing import TYPE_CHECKING, Any

from keeptime.cli.asking import USUAL, add_token_option
from keeptime.cli.instants import instant_or_ago
from keeptime.cli.spans import one_contract

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

TABLE_WIDTH = 110
EXAMPLES = """\
examples:
  keeptime exclusions sentiment-latency                     every day in which anything was left out, newest first
  keeptime exclusions sentiment-latency --since 30d
  keeptime exclusions sentiment-latency --since 2026-10-01 --until 2026-11-01 --json

exit codes:
  0  done, also where nothing was left out
  1  no keeptime answers, or it keeps no such contract
  2  the command was called wrongly
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "List what was left out of a contract's counts, and why, by day (UTC)."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("contract", metavar="CONTRACT", help="a contract's name, or its file")
    expected = "2026-10-01, 2026-10-01T10:00Z, or a duration before now, such as 30d"
    parser.add_argument("--since", metavar="WHEN", type=instant_or_ago, help=expected)
    parser.add_argument("--until", metavar="WHEN", type=instant_or_ago, help="the same; days that begin before")
    parser.add_argument("--url", default=USUAL, help="where keeptime listens (default %(default)s)")
    add_token_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    name = one_contract(args.contract, "that is asked about")
    found, declared = _found(args, name)
    if args.json:
        import json

        print(
            json.dumps({"contract": name, "exclusions": found, "declared": declared}, indent=2, ensure_ascii=False)
        )
    else:
        from rich.console import Console

        console = Console()
        shown = _table(found) if console.width >= TABLE_WIDTH else _lines(found)
        console.print(shown if found else "nothing was left out", soft_wrap=True)
        for each in declared:
            console.print(_declared(each), markup=False, soft_wrap=True)
    return 0


def _declared(one: dict[str, Any]) -> str:
    """ "declared 3 (active): p99 from … until …: new racks (ann)"."""
    span = f"from {_instant(one['from'])} until {_instant(one['until'])} UTC"
    of = one["objective"] or "every objective"
    ended = f"; {one['ended_by']} gave it this end" if one["ended_by"] else ""
    return f"declared {one['id']} ({one['state']}): {of} {span}: {one['reason']} ({one['author']}){ended}"


def _instant(unix_seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(unix_seconds, UTC).isoformat(" ", "seconds").removesuffix("+00:00")


def _found(args: argparse.Namespace, name: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What was left out, every page of it; and what was declared, newest first."""
    from urllib.parse import urlencode

    from keeptime.cli.asking import ask

    asked = {"contract": name, "limit": 1000}
    asked |= {each: getattr(args, each) for each in ("since", "until") if getattr(args, each) is not None}
    page = ask(args.url, f"exclusions?{urlencode(asked)}", token=args.token)
    found, declared = list(page["exclusions"]), list(page.get("declared", ()))
    while page.get("next") is not None:
        page = ask(args.url, f"exclusions?{urlencode(asked | {'after': page['next']})}", token=args.token)
        found += page["exclusions"]
    return found, declared


def _table(found: list[dict[str, Any]]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    out = Table(show_edge=False)
    for heading in ("day (UTC)", "objective", "events", "kind", "reason", "who"):
        out.add_column(heading, overflow="fold", justify="right" if heading == "events" else "left")
    for each in found:
        words = (each["day"], each["objective"], f"{each['events']:,}", each["kind"], each["reason"])
        out.add_row(*map(Text, (*words, each["author"] or "")))
    return out


def _lines(found: list[dict[str, Any]]) -> "Text":
    """The same where a table would be too narrow to read: two lines for each."""
    from rich.text import Text

    return Text(
        "\n".join(
            f"{each['day']}  {each['objective']}  {each['events']:,} ({each['kind']})\n  {each['reason']}"
            + (f" ({each['author']})" if each["author"] else "")
            for each in found
        )
    )
