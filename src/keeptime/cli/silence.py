"""`keeptime silence`: for a while, the operators are not sent what is told of a contract.

Exit code 0: done; 1: it cannot be, or no keeptime answers; 2: wrong usage.
"""

import argparse
from typing import TYPE_CHECKING, Any

from keeptime.cli.asking import USUAL, add_token_option, ask
from keeptime.cli.spans import add_span, one_contract, span_of

if TYPE_CHECKING:
    from rich.table import Table

EXAMPLES = """\
examples:
  keeptime silence add sentiment-latency --author ann --reason "moving the GPU hosts" --for 2h
  keeptime silence add sentiment-latency --objective p99 --author ann --reason "known" --until 2026-11-27T08:00Z
  keeptime silence list                       those that are not over; --all: the newest 1,000
  keeptime silence end 3 --author ann --reason "moved"

It mutes the contract's operators alone. Consumers are told whatever is silenced: planned work that they have agreed
to stands in the contract, as `maintenance`.

exit codes:
  0  done
  1  it cannot be (an unknown contract, an end that has passed, a silence that is over), or no keeptime answers
  2  the command was called wrongly
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Mute the operators of a contract for a while, with an author, a reason and an end."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", metavar="add|list|end", required=True)
    add = actions.add_parser("add", help="mute from now on, or from a time to come")
    add.add_argument("contract", metavar="CONTRACT", help="a contract's name, or its file")
    add.add_argument("--objective", metavar="NAME", help="only this objective (default: all of the contract)")
    add.add_argument("--reason", required=True, help="why, in one line")
    add_span(add, "now", "30d")
    shown = actions.add_parser("list", help="silences that are not over")
    shown.add_argument("--all", action="store_true", help="the newest 1,000, also those that are over")
    end = actions.add_parser("end", help="end one before its time")
    end.add_argument("id", metavar="ID", type=int, help="the first column of `list`")
    end.add_argument("--reason", default="", help="why, in one line")
    for each in (add, end):
        each.add_argument("--author", required=True, help="who does it")
    for each in (add, shown, end):
        each.add_argument("--url", default=USUAL, help="where keeptime listens (%(default)s)")
        add_token_option(each)
        each.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    if args.action == "list":
        found = ask(args.url, f"silences?all={'true' if args.all else 'false'}", token=args.token)
        _print(found, args, _listed(found["silences"]))
    elif args.action == "add":
        found = ask(args.url, "silences", _new(args), "silence", token=args.token)
        one = found["silence"]
        _print(found, args, f"silence {one['id']} of {_what(one)} until {_instant(one['ends'])}")
    else:
        posted = {"id": args.id, "author": args.author, "reason": args.reason}
        found = ask(args.url, "silences/end", posted, "silence", token=args.token)
        sent = found["sent"]
        told = f"; what changed of {sent} objective{'' if sent == 1 else 's'} is sent now" if sent else ""
        _print(found, args, f"silence {args.id} is over{told}")
    return 0


def _print(found: dict[str, Any], args: argparse.Namespace, words: "str | Table") -> None:
    if args.json:
        import json

        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        from rich.console import Console

        Console(highlight=False).print(words, soft_wrap=isinstance(words, str), markup=False)


def _new(args: argparse.Namespace) -> dict[str, Any]:
    contract = one_contract(args.contract, "that is to be silent")
    begins, ends = span_of(args)
    said = {"contract": contract, "author": args.author, "reason": args.reason, "begins": begins, "ends": ends}
    return said if args.objective is None else said | {"objective": args.objective}


def _listed(found: list[dict[str, Any]]) -> "str | Table":
    from rich.table import Table
    from rich.text import Text

    if not found:
        return "nothing is silenced"
    out = Table(title="silences", title_justify="left")
    for heading in ("id", "what", "state", "from", "until", "author", "reason"):
        out.add_column(heading, overflow="fold")
    for each in found:
        state = each["state"] if not each["ended_by"] else f"ended by {each['ended_by']}"
        ends = each["ends"] if each["ended"] is None else each["ended"]
        words = (str(each["id"]), _what(each), state, _instant(each["begins"]), _instant(ends))
        out.add_row(*map(Text, (*words, each["author"], each["reason"])))
    return out


def _what(one: dict[str, Any]) -> str:
    return f"{one['contract']}/{one['objective']}" if one["objective"] else str(one["contract"])


def _instant(unix_seconds: float) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(unix_seconds, UTC):%Y-%m-%d %H:%M:%S}Z"
