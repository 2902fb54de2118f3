"""5,000 endpoints, each probed every second, by one engine on one core: fresh connections, and kept ones.

Shows the share of the core, how late probes leave after they are due, how far off their latencies are (the target
answers exactly 20 ms after the kernel received the request), and what was skipped. Bar: every slot is launched, all
answer, on one core.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import cast

from bench.probe_parts import DELAY_US, client, cores, quantile, target


def measure(core: int, port: int, connection: str, endpoints: int, seconds: int) -> dict[str, object]:
    result = client(
        core,
        port=port,
        rate=endpoints,
        endpoints=endpoints,
        count=endpoints * seconds,
        warm=2 * endpoints,
        connection=connection,
    )
    late = [each / 1000 for each in cast(list[int], result["late"])]
    errors = [abs(each / 1000 - DELAY_US) for each in cast(list[int], result["service"])]
    return {
        "connection": connection,
        "endpoints": endpoints,
        "probes_per_second": cast(int, result["outcomes"]) / cast(float, result["seconds"]),
        "core_share": cast(float, result["cpu"]) / cast(float, result["seconds"]),
        "cpu_us_per_probe": cast(float, result["cpu"]) / cast(int, result["outcomes"]) * 1e6,
        "late_p50_us": quantile(late, 0.5),
        "late_p99_us": quantile(late, 0.99),
        "error_p50_us": statistics.median(errors),
        "error_p99_us": quantile(errors, 0.99),
        "skipped": result["skipped"],
        "failed": result["failed"],
        "failure": result["failure"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="500 endpoints for 3 seconds")
    parser.add_argument(
        "--seed", type=int, default=0, help="taken for likeness with other benches; nothing is drawn"
    )
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    endpoints, seconds = (500, 3) if args.quick else (5000, 30)
    core, other = cores()
    with target(other) as port:
        rows = [measure(core, port, each, endpoints, seconds) for each in ("fresh", "reuse")]
    heads = "connection | probes/s | of the core | CPU us/probe | late p50 / p99 us | error p50 / p99 us"
    print(f"| {heads} | skipped | failed |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        print(
            "| {connection} | {probes_per_second:,.0f} | {core_share:.0%} | {cpu_us_per_probe:,.0f} "
            "| {late_p50_us:,.0f} / {late_p99_us:,.0f} | {error_p50_us:,.0f} / {error_p99_us:,.0f} "
            "| {skipped} | {failed} |".format(**row)
        )
    held = all(row["skipped"] == row["failed"] == 0 and cast(float, row["core_share"]) <= 1 for row in rows)
    said = "held" if held else "MISSED"
    print(f"\nbar: {endpoints} endpoints every second on one core, none skipped, none failed: {said}")
    if args.json:
        Path(args.json).write_text(json.dumps({"rows": rows, "held": held}, indent=2))
    return 0 if args.quick or held else 1


if __name__ == "__main__":
    sys.exit(main())
