"""`keeptime report`: what was promised in a period, what came of it, and who was told, to be signed and kept.

Reads the store itself, also beside the keeptime that runs on it, or asks a running one. Exit code 0: nothing in the
report was missed; 1: something was, or it cannot be had; 2: wrong usage, also for what is not there.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from keeptime.cli.asking import add_token_option

if TYPE_CHECKING:
    from keeptime.model.compliance import Compliance

    Make = Callable[[str], tuple[bytes, Compliance]]

STDOUT = "-"
FORMATS = ("html", "pdf", "md", "json", "csv")
EXAMPLES = """\
examples:
  keeptime report sentiment-latency --period 2026-10 -o october.html
  keeptime report sentiment-latency --period 2026-10 -o october.pdf -o october.csv
  keeptime report sentiment-latency --period 2026-10 --consumer checkout -o checkout.html
  keeptime report sentiment-latency --period 2026-11 --data ./state        so far, as Markdown on the screen
  keeptime report sentiment-latency --period 2026-10 --url https://keeptime.example --token env:TOKEN -o october.pdf
  keeptime report contract.yaml --period 2026-10 --json | jq '.objectives[].compliance'

exit codes:
  0  nothing in the report was missed; what is not certain yet is undecided
  1  a promise in it was missed, or the store cannot be read
  2  the command was called wrongly, or there is no such contract, period or consumer
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Write the report of a period: promises, verdicts, counts, incidents, deliveries, credits."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("contract", metavar="CONTRACT", help="a contract's name, or its file")
    parser.add_argument("--period", metavar="NAME", required=True, help="2026-10, 2026-Q4, 2026-W41 or 2026-10-05")
    parser.add_argument("--consumer", metavar="NAME", default="", help="for this consumer: only what concerns it")
    parser.add_argument(
        "-o", "--output", metavar="FILE", action="append", default=[],
        help="a file that ends in .html, .pdf, .md, .json or .csv; - for stdout; may be repeated",
    )  # fmt: skip
    parser.add_argument("--format", choices=FORMATS, help="of what goes to stdout (default md)")
    parser.add_argument("--data", metavar="DIR", help="read this store; a keeptime may run on it")
    parser.add_argument("--store", metavar="URL", help="read the database of a pair, as `keeptime run --store`")
    parser.add_argument("--url", help="ask the keeptime that listens there instead")
    add_token_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    from keeptime.cli.compliance import LAST, check_period
    from keeptime.errors import UsageError
    from keeptime.model.compliance import Compliance

    if sum(map(bool, (args.data, args.store, args.url))) > 1:
        raise UsageError("give one of --url, --data and --store")
    if args.period == LAST:
        raise UsageError(
            "--period: expected the name of a period, such as 2026-10; `keeptime compliance` lists them"
        )
    check_period(args.period)
    wanted = _wanted(args)
    made = _asked(args) if args.url else _read(args)
    states = [_write(*made(form), file) for file, form in wanted]
    return 1 if Compliance.MISSED in states else 0


def _wanted(args: argparse.Namespace) -> Sequence[tuple[str, str]]:
    """Files and their forms; what is wrong with any is said before the first is written."""
    from keeptime.errors import UsageError
    from keeptime.tell.report.formats import format_of

    files = args.output or [STDOUT]
    if args.json:
        if args.format not in (None, "json") or files != [STDOUT]:
            raise UsageError("--json prints to stdout alone; use -o FILE.json for a file")
        return [(STDOUT, "json")]
    if args.format and STDOUT not in files:
        raise UsageError("--format is of what goes to stdout (-o -); a file's form is its ending")
    return [(each, (args.format or "md") if each == STDOUT else format_of(each)) for each in files]


def _name(args: argparse.Namespace) -> str:
    from keeptime.cli.status import names_of
    from keeptime.errors import UsageError

    names = sorted(names_of(args.contract))
    if len(names) != 1:
        raise UsageError(f"{args.contract} has {len(names)} contracts; name one of them: {', '.join(names)}")
    return names[0]


def _read(args: argparse.Namespace) -> "Make":
    """From the store: each form of one and the same report."""
    from keeptime.app.reporting import past_of
    from keeptime.cli.ledger_sources import looking
    from keeptime.tell.report.formats import render
    from keeptime.tell.report.make import report_of

    with looking(args.data, args.store) as db:
        report = report_of(past_of(db, _name(args)).given(args.period, args.consumer), args.consumer)
    return lambda form: (render(report, form), report.state)


def _asked(args: argparse.Namespace) -> "Make":
    """From a keeptime that runs."""
    from urllib.parse import urlencode

    from keeptime.cli.asking import NoAnswer, fetch
    from keeptime.model.compliance import Compliance

    words = {"contract": _name(args), "period": args.period}
    words |= {"consumer": args.consumer} if args.consumer else {}

    def made(form: str) -> tuple[bytes, Compliance]:
        body, headers = fetch(args.url, f"report?{urlencode(words | {'format': form})}", token=args.token)
        try:
            return body, Compliance(headers.get("Keeptime-Compliance", ""))
        except ValueError:
            raise NoAnswer(f"what answers at {args.url} is no keeptime that makes reports") from None

    return made


def _write(made: bytes, state: "Compliance", file: str) -> "Compliance":
    from keeptime.cli.writing import write_bytes

    if file == STDOUT:
        sys.stdout.flush()
        sys.stdout.buffer.write(made)
        sys.stdout.buffer.flush()
    else:
        write_bytes(file, made, force=True)
        print(f"{file}: {state.value}", file=sys.stderr)
    return state
