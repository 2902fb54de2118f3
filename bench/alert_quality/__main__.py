"""How well decision rules alert, on simulated traffic where it is known what was really wrong.

Compared: `buckets` (keeptime's default), burn rates as Sloth and as Pyrra set them, burn rates re-tuned to as few
false alarms as `buckets`, the rule that people write by hand, and keeptime's other two policies. Every rule is
judged by keeptime's own judge on the same counts, a tick every 10 s, objectives over 28 days.

`mixed`: service-months with random incidents that spend 0.3 to 30 % of the budget (see streams.py). `scenarios`:
one thing happens, or nothing does, for each target and kind of traffic. Seeded: the same seed gives the same
figures.
"""

import argparse
import os
import sys
from pathlib import Path

from bench.alert_quality.running import Size, measured
from bench.alert_quality.showing import draw, save, show

FULL = Size(months=450, tuning_months=90, repeats=3)
QUICK = Size(
    months=45,
    tuning_months=15,
    repeats=1,
    scenarios=("healthy 0.5", "outage 30 min"),
    grid=((1.0, 1.0, 1e-3), (1.0, 2.0, 1e-6)),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of it: about a minute, and rough figures")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--months", type=int, help="service-months of the mixed population (a multiple of 45)")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="processes")
    parser.add_argument("--json", type=Path, default=Path("out/bench/alert_quality.json"))
    parser.add_argument("--plot", type=Path, help="an SVG of the mixed population; needs matplotlib")
    given = parser.parse_args()
    size = QUICK if given.quick else FULL
    if given.months:
        size = size.with_months(given.months)
    found = measured(size, given.seed, given.jobs)
    show(found)
    save(found, given.json)
    if given.plot:
        draw(found, given.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
