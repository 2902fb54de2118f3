"""`keeptime export KIND CONTRACT… -o DIR`: the same contract for the tools that people run already.

Guarantees: the directory is written whole or not at all; what cannot be exported is one clear sentence.
"""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from keeptime.clock import SystemClock
from keeptime.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keeptime.contract.terms import Contract
    from keeptime.export.settings import Settings

EXAMPLES = """\
examples:
  keeptime export prometheus contract.yaml -o prometheus      # rules on keeptime's own counters
  prometheus --config.file=prometheus/prometheus.yml
  promtool test rules prometheus/tests/*.yml                  # proves the rules
  keeptime export prometheus contract.yaml --source histogram -o prometheus   # on a histogram the contract names
  keeptime export prometheus contracts/ --kubernetes -o rules # PrometheusRule resources
  keeptime export alertmanager contract.yaml -o alertmanager
  keeptime export grafana contract.yaml -o dashboards

exit codes:
  0  everything was written
  1  a contract is not valid, or the directory is there already
  2  the command was called wrongly, or a contract cannot be exported so
"""


def configure(parser: argparse.ArgumentParser) -> None:
    from keeptime.export.registry import KINDS
    from keeptime.export.settings import Naming, Source

    kinds = "\n".join(f"  {kind:13} {about}" for kind, (_, about) in KINDS.items())
    parser.description = f"Write what other tools need to keep the same contract.\n\nkinds:\n{kinds}"
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("kind", choices=list(KINDS), metavar="KIND", help="what to write; see above")
    parser.add_argument("contracts", nargs="+", metavar="CONTRACT", help="a contract file, or a directory of them")
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="the directory to write")
    parser.add_argument("--force", action="store_true", help="write into a directory that exists")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    rules = parser.add_argument_group("for prometheus")
    rules.add_argument(
        "--source",
        choices=[str(each) for each in Source],
        default=str(Source.AUTO),
        help="the series that are counted: keeptime's own, or those that the contract names under "
        "`observe: - prometheus:`; auto (the default) takes the contract's where it names any",
    )
    rules.add_argument("--interval", metavar="TIME", help="between evaluations; 10s, or 30s on series of others")
    rules.add_argument(
        "--bounds", action="store_true", help="for a threshold between two bucket bounds: a lower and an upper one"
    )
    rules.add_argument("--kubernetes", action="store_true", help="a PrometheusRule resource instead of files")
    rules.add_argument(
        "--naming",
        choices=[str(each) for each in Naming],
        default="keeptime",
        help="sloth: record Sloth's series too",
    )
    rules.add_argument(
        "--keeptime-address",
        default="127.0.0.1:5337",
        metavar="HOST:PORT",
        help="where keeptime runs, to be scraped",
    )
    rules.add_argument(
        "--alertmanager-address", default="127.0.0.1:9093", metavar="HOST:PORT", help="where alerts are sent"
    )


def run(args: argparse.Namespace) -> int:
    """Raises ContractError, UsageError and ExportRefused for the front door to show."""
    from keeptime.contract.load import require
    from keeptime.export.departures import departures
    from keeptime.export.registry import export_of
    from keeptime.export.writing import write_directory

    contracts = _now(args.kind, require(args.contracts))
    files = export_of(args.kind)(contracts, _settings(args))
    write_directory(Path(args.output), files, force=args.force)
    for each in departures(args.kind, contracts):
        print(f"keeptime export: warning: {each}", file=sys.stderr)
    if args.json:
        names = [contract.name for contract in contracts]
        print(
            json.dumps(
                {"kind": args.kind, "output": args.output, "contracts": names, "files": list(files)}, indent=2
            )
        )
        return 0
    for name in files:
        print(f"{args.output}/{name}")
    print(_next(args.kind, args.output, bool(args.kubernetes)), file=sys.stderr)
    return 0


def _now(kind: str, contracts: "Sequence[Contract]") -> "tuple[Contract, ...]":
    """The contracts with what other tools can keep: the terms in force now. OpenSLO's annotations carry all."""
    from keeptime.contract.effective import in_force, times

    if kind == "openslo":
        return tuple(contracts)
    now = SystemClock().wall_ns() / 1e9
    for contract in contracts:
        for one in contract.objectives:
            if not one.in_force(now):
                print(
                    f"keeptime export: warning: {contract.name}/{one.name}: in force {times(one)}, so not now; "
                    "it is left out: export again then.",
                    file=sys.stderr,
                )
    found = tuple(each for each in in_force(contracts, now) if each.objectives)
    if contracts and not found:
        raise UsageError(f"{contracts[0].file}: no objective is in force now, so there is nothing to export")
    return found


def _settings(args: argparse.Namespace) -> "Settings":
    from keeptime.export.settings import Naming, Settings, Source

    return Settings(
        year=datetime.fromtimestamp(SystemClock().wall_ns() / 1e9, UTC).year,
        source=Source(args.source),
        interval=_seconds(args.interval) if args.interval else 0,
        bounds=args.bounds,
        kubernetes=args.kubernetes,
        naming=Naming(args.naming),
        keeptime=_address("--keeptime-address", args.keeptime_address),
        alertmanager=_address("--alertmanager-address", args.alertmanager_address),
    )


def _address(option: str, text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or set(host) & set("/@ ") or not port.isdecimal() or not 0 < int(port) <= 65535:
        raise UsageError(f"{option}: '{text}' is no address; expected HOST:PORT such as 127.0.0.1:9090")
    return text


def _seconds(text: str) -> int:
    from keeptime.units import parse_duration

    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--interval: {error}") from None
    if seconds != int(seconds) or 60 % int(seconds):
        raise UsageError(f"--interval: {text} does not divide a minute; expected 1s, 5s, 10s, 15s, 30s or 60s")
    return int(seconds)


def _next(kind: str, output: str, kubernetes: bool) -> str:
    nexts = {
        "prometheus": f"Next: promtool test rules {output}/tests/*.yml, then add {output}/rules to your Prometheus",
        "alertmanager": f"Next: amtool check-config {output}/alertmanager.yml",
        "grafana": f"Next: point Grafana's dashboard provisioning at {output}",
        "openslo": f"Next: give {output} to what reads OpenSLO",
        "sloth": f"Next: sloth generate -i {output}",
    }
    return f"Next: kubectl apply -f {output}" if kubernetes else nexts[kind]
