"""`keeptime presets`: the model servers whose own metrics keeptime can read, and what each cannot tell.

Exit code 0: printed; 2: there is no such preset, or the command was called wrongly.
"""

import argparse
import json
from typing import TYPE_CHECKING

from keeptime.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keeptime.contract.presets.preset import Metric, Preset

EXAMPLES = """\
examples:
  keeptime presets                     which servers there are, and what their metrics tell
  keeptime presets vllm                all of one: metrics, bounds, traps, refusals, and a contract to begin with
  keeptime presets triton --json
  keeptime init --scrape http://127.0.0.1:8000/metrics     recognises the server, and writes a contract

exit codes:
  0  printed
  2  there is no such preset, or the command was called wrongly
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "List the model servers whose own metrics keeptime can read, or show all of one."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("name", metavar="NAME", nargs="?", help="show all of this one")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    from keeptime.contract.presets.library import every

    if args.name is None:
        found = every()
        if args.json:
            print(json.dumps({"presets": [_as_json(each) for each in found]}, indent=2))
        else:
            _list(found)
        return 0
    one = preset_named(args.name)
    if args.json:
        print(json.dumps({**_as_json(one), "contract": _contract(one)}, indent=2))
    else:
        _show(one)
    return 0


def preset_named(name: str) -> "Preset":
    """Raises UsageError with the nearest name, and all there are."""
    from keeptime.contract.presets.library import names, preset
    from keeptime.contract.report import nearest

    found = preset(name)
    if found is None:
        raise UsageError(f"no preset is called {name!r}{nearest(name, names())}; there are {', '.join(names())}")
    return found


def _contract(one: "Preset") -> str:
    from keeptime.contract.presets.snippet import usual, write

    return write(one, usual(one), name=f"{one.name}-latency")


def _list(found: "Sequence[Preset]") -> None:
    from keeptime.contract.presets.spoken import failures, fidelity, signals

    rows = [("preset", "server", "known of latency", "failures", "signals")]
    rows += [(each.name, each.title, fidelity(each), failures(each), signals(each)) for each in found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print("\n`keeptime presets NAME` shows all of one: metrics, thresholds, traps, and a contract to begin with.")


def _show(one: "Preset") -> None:
    from keeptime.contract.presets.spoken import failures, refused

    print(f"{one.title} ({one.name}), checked on {one.checked or 'no version in particular'}")
    print(f"  metrics    {one.url}")
    if one.needs:
        print(f"  needs      {one.needs}")
    print(f"  failures   {failures(one)}")
    for name, label in one.attributes.items():
        print(f"  attribute  {name}: label {label}")
    print(f"  source     {one.source}")
    for each in one.metrics:
        print(f"\n{each.signal}")
        _show_metric(each)
    _paragraph("Traps", list(one.traps))
    _paragraph("Refused", [f"{refused(asked).replace('`', '')}: {why}" for asked, why in one.refusals.items()])
    print(f"\nA contract to begin with:\n\n{_contract(one)}", end="")


def _show_metric(each: "Metric") -> None:
    from keeptime.contract.presets.spoken import judged

    print(f"  {each.kind:<11}{' or '.join(each.names)}, in {each.unit}")
    if each.selector:
        print(f"  only       {each.selector.text}")
    if each.failed:
        print(f"  failed     {each.failed.text}")
    if each.failures:
        print(f"  failed     {', '.join(each.failures)}")
    print(f"  judges     {judged(each)}")


def _paragraph(head: str, lines: list[str]) -> None:
    if lines:
        print(f"\n{head}")
    for each in lines:
        print(f"  - {each}")


def _as_json(one: "Preset") -> dict[str, object]:
    return {
        "preset": one.name,
        "title": one.title,
        "checked": one.checked,
        "source": one.source,
        "url": one.url,
        "needs": one.needs,
        "recognise": list(one.recognise),
        "attributes": dict(one.attributes),
        "metrics": [_metric_json(each) for each in one.metrics],
        "traps": list(one.traps),
        "refusals": {str(asked): why for asked, why in one.refusals.items()},
    }


def _metric_json(one: "Metric") -> dict[str, object]:
    return {
        "signal": str(one.signal),
        "kind": str(one.kind),
        "names": list(one.names),
        "unit": str(one.unit),
        "fidelity": str(one.fidelity),
        "buckets_seconds": list(one.buckets),
        "selector": one.selector.text,
        "failed": one.failed.text,
        "failures": list(one.failures),
        "sum": one.sum,
    }
