"""`keeptime reload`: have the keeptime that runs read its contracts again, all of them or none.

Exit code 0: done; 1: refused (the old contracts go on), or nothing can be asked; 2: wrong usage.
"""

import argparse
from typing import Any

from keeptime.cli.asking import USUAL, add_token_option
from keeptime.errors import KeeptimeError, UsageError

EXAMPLES = """\
examples:
  keeptime reload                                  of the keeptime that runs here
  keeptime reload --url http://127.0.0.1:6000      of one that listens elsewhere
  keeptime reload --json | jq '.changed'           what changed, from which version to which
  keeptime reload --pid 4711                       by signal: the answer is in its log and on its page

Nothing changes unless every file is valid and every secret it refers to has a value. `keeptime check` says before
what a reload would say.

exit codes:
  0  the contracts are those of the files now (with --pid: the signal was sent)
  1  refused: the old contracts go on; or no keeptime answers
  2  the command was called wrongly
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Have the keeptime that runs read its contracts again, all of them or none."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help=f"where keeptime listens (default {USUAL})")
    where.add_argument("--pid", type=int, help="send SIGHUP to this process instead; what came of it is in its log")
    add_token_option(parser)
    parser.add_argument("--author", help="who asks for it, for the log (default: your user's name)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    if args.pid is not None:
        return _signalled(args.pid, as_json=args.json)
    found = _asked(args)
    if args.json:
        import json

        print(json.dumps(found, indent=2))
    elif found["reloaded"]:
        print("\n".join(_said(found)))
    else:
        raise KeeptimeError(f"the reload was refused, the old contracts go on:\n{found['error']}")
    return 0 if found["reloaded"] else 1


def _asked(args: argparse.Namespace) -> dict[str, Any]:
    from keeptime.cli.asking import Refusal, ask
    from keeptime.cli.whoami import author

    try:
        asked = {"author": args.author or author()}
        return ask(args.url or USUAL, "reload", asked, "reloaded", token=args.token)
    except Refusal as error:
        if "reloaded" in error.answer:
            return dict(error.answer)
        raise


def _signalled(pid: int, *, as_json: bool) -> int:
    import os
    import signal

    if pid <= 0:
        raise UsageError(f"--pid {pid}: expected the number of a process")
    try:
        os.kill(pid, signal.SIGHUP)
    except ProcessLookupError:
        raise KeeptimeError(f"there is no process {pid}; `keeptime run --ready-file FILE` writes its pid") from None
    except PermissionError:
        raise KeeptimeError(f"process {pid} belongs to another user; ask it by --url") from None
    print('{"signalled": true}' if as_json else f"SIGHUP was sent to {pid}; its log and page say what came of it")
    return 0


def _said(found: dict[str, Any]) -> list[str]:
    lines = [
        *(f"added     {each['contract']} {each['version']}" for each in found["added"]),
        *(f"removed   {each['contract']} {each['version']}" for each in found["removed"]),
        *(f"changed   {each['contract']} {each['from']} → {each['to']}" for each in found["changed"]),
    ]
    unchanged = found["unchanged"]
    return [*lines, f"{unchanged} contract{'' if unchanged == 1 else 's'} unchanged"]
