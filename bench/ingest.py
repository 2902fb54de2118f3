"""What it costs to take in real traffic: each part of it beside a peer where there is one.

A part is one function that measures and one that says what it found, registered in PARTS; each stands in a module
of its own. The parts run one after the other; `--only` picks.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import ingest_log, ingest_scrape, ingest_sent


@dataclass(frozen=True)
class Part:
    """`measure(quick, seed)` gives what JSON can hold; `say` prints it for people."""

    measure: Callable[[bool, int], dict[str, Any]]
    say: Callable[[Mapping[str, Any]], None]


PARTS = {
    "scrape": Part(ingest_scrape.measure, ingest_scrape.say),
    "sent": Part(ingest_sent.measure, ingest_sent.say),
    "log": Part(ingest_log.measure, ingest_log.say),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=PARTS, action="append", help="this part alone; may be given again")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = {}
    for name in given.only or PARTS:
        print(f"-- {name}", flush=True)
        found[name] = PARTS[name].measure(given.quick, given.seed)
        PARTS[name].say(found[name])
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps({"bench": "ingest", **found}, indent=1))


if __name__ == "__main__":
    main()
