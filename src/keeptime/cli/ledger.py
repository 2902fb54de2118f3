"""`keeptime ledger`: what can be proven afterwards: list it, verify it, export it, take its head as an anchor.

Reads the store itself with --data, also beside the keeptime that runs on it, or asks a running one. Exit code 0:
done, and `verify` found nothing wrong; 1: it did, or nothing can be read; 2: wrong usage.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from keeptime.cli.asking import USUAL, add_token_option
from keeptime.cli.instants import instant_or_ago
from keeptime.errors import KeeptimeError, UsageError
from keeptime.model.ledger import LedgerHead, LedgerKind, LedgerQuery, Verified

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from keeptime.cli.ledger_sources import Source

TABLE_WIDTH = 130
EXAMPLES = """\
examples:
  keeptime ledger list                              the newest rows
  keeptime ledger list --kind contract --contract sentiment-latency
  keeptime ledger list --since 24h --limit 1000 --json
  keeptime ledger head                              the anchor: keep it where nobody here can write
  keeptime ledger verify --data ./state             the chain, and whether the store says the same
  keeptime ledger verify --anchor 1204:9f2c…        and against an anchor that you hold
  keeptime ledger verify --file ledger.ndjson       what was exported
  keeptime ledger export -o ledger.ndjson           every row, to verify elsewhere
  keeptime ledger contract sentiment-latency --data ./state   every version, and what it said

exit codes:
  0  done; verify: nothing is wrong
  1  verify: a row was edited, removed, inserted or moved, or the store says something else; or nothing can be read
  2  the command was called wrongly
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "What can be proven: decisions, deliveries, silences, exclusions, contract changes."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", metavar="list|head|verify|export|contract", required=True)
    shown = actions.add_parser("list", help="the newest rows, the newest last")
    shown.add_argument(
        "--kind", choices=[each.value for each in LedgerKind], metavar="KIND", help=", ".join(LedgerKind)
    )
    shown.add_argument("--contract", metavar="NAME", help="of one contract")
    shown.add_argument(
        "--since",
        metavar="WHEN",
        type=instant_or_ago,
        help="2026-11-25, 2026-11-25T10:00Z, or a duration before now, such as 24h",
    )
    shown.add_argument("--limit", metavar="N", type=_limit, default=100, help="rows at most (default %(default)s)")
    head = actions.add_parser("head", help="the newest row's number and hash, as an anchor")
    verify = actions.add_parser("verify", help="is it what was written?")
    verify.add_argument(
        "--anchor", metavar="SEQ:HASH", type=_anchor, action="append", default=[],
        help="a head that you were given; may be repeated",
    )  # fmt: skip
    verify.add_argument("--file", metavar="FILE", help="verify what `export` wrote")
    export = actions.add_parser("export", help="every row as a line of JSON")
    export.add_argument("-o", "--output", metavar="FILE", help="write here instead of to stdout")
    versions = actions.add_parser("contract", help="every version of a contract, and what it said")
    versions.add_argument("name", metavar="NAME", help="the contract's name")
    for each in (shown, head, verify, export):
        each.add_argument("--url", help=f"where keeptime listens (default {USUAL})")
        add_token_option(each)
    for each in (shown, head, verify, export, versions):
        each.add_argument("--data", metavar="DIR", help="read this store; a keeptime may run on it")
        each.add_argument("--store", metavar="URL", help="read the database of a pair, as `keeptime run --store`")
    for each in (shown, head, verify, versions):
        each.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    from keeptime.cli.ledger_sources import source_of

    if args.action == "contract":
        if args.data and args.store:
            raise UsageError("give one of --data and --store")
        return _versions(args)
    file = getattr(args, "file", None)
    if sum(map(bool, (args.url, args.data, args.store, file))) > 1:
        raise UsageError("give one of --url, --data, --store and --file")
    if file:
        return _verify_file(args)
    with source_of(args.url, args.data, args.store, args.token) as source:
        return {"list": _list, "head": _head, "verify": _verify, "export": _export}[args.action](args, source)


def _list(args: argparse.Namespace, source: "Source") -> int:
    asked = LedgerQuery(kind=args.kind or "", contract=args.contract or "", since=args.since, most=args.limit)
    rows = source.newest(asked)
    if args.json:
        _print_json({"ledger": rows})
    else:
        from rich.console import Console

        console = Console()
        shown = _table(rows) if console.width >= TABLE_WIDTH else _lines(rows)
        console.print(shown if rows else "there is no such row", soft_wrap=True)
    return 0


def _head(args: argparse.Namespace, source: "Source") -> int:
    head = source.head()
    if args.json:
        _print_json({"seq": head.seq, "hash": head.hash, "anchor": str(head)})
    else:
        print(head)
    return 0


