"""`keeptime status`: what a running keeptime says of every objective.

Exit code 0: nothing is broken; 1: an objective that was promised is broken, or nothing runs there; 2: wrong usage.
"""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from keeptime.cli.asking import USUAL, add_token_option
from keeptime.cli.asking import NoAnswer as NoAnswer
from keeptime.cli.asking import Refusal as Refusal
from keeptime.cli.asking import ask as ask
from keeptime.errors import KeeptimeError

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table

EXAMPLES = """\
examples:
  keeptime status                                   every objective of the keeptime that runs here
  keeptime status sentiment-latency                 of one contract
  keeptime status --url http://127.0.0.1:6000       of one that listens elsewhere
  keeptime status --json | jq '.contracts[].objectives[].condition'

exit codes:
  0  nothing that was promised is broken
  1  an objective is broken (internal ones aside), or no keeptime answers
  2  the command was called wrongly
"""
FIELDS = (
    "name",
    "condition",
    "good",
    "bad",
    "skipped",
    "excluded",
    "sli",
    "target",
    "burn_rate",
    "budget",
    "reason",
    "forecast",
    "compliance",
    "beside",
    "internal",
    "segment",
    "from",
    "until",
    "silence",
    "acknowledged",
)
AROUND = ("latency", "latency_by_signal", "traffic", "together", "other_terms", "stated", "told")
HEADINGS = ("contract", "promise", "condition", "SLI", "budget left", "miss chance", "kept", "why")
TABLE_WIDTH = 120
"""Columns of a terminal, from which on a table of all these can be read."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Show the condition and budget of every objective."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("contract", metavar="CONTRACT", nargs="?", help="a contract's name, or its file")
    parser.add_argument("--url", default=USUAL, help="where keeptime listens (default %(default)s)")
    add_token_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    answer = ask(args.url, "contracts", token=args.token)
    contracts = list(answer["contracts"])
    if args.contract:
        contracts = [each for each in contracts if each["contract"] in names_of(args.contract)]
        if not contracts:
            return _unknown(args.contract, args.url)
    if args.json:
        import json

        stable = [_stable(each) for each in contracts]
        print(json.dumps({"contracts": stable, "ledger": answer["ledger"]}, indent=2))
    else:
        from rich.console import Console

        console = Console(highlight=False)
        console.print(shown(contracts, console.width))
    promised = [each for contract in contracts for each in contract["objectives"] if not each["internal"]]
    broken = any(each["condition"] == "broken" for each in promised)
    return 1 if broken else 0


def names_of(given: str) -> set[str]:
    """The contracts meant by a name, or by a file."""
    from pathlib import Path

    from keeptime.contract.load import load_files

    return {each.name for each in load_files([given]).contracts} if Path(given).exists() else {given}


def _unknown(given: str, url: str) -> int:
    raise KeeptimeError(f"the keeptime at {url} does not keep '{given}'; `keeptime status` lists what it keeps")


def _stable(contract: dict[str, Any]) -> dict[str, Any]:
    objectives = [{name: each[name] for name in FIELDS} for each in contract["objectives"]]
    around = {name: contract[name] for name in AROUND}
    return {"contract": contract["contract"], "objectives": objectives, **around}


def shown(contracts: list[dict[str, Any]], width: int) -> "RenderableType":
    """A table, or where that could not be read, lines."""
    return _table(contracts) if width >= TABLE_WIDTH else _lines(contracts, width)


def _table(contracts: list[dict[str, Any]]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    out = Table(show_edge=False)
    for heading in HEADINGS:
        out.add_column(heading, overflow="fold")
    for contract in contracts:
        for *first, kept, why in _rows(contract):
            out.add_row(*map(Text, (contract["contract"], *first, kept.replace("; ", "\n"), why)))
    return out


def _lines(contracts: list[dict[str, Any]], width: int) -> "Group":
    """The same where a table would be too narrow to be read: a few lines for each promise."""
    from rich.console import Group
    from rich.text import Text

    out: list[RenderableType] = []
    for contract in contracts:
        out.append(Text(contract["contract"], "bold"))
        for promise, condition, *figures, why in _rows(contract):
            named = zip(HEADINGS[3:], figures, strict=False)
            known = ", ".join(f"{heading}: {figure}" for heading, figure in named if figure not in ("", "–"))
            out.append(Text(_filled(f"{condition}  {promise}", width, 2)))
            out += [Text(_filled(line, width, 4)) for line in (*why.splitlines(), known) if line]
    return Group(*out)


def _filled(line: str, width: int, indent: int) -> str:
    """Broken between words, with nothing after its end."""
    import textwrap

    return textwrap.fill(line, width, initial_indent=" " * indent, subsequent_indent=" " * indent)


def _rows(contract: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """What stands below `HEADINGS`, without the contract's name."""
    from keeptime.judge.reason import spoken_chance

    for each in contract["objectives"]:
        sli = "no data" if each["sli"] is None else f"{each['sli'] * 100:.4g}%"
        budget = each["budget"]
        left = f"{budget['left']:,.0f} of {budget['total']:,.0f}" if budget else "–"
        condition = _condition(each)
        chance = "–" if each["forecast"] is None else spoken_chance(each["forecast"]["miss_chance"])
        yield _promise(each), condition, sli, left, chance, _kept(each["compliance"]), _why(each)
    yield from _around(contract)


