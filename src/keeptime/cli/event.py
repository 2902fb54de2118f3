"""`keeptime event`: mark a deploy or another change, so that it stands beside what happened after it.

Exit code 0: done; 1: it cannot be, or no keeptime answers; 2: wrong usage.
"""

import argparse
from typing import TYPE_CHECKING, Any

from keeptime.cli.asking import USUAL, add_token_option, ask, send
from keeptime.errors import KeeptimeError, UsageError

if TYPE_CHECKING:
    from rich.text import Text

EXAMPLES = """\
examples:
  keeptime event deploy sentiment-latency --version v2 --author ci
  keeptime event deploy --version v2 --author ci --key "$CI_JOB_ID" --link "$CI_JOB_URL"    may be retried
  keeptime event config sentiment-latency --author ann --text "4 workers, were 2" --at 2026-11-27T08:00Z
  keeptime event list sentiment-latency --since 7d

Without a contract it concerns all of them. An incident shows what was changed from an hour before it began.

exit codes:
  0  done
  1  it cannot be (an unknown contract, an instant to come, a key of another event), or no keeptime answers
  2  the command was called wrongly
"""
TOLD = {"deploy": "something new was put in place", "config": "a setting was changed", "other": "anything else"}
KINDS = (*TOLD, "contract", "version")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Mark a deploy or another change, and list them."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", metavar="deploy|config|other|list", required=True)
    for kind, help_text in TOLD.items():
        told = actions.add_parser(kind, help=help_text)
        told.add_argument("contracts", metavar="CONTRACT", nargs="*", help="those that it concerns (default: all)")
        told.add_argument("--author", required=True, help="who did it")
        told.add_argument("--version", default="", help="of what is in place now")
        told.add_argument("--text", default="", help="what was changed, in one line")
        told.add_argument("--link", default="", metavar="URL", help="where more of it stands")
        told.add_argument("--at", metavar="TIME", help="when it was done, such as 2026-11-27T08:00Z (default: now)")
        told.add_argument("--key", default="", help="of this change: told again under it, it is marked once")
        _add_where(told)
    shown = actions.add_parser("list", help="the newest first")
    shown.add_argument("contract", metavar="CONTRACT", nargs="?", help="those that concern it")
    shown.add_argument("--kind", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
    shown.add_argument("--since", metavar="DURATION", help="made since then, such as 7d")
    shown.add_argument("--limit", metavar="N", type=_count, default=100, help="at most so many (%(default)s)")
    _add_where(shown)


def run(args: argparse.Namespace) -> int:
    if args.action == "list":
        found = ask(args.url, f"events?{_asked(args)}", token=args.token)
        _print(found, args, _listed(found["events"]))
        return 0
    found = send(args.url, "events", posted=_told(args), token=args.token, key=args.key or _key())
    if "event" not in found:
        raise KeeptimeError(f"{args.url} says nothing of events; is it a keeptime of this version?")
    one = found["event"]
    again = ", as it was before" if found["repeated"] else ""
    _print(
        found, args, f"event {one['id']}: {one['kind']} of {_of(one)} at {_instant(one['at'])}Z is marked{again}"
    )
    return 0


def _add_where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", default=USUAL, help="where keeptime listens (%(default)s)")
    add_token_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _count(given: str) -> int:
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= 1000:
        raise argparse.ArgumentTypeError(f"{given}: expected 1 to 1000")
    return int(given)


def _told(args: argparse.Namespace) -> dict[str, Any]:
    from keeptime.cli.spans import instant
    from keeptime.cli.status import names_of

    said = {"kind": args.action, "author": args.author}
    more = {name: getattr(args, name) for name in ("version", "text", "link") if getattr(args, name)}
    at = {} if args.at is None else {"at": instant(args.at, "--at")}
    names = sorted({name for given in args.contracts for name in names_of(given)})
    return {**said, **more, **at, **({"contracts": names} if names else {})}


def _key() -> str:
    """Of this one call: what is sent again because keeptime was busy is marked once."""
    import uuid

    return uuid.uuid4().hex


def _asked(args: argparse.Namespace) -> str:
    from urllib.parse import urlencode

    from keeptime.clock import SystemClock
    from keeptime.units import parse_duration

    asked = {"contract": args.contract, "kind": args.kind, "limit": args.limit}
    if args.since is not None:
        try:
            asked["since"] = SystemClock().wall_ns() / 1e9 - parse_duration(args.since)
        except ValueError as error:
            raise UsageError(f"--since {args.since}: {error}") from error
    return urlencode({name: value for name, value in asked.items() if value})


def _print(found: dict[str, Any], args: argparse.Namespace, words: "str | Text") -> None:
    if args.json:
        import json

        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        from rich.console import Console

        Console(highlight=False).print(words, soft_wrap=True, markup=False)


def _listed(found: list[dict[str, Any]]) -> "Text":
    """A line each, and below it what else was said."""
    from rich.text import Text

    lines = ["nothing is marked"] if not found else []
    for one in found:
        version = f" {one['version']}" if one["version"] else ""
        lines.append(f"{_instant(one['at'])}Z  {one['kind']}{version} of {_of(one)} by {one['author']}")
        lines += [f"  {said}" for said in (one["text"], one["link"]) if said]
    return Text("\n".join(lines))


def _of(one: dict[str, Any]) -> str:
    return ", ".join(one["contracts"]) or "every contract"


def _instant(unix_seconds: float) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(unix_seconds, UTC):%Y-%m-%d %H:%M:%S}"
