"""`keeptime exclude`: leave out of the counts what was agreed to after the contract was written.

Exit code 0: done; 1: it cannot be, or no keeptime answers; 2: wrong usage.
"""

import argparse
from typing import Any

from keeptime.cli.asking import USUAL, add_token_option, ask
from keeptime.cli.spans import add_span, one_contract, span_of

EXAMPLES = """\
examples:
  keeptime exclude add sentiment-latency --author ann --reason "the racks are moved" --for 2h
  keeptime exclude add sentiment-latency --objective p99 --author ann --reason "the network's provider"
      --from 2026-11-27T06:00Z --until 2026-11-27T08:00Z
  keeptime exclude end 3 --author ann --reason "moved"
  keeptime exclusions sentiment-latency       what was left out, and what is declared

It begins a minute from now at the earliest: what was counted by then was judged and told. What recurs belongs into
the contract, as `maintenance`. Both are rows of the ledger.

exit codes:
  0  done
  1  it cannot be (an unknown contract, a beginning that is too soon, one that is over), or no keeptime answers
  2  the command was called wrongly
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Leave a span of time out of a contract's counts, with an author, a reason and an end."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", metavar="add|end", required=True)
    add = actions.add_parser("add", help="leave out what is due in this time")
    add.add_argument("contract", metavar="CONTRACT", help="a contract's name, or its file")
    add.add_argument("--objective", metavar="NAME", help="only of this objective (default: all of the contract)")
    add.add_argument("--reason", required=True, help="why, in one line; it stands in reports")
    add_span(add, "as soon as it can, in a minute", "31d")
    end = actions.add_parser("end", help="end one in a minute, or take back one that has not begun")
    end.add_argument("id", metavar="ID", type=int, help="its number, as `keeptime exclusions` shows it")
    end.add_argument("--reason", default="", help="why, in one line")
    for each in (add, end):
        each.add_argument("--author", required=True, help="who does it")
        each.add_argument("--url", default=USUAL, help="where keeptime listens (%(default)s)")
        add_token_option(each)
        each.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    if args.action == "add":
        found = ask(args.url, "exclusions", _new(args), "exclusion", token=args.token)
    else:
        posted = {"id": args.id, "author": args.author, "reason": args.reason}
        found = ask(args.url, "exclusions/end", posted, "exclusion", token=args.token)
    if args.json:
        import json

        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print(_said(found["exclusion"]))
    return 0


def _new(args: argparse.Namespace) -> dict[str, Any]:
    contract = one_contract(args.contract, "of which it is to be left out")
    begins, until = span_of(args)
    said = {"contract": contract, "author": args.author, "reason": args.reason, "from": begins, "until": until}
    return said if args.objective is None else said | {"objective": args.objective}


def _said(one: dict[str, Any]) -> str:
    """ "exclusion 3 of sentiment-latency/p99: from … until …"; or that one is taken back."""
    what = f"{one['contract']}/{one['objective']}" if one["objective"] else one["contract"]
    if one["until"] <= one["from"]:
        return f"exclusion {one['id']} of {what} is taken back: it never began"
    return f"exclusion {one['id']} of {what}: from {_instant(one['from'])} until {_instant(one['until'])}"


def _instant(unix_seconds: float) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(unix_seconds, UTC):%Y-%m-%d %H:%M:%S}Z"
