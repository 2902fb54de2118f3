"""Every bench, one after the other; each writes out/bench/NAME.json. `--quick` takes minutes less."""

import argparse
import subprocess
import sys
from pathlib import Path

BENCHES = (
    "import_time",
    "judge",
    "alert_quality",
    "forecast",
    "disagreement",
    "prometheus_rules",
    "time_to_tell",
    "store",
    "store_postgresql",
    "probe_accuracy",
    "probe_scale",
    "stream_accuracy",
    "delivery",
    "explain",
    "ingest",
    "middleware",
    "middleware_kinds",
    "stacks",
    "web",
)
"""In the order of docs/performance.md."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=BENCHES, action="append", help="this one alone; may be given again")
    given = parser.parse_args()
    failed = []
    for name in given.only or BENCHES:
        print(f"\n== bench.{name}", flush=True)
        command = [sys.executable, "-m", f"bench.{name}", "--seed", str(given.seed)]
        command += ["--json", str(Path("out/bench") / f"{name}.json"), *(["--quick"] if given.quick else [])]
        if subprocess.run(command).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
