"""What the command line costs before it does anything, beside a bare interpreter.

Each round starts a bare Python, `import keeptime.cli.main` and every command's `--help`, one after the other, so
that the machine's speed drifts for all alike; the cost is the difference to the bare one of the same round.
Bar: importing the CLI at most 150 ms more than a bare interpreter.
"""

import argparse
import json
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from keeptime.cli.main import COMMANDS
from keeptime.clock import monotonic_ns

BAR_MS = 150.0


@dataclass(frozen=True)
class Row:
    """Milliseconds more than a bare interpreter: median, least and most of the rounds."""

    what: str
    more_ms: float
    least: float
    most: float
    bar: float | None = None


def milliseconds(arguments: list[str]) -> float:
    began = monotonic_ns()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return (monotonic_ns() - began) / 1e6


def measured(rounds: int) -> tuple[float, list[Row]]:
    """The median of a bare interpreter, and what each command costs more."""
    bare_command = ["-c", "pass"]
    starts = {"import keeptime.cli.main": ["-c", "import keeptime.cli.main"]}
    starts |= {f"keeptime {each.name} --help": ["-m", "keeptime", each.name, "--help"] for each in COMMANDS}
    more: dict[str, list[float]] = {what: [] for what in starts}
    bare: list[float] = []
    for _ in range(rounds + 1):
        bare.append(milliseconds(bare_command))
        for what, arguments in starts.items():
            more[what].append(milliseconds(arguments) - bare[-1])
    rows = []
    for what, each in more.items():
        counted = each[1:]  # the first round fills the caches
        bar = BAR_MS if what.startswith("import") else None
        rows.append(Row(what, statistics.median(counted), min(counted), max(counted), bar))
    return statistics.median(bare[1:]), rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three rounds, for a look")
    parser.add_argument("--seed", type=int, default=1, help="taken for likeness; nothing here is random")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rounds = 3 if given.quick else 15
    bare, rows = measured(rounds)
    print(f"a bare interpreter: {bare:.0f} ms (median of {rounds})")
    print(f"{'':32} {'ms more':>8} {'least':>7} {'most':>7} {'bar':>5}")
    for row in rows:
        bar = "" if row.bar is None else f"{row.bar:.0f}"
        print(f"{row.what:32} {row.more_ms:8.1f} {row.least:7.1f} {row.most:7.1f} {bar:>5}".rstrip())
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        document = {"bench": "import_time", "bare_ms": bare, "rows": [asdict(row) for row in rows]}
        given.json.write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
