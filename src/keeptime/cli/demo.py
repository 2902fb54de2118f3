"""`keeptime demo`: a model, a contract, a fault, an alert: two minutes; with --history a store with a past."""

import argparse
import json
import signal
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from keeptime.cli import demo_past

if TYPE_CHECKING:
    from keeptime.demo.story import Ending


EXAMPLES = """\
examples:
  keeptime demo            show it, print what the consumer received, end all
  keeptime demo --keep     leave all running afterwards, and print the addresses
  keeptime demo --history 90d --data past
                           make a store with 90 days of a made-up past, and print how to run keeptime on it

exit codes:
  0    the consumer received every message that it must, and each cause was named; the store is made
  1    it did not, or a step failed
  130  interrupted; nothing is left running
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "A model, a contract, a fault, an alert: two minutes, all on this machine."
    parser.epilog = EXAMPLES
    parser.add_argument("--keep", action="store_true", help="leave everything running and print the addresses")
    parser.add_argument(
        "--json", action="store_true", help="print what was received as JSON; the story goes to stderr"
    )

    demo_past.configure(parser)


def run(args: argparse.Namespace) -> int:
    """0: the consumer received all it must; 1: it did not, or a step failed; 130: interrupted."""
    if demo_past.wanted(args):
        return demo_past.run(args)
    return _perform(args)


def _perform(args: argparse.Namespace) -> int:
    from keeptime.demo.children import DemoError
    from keeptime.demo.stage import perform

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        ending = perform(args.keep, sys.stderr if args.json else sys.stdout)
    except DemoError as error:
        print(f"the demo could not go on: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; everything that the demo started has ended", file=sys.stderr)
        return 130
    if args.json:
        _print_json(ending)
    return 0 if _went_well(ending) else 1


def _print_json(ending: "Ending") -> None:
    print(json.dumps({"ok": _went_well(ending), **asdict(ending)}))


def _went_well(ending: "Ending") -> bool:
    return not ending.missing and all(each.right for each in ending.causes)
