"""`keeptime ack`: somebody takes on the alert that is open now.

Exit code 0: done; 1: nothing is open, or no keeptime answers; 2: wrong usage.
"""

import argparse

from keeptime.cli.asking import USUAL, add_token_option, ask
from keeptime.cli.spans import one_contract

EXAMPLES = """\
examples:
  keeptime ack sentiment-latency --author ann                     every alert of the contract that is open
  keeptime ack sentiment-latency p99 --author ann --note "on it, see INC-4711"

Everyone sees who has taken it on: in `keeptime status`, on the page, and in the messages that follow. It ends with
the alert: the next one is not acknowledged.

exit codes:
  0  what was open is acknowledged
  1  nothing of it is open, or no keeptime answers
  2  the command was called wrongly
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Take on the alert that is open now."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("contract", metavar="CONTRACT", help="a contract's name, or its file")
    parser.add_argument(
        "objective", metavar="OBJECTIVE", nargs="?", help="only this one (default: all that are open)"
    )
    parser.add_argument("--author", required=True, help="who takes it on")
    parser.add_argument("--note", default="", help="what others should know, in one line")
    parser.add_argument("--url", default=USUAL, help="where keeptime listens (%(default)s)")
    add_token_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    contract = one_contract(args.contract, "of which the alert is")
    posted = {"contract": contract, "author": args.author, "note": args.note}
    if args.objective is not None:
        posted["objective"] = args.objective
    found = ask(args.url, "acks", posted, "acks", token=args.token)
    if args.json:
        import json

        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for each in found["acks"]:
            print(f"{each['contract']}/{each['objective']} is acknowledged by {each['author']}")
    return 0
