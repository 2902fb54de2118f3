"""How soon everyone is told, how many transitions a second become durable, and what the usual pair makes of the
same faults.

Bars: decided → received p99 at most 100 ms with 100 receivers of which 20 hang; 1,000 transitions a second
sustained into the outbox on SQLite with full sync. The faults have no bar: the table is printed.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench.delivery import side_by_side, sustained, telling
from bench.delivery.telling import Load

P99_MS, PER_SECOND = 100.0, 1000
Found = dict[str, object]


def told(quick: bool, seed: int) -> list[Found]:
    """Loads of `telling`, three runs of each that is not quick."""
    loads = [
        Load("one decision for all 100", 1, 11 if quick else 41, 0.6),
        Load("the same 80, and the other 20 do not hang", 1, 11 if quick else 41, 0.6, hang=False),
        Load("100 contracts, one receiver each", 100, 100 if quick else 400, 0.05),
    ]
    return [telling.measure(load, seed + number) for load in loads for number in range(1 if quick else 3)]


def show_told(rows: list[Found]) -> bool:
    print("\ndecided → received, 100 receivers of which 20 hang; ms")
    print(
        "| load | due | received | median | p90 | p99 | worst | p99 from the commit's end | the first: worst |\n"
        "|---|---|---|---|---|---|---|---|---|"
    )
    for row in rows:
        ms = row["ms"]
        assert isinstance(ms, Mapping)
        shown = [ms[name] for name in telling.SHARES] + [row["after_commit_p99_ms"], row["first_worst_ms"]]
        said = " | ".join(f"{each:.0f}" for each in shown)
        print(f"| {row['load']} | {row['due']} | {row['received']} | {said} |")
    held = all(row["due"] == row["received"] and row["ms"]["p99"] <= P99_MS for row in rows)  # type: ignore[index]
    print(f"bar: p99 at most {P99_MS:.0f} ms: {'held' if held else 'MISSED'}")
    return held


def show_sustained(rows: list[Found]) -> bool:
    print("\ntransitions into the outbox, SQLite with full sync, one tick a second")
    print("| run | seconds | decided /s | marked /s | of a core | commit ms: median, worst | late ms: the same |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        spans = [_span(row[name]) for name in ("commit_ms", "late_ms")]
        figures = [f"{row[name]:.0f}" for name in ("seconds", *RATES)]
        print(f"| {row['run']} | {' | '.join([*figures, format(row['cpu_share'], '.0%'), *spans])} |")
    held = all(row["transitions_per_second"] >= 0.98 * PER_SECOND for row in rows)  # type: ignore[operator]
    print(f"bar: {PER_SECOND} a second sustained: {'held' if held else 'MISSED'}")
    return held


def _span(ms: object) -> str:
    assert isinstance(ms, Mapping)
    return f"{ms['median']:.0f}, {ms['worst']:.0f}"


RATES = ("transitions_per_second", "marked_per_second")


def faults(quick: bool, seed: int) -> list[Found]:
    found: list[Found] = []
    for name, row in side_by_side.ROWS.items():
        print(f"fault {name} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            usual, keeptime = row(Path(folder), quick, seed)
        found.append({"fault": name, "usual": usual, "keeptime": keeptime})
    return found


def show_faults(rows: list[Found]) -> None:
    print("\nthe same faults for both, side by side")
    print("| fault | Prometheus and Alertmanager | keeptime |\n|---|---|---|")
    for row in rows:
        print(f"| {row['fault']} | {row['usual']} | {row['keeptime']} |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="shorter, and one run of each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument(
        "--only", choices=("told", "sustained", "faults"), action="append", help="these parts alone"
    )
    given = parser.parse_args()
    parts, found, held = given.only or ("told", "sustained", "faults"), dict[str, list[Found]](), []
    if "told" in parts:
        found["told"] = told(given.quick, given.seed)
        held.append(show_told(found["told"]))
    if "sustained" in parts:
        seconds = 15 if given.quick else 60
        found["sustained"] = [sustained.measure(seconds, marking=marking) for marking in (False, True)]
        held.append(show_sustained(found["sustained"]))
    if "faults" in parts:
        found["faults"] = faults(given.quick, given.seed)
        show_faults(found["faults"])
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps({"bench": "delivery", "held": all(held), **found}, indent=1))
    return 0 if given.quick or all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
