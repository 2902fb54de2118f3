"""`keeptime compliance`: was the promise kept in the periods that are over?

Exit code 0: no period that is shown was missed; 1: one was, or nothing runs there; 2: wrong usage.
"""

import argparse
from typing import TYPE_CHECKING, Any

from keeptime.cli.asking import USUAL, add_token_option

if TYPE_CHECKING:
    from rich.table import Table

EXAMPLES = """\
examples:
  keeptime compliance sentiment-latency                       every period that is over, newest first
  keeptime compliance sentiment-latency --period 2026-10      one month; 2026-Q4, 2026-W41 or 2026-10-05 likewise
  keeptime compliance sentiment-latency --period last         the last one of each objective
  keeptime compliance contract.yaml --json | jq '.contracts[].periods[].state'

exit codes:
  0  no period that is shown was missed
  1  one was missed, or no keeptime answers
  2  the command was called wrongly
"""
LAST = "last"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Say of each period that is over whether its promise was met, missed, or is undecided."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("contract", metavar="CONTRACT", help="a contract's name, or its file")
    parser.add_argument("--period", metavar="NAME", help="only this one, such as 2026-10; or last")
    parser.add_argument("--url", default=USUAL, help="where keeptime listens (default %(default)s)")
    add_token_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    from keeptime.cli.status import names_of

    check_period(args.period)

    contracts = [_contract(args, name) for name in sorted(names_of(args.contract))]
    if args.json:
        import json

        print(json.dumps({"contracts": contracts}, indent=2))
    else:
        from rich.console import Console

        found = any(each["periods"] for each in contracts)
        Console().print(_table(contracts) if found else _none(args), markup=False)
    missed = any(each["state"] == "missed" for contract in contracts for each in contract["periods"])
    return 1 if missed else 0


def check_period(name: str | None) -> None:
    """Raises UsageError for what no period can be called."""
    import re

    from keeptime.contract.calendar import PERIOD_NAME
    from keeptime.errors import UsageError

    if name not in (None, LAST) and re.fullmatch(PERIOD_NAME, str(name), re.ASCII) is None:
        raise UsageError(
            f"--period: '{name}' is no period; expected a month such as 2026-10, a quarter (2026-Q4), "
            "a week (2026-W41), a day (2026-10-05), or last"
        )


def _contract(args: argparse.Namespace, name: str) -> dict[str, Any]:
    found = _found(args, name)
    periods, period = found["periods"], args.period
    if period == LAST:
        newest: dict[str, Any] = {}
        for each in periods:
            newest.setdefault(each["objective"], each)
        periods = list(newest.values())
    elif period is not None:
        periods = [each for each in periods if each["name"] == period]
    named = {(each["name"]) for each in periods}
    together = [each for each in found["together"] if each["name"] in named]
    return {"contract": name, "periods": periods, "together": together}


def _found(args: argparse.Namespace, name: str) -> dict[str, list[Any]]:
    """Every page of it."""
    from urllib.parse import quote

    from keeptime.cli.asking import ask

    asked = f"periods?contract={quote(name)}"
    page = ask(args.url, asked, token=args.token)
    found = {kind: list(page[kind]) for kind in ("periods", "together")}
    while (after := page.get("next")) is not None:
        page = ask(args.url, f"{asked}&after={after}", token=args.token)
        for kind, those in found.items():
            those += page[kind]
    return found


def _none(args: argparse.Namespace) -> str:
    which = "period" if args.period in (None, LAST) else f"period named {args.period}"
    return f"no {which} of {args.contract} is over and kept"


def _table(contracts: list[dict[str, Any]]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    from keeptime.units import shown_interval

    out = Table(show_edge=False)
    for heading in ("contract", "period", "promise", "kept", "SLI", "counts", "credit", "why"):
        out.add_column(heading, overflow="fold")
    for contract in contracts:
        for each in contract["periods"]:
            words = (each["name"], each["promise"], each["state"], shown_interval(*each["interval"]), _counts(each))
            out.add_row(*map(Text, (contract["contract"], *words, _credit(each["credit"]), each["reason"])))
        for each in contract["together"]:
            members = f"{each['promise']}: {', '.join(each['all'])}"
            words = (each["name"], members, each["state"], "", "")
            out.add_row(*map(Text, (contract["contract"], *words, _credit(each["credit"]), "")))
    return out


def _credit(credit: dict[str, Any] | None) -> str:
    """ "10% of monthly fee", "0% to 10%"; "–" where none was promised."""
    if credit is None:
        return "–"
    figures = [f"{credit[name] * 100:.10g}%" for name in ("due", "due_at_most")]
    of = f" of {credit['of']}" if credit.get("of") else ""
    return " to ".join(dict.fromkeys(figures)) + of


def _counts(period: dict[str, Any]) -> str:
    said = [f"{period['good']:,} good", f"{period['bad']:,} bad"]
    said += [f"{period[name]:,} {name}" for name in ("skipped", "missing", "excluded") if period[name]]
    return ", ".join(said)
