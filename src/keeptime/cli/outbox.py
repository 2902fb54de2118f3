"""`keeptime outbox`: which messages were not delivered; sending those again that were given up, or discarding them.

Asks the keeptime that runs; where none does, the store itself. Exit code 0: done, and `list` shows no dead letter;
1: there are dead letters, something that was named is none, or nothing can be asked; 2: wrong usage.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from keeptime.cli.asking import USUAL, add_token_option
from keeptime.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from keeptime.store.letters import Letters

EXAMPLES = """\
examples:
  keeptime outbox list                           what waits, and what was given up (dead letters)
  keeptime outbox list --dead --json             dead letters alone, as one JSON object
  keeptime outbox replay 12 13                   send these again
  keeptime outbox replay --contract sentiment-latency
  keeptime outbox replay --all --data ./state    in the store of a keeptime that does not run
  keeptime outbox discard 14 --reason "the team is gone"

exit codes:
  0  list: there are no dead letters; replay, discard: it was done to all that was named
  1  list: there are dead letters; replay, discard: something named is no dead letter; or nothing can be asked
  2  the command was called wrongly
"""
MOST = 1000
TABLE_WIDTH = 130


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Show messages that were not delivered; send again those that were given up, or discard them."
    )
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", metavar="list|replay|discard", required=True)
    shown = actions.add_parser("list", help="messages that wait, and dead letters")
    shown.add_argument("--dead", action="store_true", help="dead letters alone")
    again = actions.add_parser("replay", help="send dead letters again")
    gone = actions.add_parser("discard", help="forget dead letters; the ledger keeps who did and why")
    gone.add_argument("--author", help="who discards them (default: your user's name)")
    gone.add_argument("--reason", required=True, help="why they need not be sent any more")
    for each in (again, gone):
        each.add_argument("ids", metavar="ID", nargs="*", type=_id, help="the first column of `list`")
        each.add_argument("--contract", metavar="NAME", help="all dead letters of this contract")
        each.add_argument("--all", action="store_true", help="all dead letters")
    for each in (shown, again, gone):
        each.add_argument("--url", help=f"where keeptime listens (default {USUAL})")
        each.add_argument("--data", metavar="DIR", help="use this store itself; no keeptime may run on it")
        each.add_argument("--store", metavar="URL", help="the same for a pair's database; neither may lead")
        add_token_option(each)
        each.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    if sum(map(bool, (args.url, args.data, args.store))) > 1:
        raise UsageError("give one of --url, --data and --store")
    return _list(args) if args.action == "list" else _change(args)


def _list(args: argparse.Namespace) -> int:
    found = _letters(args)
    if args.json:
        import json

        print(json.dumps({"outbox": found}, indent=2))
    else:
        from rich.console import Console

        none = "there are no dead letters" if args.dead else "everything was delivered"
        console = Console()
        shown = _table(found) if console.width >= TABLE_WIDTH else _lines(found)
        console.print(shown if found else none, soft_wrap=True)
    return 1 if any(each["dead_since"] is not None for each in found) else 0


def _change(args: argparse.Namespace) -> int:
    if sum(map(bool, (args.ids, args.contract, args.all))) != 1:
        raise UsageError(f"say what to {args.action}: IDs of `keeptime outbox list`, --contract NAME, or --all")
    count = _replayed(args) if args.action == "replay" else _discarded(args)
    done = "replayed" if args.action == "replay" else "discarded"
    if args.json:
        import json

        print(json.dumps({done: count}))
    else:
        what = "will be sent again" if args.action == "replay" else "discarded"
        rest = len(set(args.ids)) - count
        others = f"; {rest} of the ids {'is' if rest == 1 else 'are'} of no dead letter" if rest > 0 else ""
        print(f"{count} dead letter{'' if count == 1 else 's'} {what}{others}")
    return 1 if count < len(set(args.ids)) else 0


def _letters(args: argparse.Namespace) -> list[dict[str, Any]]:
    from keeptime.cli.asking import NoAnswer, ask
    from keeptime.web.outbox import letter_json

    if not (args.data or args.store):
        try:
            return list(
                ask(_url(args), f"outbox?dead={'true' if args.dead else 'false'}", token=args.token)["outbox"]
            )
        except NoAnswer as error:
            _must_fall_back(args, error)
    with _store(args) as letters:
        return [dict(letter_json(each)) for each in letters.list(dead=args.dead, most=MOST)]


def _replayed(args: argparse.Namespace) -> int:
    if (count := _asked(args, {}, "replayed")) is not None:
        return count
    with _store(args) as letters:
        return letters.replay(_now(), rows=args.ids or None, contract=args.contract)


def _discarded(args: argparse.Namespace) -> int:
    from keeptime.cli.whoami import author

    who, why = args.author or author(), args.reason.strip()
    if not why or not (who + why).isprintable():
        raise UsageError("--author, --reason: expected one line of printable characters")
    if (count := _asked(args, {"author": who, "reason": why}, "discarded")) is not None:
        return count
    with _store(args) as letters:
        return letters.discard(_now(), who, why, rows=args.ids or None, contract=args.contract)


def _asked(args: argparse.Namespace, more: dict[str, str], done: str) -> int | None:
    """How many, by the keeptime that runs; None where the store is to be used."""
    from keeptime.cli.asking import NoAnswer, ask

    if args.data or args.store:
        return None
    chosen = {"ids": args.ids} if args.ids else {"contract": args.contract} if args.contract else {"all": True}
    try:
        return int(ask(_url(args), f"outbox/{args.action}", chosen | more, done, token=args.token)[done])
    except NoAnswer as error:
        _must_fall_back(args, error)
        return None


def _now() -> float:
    from keeptime.clock import SystemClock

    return SystemClock().wall_ns() / 1e9


def _must_fall_back(args: argparse.Namespace, error: Exception) -> None:
    """To the store, where nobody said which keeptime is meant and the usual store is there; else raises `error`."""
    from pathlib import Path

    if args.url or not (Path(_directory(args)) / "keeptime.db").is_file():
        raise error


@contextmanager
def _store(args: argparse.Namespace) -> "Iterator[Letters]":
    from pathlib import Path

    if args.store:
        from keeptime.cli.pairing import holder, letters_in, store_of

        with letters_in(store_of(args.store, "8s")[0], holder()) as letters:
            yield letters
        return
    from keeptime.store.offline import letters_of

    with letters_of(Path(_directory(args))) as letters:
        yield letters


def _directory(args: argparse.Namespace) -> str:
    from platformdirs import user_state_path

    return args.data or str(user_state_path("keeptime"))


def _url(args: argparse.Namespace) -> str:
    return args.url or USUAL


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**63):
        raise argparse.ArgumentTypeError(f"{text}: expected a number of the first column of `keeptime outbox list`")
    return int(text)


def _table(found: list[dict[str, Any]]) -> "Table":
    from rich.markup import escape
    from rich.table import Table

    out = Table(title="outbox", title_justify="left")
    for heading in ("id", "contract", "objective", "told", "to", "created", "tries", "state", "last error"):
        out.add_column(heading, overflow="fold")
    for each in found:
        out.add_row(
            str(each["id"]),
            *(escape(each[name]) for name in ("contract", "objective", "topic")),
            escape(f"{each['audience']} {each['receiver']}"),
            _instant(each["created"]),
            str(each["attempts"]),
            _state(each),
            escape(each["error"] or ""),
        )
    return out


def _lines(found: list[dict[str, Any]]) -> "Text":
    """The same where a table would be too narrow to read: some lines for each."""
    from rich.text import Text

    return Text("\n".join(map(_some_lines, found)))


def _some_lines(each: dict[str, Any]) -> str:
    tries = f"{each['attempts']} {'try' if each['attempts'] == 1 else 'tries'}"
    lines = [
        f"{each['id']}  {each['contract']}/{each['objective']}  {each['topic']}, for {each['audience']}",
        f"  {each['receiver']}",
        f"  created {_instant(each['created'])}, {tries}, {_state(each)}",
    ]
    return "\n".join([*lines, f"  {each['error']}"] if each["error"] else lines)


def _state(each: dict[str, Any]) -> str:
    if each["dead_since"] is not None:
        return f"dead since {_instant(each['dead_since'])}"
    silence = each.get("muted_by_silence")
    return "waiting" if silence is None else f"muted by silence {silence}"


def _instant(unix_seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(unix_seconds, UTC).isoformat(" ", "seconds").removesuffix("+00:00")
