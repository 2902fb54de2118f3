"""`keeptime import`: contracts from the files of OpenSLO, Sloth or Pyrra.

Exit code 0: everything was said in contracts; 1: something could not be, or nothing was written; 2: wrong usage.
"""

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING

from keeptime.cli.writing import Refused, write_whole
from keeptime.errors import UsageError

if TYPE_CHECKING:
    from keeptime.contract.importing.found import Settings
    from keeptime.contract.importing.reading import Imported

KINDS = ("openslo", "sloth", "pyrra")
EXAMPLES = """\
examples:
  keeptime import sloth slos.yml -o contracts.yaml
  keeptime import sloth slos/ -o contracts.yaml --window 28d     all files of a directory
  keeptime import pyrra objectives.yml -o -                      print the contracts
  keeptime import openslo slo.yml service.yml -o contracts.yaml --prometheus http://prometheus:9090

What a contract cannot say is named with its place, and nothing is written; with --partial the rest is.

exit codes:
  0  everything was said, and written (warnings name what was left out)
  1  something could not be said, or the file is there already
  2  the command was called wrongly
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Make contracts of what OpenSLO, Sloth or Pyrra files promise."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("kind", metavar="KIND", choices=KINDS, help="openslo, sloth or pyrra")
    parser.add_argument("files", metavar="FILE", nargs="+", help="a file, or a directory of them")
    parser.add_argument(
        "-o", "--output", required=True, metavar="CONTRACT", help="where to write the contracts; - prints them"
    )
    parser.add_argument("--prometheus", default="", metavar="URL", help="the Prometheus that has the series")
    parser.add_argument(
        "--window", default="", metavar="TIME", help="the window where a file names none (Sloth: 30d)"
    )
    parser.add_argument("--partial", action="store_true", help="write what can be said, even if something cannot")
    parser.add_argument("--force", action="store_true", help="overwrite the file")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    from keeptime.contract.importing.reading import import_files

    settings = _settings(args)
    if args.json and args.output == "-":
        raise UsageError("--json and -o -: both want the standard output; write the contracts to a file")
    found = import_files(args.kind, args.files, settings, args.output)
    refusal, wanted = "", bool(found.names) and (found.whole or args.partial)
    if wanted:
        refusal = _write(found.text, args)
    written = wanted and not refusal
    if args.json:
        print(json.dumps(_as_json(found, args.output if written else None), indent=2))
    else:
        for problem in found.problems:
            print(problem, file=sys.stderr)
    print(f"keeptime import: {refusal or _summary(found, args.output, written)}", file=sys.stderr)
    return 0 if written and found.whole else 1


def _settings(args: argparse.Namespace) -> "Settings":
    """What was asked for, by the contract's own rules. Raises UsageError."""
    from pathlib import Path

    from keeptime.contract.importing.found import Settings
    from keeptime.contract.nodes import Place, Scalar
    from keeptime.contract.report import Report, Spoiled
    from keeptime.contract.urls import Url
    from keeptime.contract.windows import WindowShape

    report = Report("", Path.cwd())
    try:
        if args.prometheus:
            Url("a URL such as http://127.0.0.1:9090").parse(args.prometheus, Place(1, 1), report, "--prometheus")
        if args.window:
            WindowShape().read(Scalar(args.window, False, Place(1, 1)), report, "--window")
    except Spoiled:
        raise UsageError("; ".join(problem.message for problem in report.problems)) from None
    return Settings(args.prometheus, args.window)


def _write(text: str, args: argparse.Namespace) -> str:
    """Why it was not written, "" if it was."""
    if args.output == "-":
        print(text, end="")
        return ""
    if not args.force and os.path.lexists(args.output):
        return (
            f"{args.output} is there already; choose another file with -o, or overwrite it with --force\n"
            "Nothing was written."
        )
    try:
        write_whole(args.output, text, force=args.force)
    except Refused as error:
        return f"{error}\nNothing was written."
    return ""


def _summary(found: "Imported", output: str, written: bool) -> str:
    errors = sum(problem.severity == "error" for problem in found.problems)
    warnings = len(found.problems) - errors
    counted = f"{_count(errors, 'error')}, {_count(warnings, 'warning')}"
    if written:
        where = "printed" if output == "-" else f"written to {output}. Next: keeptime check {output}"
        return f"{_count(len(found.names), 'contract')}, {counted}; {where}"
    if not found.names:
        return f"no contract, {counted}. Nothing was written."
    others = "contract" if len(found.names) == 1 else f"{len(found.names)} contracts"
    return f"{counted}. Nothing was written; with --partial the other {others} would be."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _as_json(found: "Imported", output: str | None) -> dict[str, object]:
    problems = [
        {
            "file": each.file,
            "line": each.line,
            "column": each.column,
            "severity": each.severity,
            "code": each.code,
            "message": each.message,
        }
        for each in found.problems
    ]
    return {"contracts": list(found.names), "problems": problems, "output": output}
