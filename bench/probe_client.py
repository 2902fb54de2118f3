"""keeptime's engine, counter and expectations in one process, as `keeptime run` has them; prints what it measured.

Started by the probe benches: python -m bench.probe_client '{"port": …, "rate": …, "count": …}'. CPU is the whole
process', from the first due probe to the last outcome.
"""

import json
import os
import sys
import threading

from bench.probe_parts import contract, cpu_seconds
from keeptime.clock import monotonic_ns, sleep, wall_ns
from keeptime.model.sample import Connection, Sample, Skipped
from keeptime.observe.count import Counter
from keeptime.observe.engine import Engine


def spin(stop: threading.Event) -> None:
    """A thread that computes and never waits."""
    number = 0
    while not stop.is_set():
        for _ in range(10_000):
            number += 1


def main(order: dict[str, object]) -> None:
    endpoints, rate, count = int(order.get("endpoints", 1)), float(order["rate"]), int(order["count"])
    connection = Connection(order.get("connection", "fresh"))
    contracts = [
        contract(f"c{index}", int(order["port"]), endpoints / rate, connection, f"/{index}")
        for index in range(endpoints)
    ]
    outcomes: list[Sample | Skipped] = []
    counter = Counter(contracts, 10.0, start_ns=wall_ns())

    def sink(outcome: Sample | Skipped) -> None:
        counter.add(outcome)
        outcomes.append(outcome)

    engine = Engine(contracts, sink, overdue=counter.overdue, stamps=bool(order.get("stamps", True)))
    warm = int(order.get("warm", 20))
    ended = threading.Event()
    if order.get("spin"):
        threading.Thread(target=spin, args=(ended,), daemon=True).start()
    engine.start()
    while len(outcomes) < warm:
        sleep(0.01)
    first, cpu, start = len(outcomes), cpu_seconds(os.getpid()), monotonic_ns()
    while len(outcomes) - first < count:
        sleep(0.05)
        counter.close(wall_ns())
    cpu, seconds = cpu_seconds(os.getpid()) - cpu, (monotonic_ns() - start) / 1e9
    measured = outcomes[first:]
    ended.set()
    engine.stop(2.0)
    samples = [each for each in measured if isinstance(each, Sample)]
    good = [each for each in samples if each.failure is None]
    print(
        json.dumps(
            {
                "service": [each.done_ns - each.sent_ns for each in good],
                "late": [each.sent_ns - each.due_ns for each in samples],
                "skipped": len(measured) - len(samples),
                "failed": len(samples) - len(good),
                "failure": next((each.detail for each in samples if each.failure is not None), ""),
                "stamped": sum(each.stamped for each in good),
                "outcomes": len(measured),
                "cpu": cpu,
                "seconds": seconds,
            }
        )
    )


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