def _why(one: dict[str, Any]) -> str:
    """The judge's reason, and that probes and users do not see the same."""
    beside = one.get("beside")
    return "\n".join(filter(None, [one["reason"], beside and beside["disagreement"]]))


def _condition(one: dict[str, Any]) -> str:
    """ "broken (acknowledged by ann; operators silenced by bob)"."""
    ack, silence = one.get("acknowledged"), one.get("silence")
    said = [f"acknowledged by {ack['author']}"] if ack else []
    said += [f"operators silenced by {silence['author']}"] if silence else []
    condition = one["condition"] or "…"
    return f"{condition} ({'; '.join(said)})" if said else condition


def _promise(one: dict[str, Any]) -> str:
    """As the contract says it, with what is particular: "… (internal)", "… (from 2026-07-01T00:00Z)"."""
    internal = one["internal"] and not one["segment"]
    said = [*(["internal"] if internal else []), *filter(None, [_times(one)])]
    return f"{one['promise']} ({'; '.join(said)})" if said else str(one["promise"])


def _times(one: dict[str, Any]) -> str:
    from keeptime.contract.effective import spoken

    return spoken(one["from"], one["until"])


def _around(contract: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Rows for promises of several objectives, for keeptime's own, and for terms that are not in force."""
    from keeptime.units import speak_duration

    for each in contract["together"]:
        members = f"{each['name']}: {', '.join(each['all'])}"
        yield members, each["condition"] or "…", "", "", "", f"so far {each['compliance']}", ""
    for each in contract.get("told", ()):
        if each["share"] is not None:
            soon = speak_duration(each["notify_within_seconds"])
            promise = f"keeptime's own: 99% of messages to {each['audience']} are taken within {soon}"
            late = f"{each['late']} of {each['in_time'] + each['late']} late"
            yield promise, each["compliance"], f"{each['share'] * 100:.4g}%", "", "", late, ""
    for each in contract.get("traffic", ()):
        said = "cannot be had" if each["problem"] else "nothing yet" if each["at"] is None else "comes"
        what = "" if each["what"] == each["kind"] else f": {each['what']}"
        why = "\n".join(filter(None, [f"{each['requests']:,} requests", each["problem"]]))
        yield f"traffic by {each['kind']}{what}", said, "", "", "", "", why
    for each in contract["other_terms"]:
        if not each["internal"]:
            yield _promise(each), "not in force", "", "", "", "", ""


def _kept(compliance: dict[str, Any] | None) -> str:
    """The present period so far, and the last one that is over: "so far undecided; 2026-10 met"."""
    if compliance is None:
        return "–"
    last = compliance["last"]
    return f"so far {compliance['state']}" + (f"; {last['name']} {last['state']}" if last else "")