def _verify(args: argparse.Namespace, source: "Source") -> int:
    return _say(args, source.verify(args.anchor))


def _verify_file(args: argparse.Namespace) -> int:
    from pathlib import Path

    from keeptime.cli.ledger_sources import exported
    from keeptime.store.chain import verified

    return _say(args, verified(exported(Path(args.file)), args.anchor))


def _say(args: argparse.Namespace, found: Verified) -> int:
    if args.json:
        _print_json(_verified_json(found))
    else:
        print(_said(found, args.anchor))
    return 0 if found.sound else 1


def _export(args: argparse.Namespace, source: "Source") -> int:
    if args.output is None:
        _write(source, sys.stdout.buffer)
        return 0
    try:
        with open(args.output, "wb") as file:
            _write(source, file)
    except OSError as error:
        raise KeeptimeError(f"{args.output} cannot be written: {error.strerror}") from error
    return 0


def _write(source: "Source", file: BinaryIO) -> None:
    from keeptime.store.ledger import canonical

    for row in source.all():
        file.write(canonical(row) + b"\n")


def _versions(args: argparse.Namespace) -> int:
    from keeptime.cli.ledger_sources import versions

    found = versions(args.data, args.store, args.name)
    if args.json:
        _print_json({"contract": args.name, "versions": found})
    elif not found:
        print(f"nothing is kept of a contract '{args.name}'")
    else:
        for each in found:
            until = "now" if each["until"] is None else _instant(each["until"])
            print(f"{each['version']}  {_instant(each['since'])} to {until}  {each['file']}")
            _print_json(each["written"])
    return 0 if found else 1


def _verified_json(found: Verified) -> dict[str, Any]:
    wrong = [{"seq": each.seq or None, "why": each.why} for each in found.differences]
    first = None if found.fault is None else {"seq": found.fault.seq, "why": found.fault.why}
    return {
        "sound": found.sound,
        "rows": found.rows,
        "anchor": str(found.head),
        "first_bad": first,
        "differences": wrong,
    }


def _said(found: Verified, anchors: Sequence[LedgerHead]) -> str:
    if found.fault is not None:
        return f"NOT what was written: {found.fault.why}; {found.rows} rows before it are whole"
    if found.differences:
        lines = "\n".join(f"  {each.why}" for each in found.differences)
        return f"the chain of {found.rows} rows is whole, but the store says something else:\n{lines}"
    held = f", and as {len(anchors)} anchor{'' if len(anchors) == 1 else 's'} of yours" if anchors else ""
    more = (
        "" if anchors else "; that its end was not cut off, and that it was not written anew, only an anchor tells"
    )
    return f"{found.rows} rows, each as it was written{held}; the head is {found.head}{more}"


def _table(rows: Sequence[Mapping[str, Any]]) -> "Table":
    from rich.markup import escape
    from rich.table import Table

    out = Table(title="ledger", title_justify="left")
    for heading in ("row", "when (UTC)", "kind", "contract", "what", "hash"):
        out.add_column(heading, overflow="fold")
    for row in rows:
        out.add_row(
            str(row["seq"]),
            _instant(row["at"]),
            row["kind"],
            escape(row["contract"]),
            escape(_what(row)),
            row["hash"][:8],
        )
    return out


def _lines(rows: Sequence[Mapping[str, Any]]) -> "Text":
    """The same where a table would be too narrow to read: two lines for each."""
    from rich.text import Text

    names = ("kind", "contract")
    return Text(
        "\n".join(
            f"{row['seq']}  {_instant(row['at'])}  {' '.join(row[name] for name in names if row[name])}  "
            f"{row['hash'][:8]}\n  {_what(row)}"
            for row in rows
        )
    )


def _what(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {_short(value)}" for name, value in row["fields"].items() if value not in (None, ""))


def _short(value: object) -> str:
    if isinstance(value, Mapping):
        return " ".join(str(each) for each in value.values() if each not in (None, ""))
    text = ", ".join(map(_short, value)) if isinstance(value, list) else str(value)
    return f"{text[:8]}…" if len(text) == 64 and " " not in text else text


def _instant(unix_seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(unix_seconds, UTC).isoformat(" ", "seconds").removesuffix("+00:00")


def _print_json(value: object) -> None:
    import json

    print(json.dumps(value, indent=2))


def _anchor(text: str) -> LedgerHead:
    try:
        return LedgerHead.read(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1000):
        raise argparse.ArgumentTypeError(f"{text}: expected 1 to 1000; `export` has every row")
    return int(text)
