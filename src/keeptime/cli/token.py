"""`keeptime token`: who may ask the keeptime that runs on this machine: make, list and revoke bearer tokens.

Works on the file beside the store, also while keeptime runs, which takes notice at once. Exit code 0: done; 1:
there is no such token, or the file cannot be used; 2: wrong usage.
"""

import argparse
from typing import TYPE_CHECKING, Any

from keeptime.errors import TokenError, UsageError
from keeptime.model.token import Scope

if TYPE_CHECKING:
    from rich.table import Table

    from keeptime.model.token import Token
    from keeptime.store.tokens import TokenFile

EXAMPLES = """\
examples:
  keeptime token add prometheus --scope read            prints the token, this once
  keeptime token add on-call --scope read --scope silence --expires 90d
  keeptime token add checkout-link --status checkout    prints the link to that consumer's status page
  keeptime token list
  keeptime token revoke prometheus                      holds at once, also where keeptime runs

scopes:
  read     the page, the API, /metrics, /probe
  ingest   send observations
  silence  silence and acknowledge alerts
  admin    all of that, and what else changes something: reload, replay

exit codes:
  0  done
  1  there is no such token, or one already, or the file of tokens cannot be used
  2  the command was called wrongly
"""
_NAME = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Make, list and revoke the tokens by which others may ask this machine's keeptime."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", metavar="add|list|revoke", required=True)
    new = actions.add_parser("add", help="make a token and print it; it cannot be printed again")
    shown = actions.add_parser("list", help="the tokens there are, never their values")
    gone = actions.add_parser("revoke", help="from now on this token is nobody's")
    for each in (new, gone):
        each.add_argument("name", metavar="NAME", help="what it is for, such as prometheus")
    what = new.add_mutually_exclusive_group(required=True)
    what.add_argument("--scope", action="append", choices=[each.value for each in Scope], help="what it may do")
    what.add_argument("--status", metavar="CONSUMER", help="for a link to this consumer's status page, and no more")
    new.add_argument("--expires", metavar="DURATION", help="how long it holds, such as 90d (default: for ever)")
    shown.add_argument("--json", action="store_true", help="print one JSON object")
    for each in (new, shown, gone):
        each.add_argument("--data", metavar="DIR", help="where the store lives (default: a folder per user)")


def run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from platformdirs import user_state_path

    from keeptime.store.tokens import TokenFile

    file = TokenFile(Path(args.data) if args.data else user_state_path("keeptime"))
    if args.action == "add":
        return _add(args, file)
    return _list(args, file) if args.action == "list" else _revoke(args, file)


def _add(args: argparse.Namespace, file: "TokenFile") -> int:
    import re
    import sys

    if re.fullmatch(_NAME, args.name) is None:
        raise UsageError(f"{args.name}: expected a name of 1 to 63 lower-case letters, digits and '-'")
    consumer = args.status or ""
    if args.status is not None and re.fullmatch(_NAME, consumer) is None:
        raise UsageError(f"--status {consumer}: expected the name of a consumer, as its contracts write it")
    scopes = [Scope(each) for each in args.scope or ()]
    now = _now()
    written = file.add(args.name, scopes, now, _end(args.expires, now), consumer)
    print(f"The token '{args.name}', shown this once; {file.path} keeps its hash alone:", file=sys.stderr)
    if consumer:
        print("(a link: put the address before it at which the consumer reaches keeptime)", file=sys.stderr)
    print(f"/status/{consumer}?token={written}" if consumer else written)
    return 0


def _list(args: argparse.Namespace, file: "TokenFile") -> int:
    tokens = file.read()
    if args.json:
        import json

        print(json.dumps({"tokens": [_json(each) for each in tokens]}, indent=2))
    else:
        from rich.console import Console

        Console().print(_table(tokens) if tokens else f"there are no tokens in {file.path}", markup=False)
    return 0


def _revoke(args: argparse.Namespace, file: "TokenFile") -> int:
    if not file.revoke(args.name):
        raise TokenError(f"there is no token '{args.name}' in {file.path}; `keeptime token list` lists them")
    print(f"the token '{args.name}' is revoked")
    return 0


def _end(text: str | None, now: float) -> float | None:
    from keeptime.units import parse_duration

    if text is None:
        return None
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--expires {text}: {error}") from error
    if seconds <= 0:
        raise UsageError(f"--expires {text}: expected a duration such as 90d")
    return now + seconds


def _json(token: "Token") -> dict[str, Any]:
    return {
        "name": token.name,
        "id": token.id,
        "scopes": sorted(token.scopes),
        "consumer": token.consumer or None,
        "created": token.created,
        "expires": token.expires,
        "expired": token.is_over(_now()),
    }


def _table(tokens: "tuple[Token, ...]") -> "Table":
    from rich.table import Table

    out = Table(title="tokens", title_justify="left")
    for heading in ("name", "begins with", "scopes", "made", "holds until"):
        out.add_column(heading, overflow="fold")
    for each in tokens:
        until = "for ever" if each.expires is None else _instant(each.expires)
        over = " (is over)" if each.is_over(_now()) else ""
        may = f"status page of {each.consumer}" if each.consumer else ", ".join(sorted(each.scopes))
        out.add_row(each.name, f"kt_{each.id}", may, _instant(each.created), until + over)
    return out


def _instant(unix_seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(unix_seconds, UTC).isoformat(" ", "seconds").removesuffix("+00:00")


def _now() -> float:
    from keeptime.clock import SystemClock

    return SystemClock().wall_ns() / 1e9
