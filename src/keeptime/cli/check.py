"""`keeptime check`: is a contract valid, and what can it detect, how fast?

Exit code 0: every contract is valid (warnings alone are fine); 1: some contract has an error; 2: wrong usage.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from keeptime.cli.question import Question

if TYPE_CHECKING:
    from keeptime.contract.load import Document

EXAMPLES = """\
examples:
  keeptime check contract.yaml                        one contract
  keeptime check contracts/                           all *.yaml of a directory
  keeptime check --json contract.yaml                 one JSON object on stdout, for scripts
  keeptime check --traffic 50/s contract.yaml         what counting 50 requests a second could detect
  keeptime check --burn 14 --within 1h contract.yaml  is it noticed, and how often must one probe for that?

exit codes:
  0  every contract is valid (warnings alone are fine)
  1  some contract has an error
  2  the command was called wrongly
"""
LONGEST_WITHIN = 366 * 86_400.0


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Validate contracts, and say what each objective's policy can detect and how fast."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("contracts", metavar="CONTRACT", nargs="+", help="a contract file, or a directory of them")
    parser.add_argument(
        "--traffic",
        metavar="RATE",
        help="answer for so many requests, such as 50/s, 3000/min or 2M/d, not for probes",
    )
    parser.add_argument("--burn", metavar="RATE", help="is this burn rate noticed? With --within")
    parser.add_argument("--within", metavar="TIME", help="… in this time, such as 1h")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    from keeptime.clock import wall_ns
    from keeptime.contract.load import load_files

    question = _question(args)
    checked = [_checked(each, question) for each in load_files(args.contracts).documents]
    if args.json:
        from keeptime.cli.check_json import as_json

        print(json.dumps({"contracts": [as_json(each, question, wall_ns()) for each in checked]}, indent=2))
    else:
        from keeptime.cli.check_text import show

        show(checked, question, wall_ns())
    return 0 if all(each.contract is not None for each in checked) else 1


def _question(args: argparse.Namespace) -> Question:
    from keeptime.errors import UsageError
    from keeptime.units import parse_duration, parse_rate

    traffic = None if args.traffic is None else _read("--traffic", args.traffic, parse_rate)
    if (args.burn is None) != (args.within is None):
        raise UsageError("--burn and --within go together, such as --burn 14 --within 1h")
    if args.burn is None:
        return Question(traffic)
    within = _read("--within", args.within, parse_duration)
    if not 1 <= within <= LONGEST_WITHIN:
        raise UsageError(f"--within: '{args.within}' is out of range; expected 1s to 366d")
    return Question(traffic, (_read("--burn", args.burn, _burn), within))


def _read(option: str, text: str, parse: Callable[[str], float]) -> float:
    from keeptime.errors import UsageError

    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from error


def _burn(text: str) -> float:
    try:
        burn = float(text)
    except ValueError:
        burn = 0.0
    if not 1 < burn < float("inf"):
        raise ValueError(f"'{text}' is no burn rate to be noticed; expected a number above 1, such as 14")
    return burn


def _checked(document: "Document", question: Question) -> "Document":
    """The same document, with the warnings that need the machine and the judge."""
    from keeptime.app.soundness import doubts
    from keeptime.contract.report import in_order
    from keeptime.model.key import DEFAULT_TICK_SECONDS

    found = [*document.problems, *doubts(document, DEFAULT_TICK_SECONDS, question.traffic)]
    return replace(document, problems=in_order(found))
