"""keeptime's engine, counter and expectations in one process, as `keeptime run` has them; prints what it measured.

Started by the probe benches: python -m bench.probe_client '{"port": …, "rate": …, "count": …}'. CPU is the whole
process', from the first due probe to the last outcome.
"""

import json
import os
import sys
import threading
from array import array

from bench.probe_parts import contract, cpu_seconds
from keeptime.clock import monotonic_ns, sleep, wall_ns
from keeptime.model.sample import Connection, Sample, Skipped
from keeptime.observe.count import Counter
from keeptime.observe.engine import Engine

GOOD, FAILED, SKIPPED = range(3)


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
    # Numbers only: were all outcomes kept, the garbage collector would work as it never does in a daemon.
    kinds = bytearray()
    stamped = [0]
    service, late, failures = array("q"), array("q"), list[str]()
    counter = Counter(contracts, 10.0, start_ns=wall_ns())

    def sink(outcome: Sample | Skipped) -> None:
        counter.add(outcome)
        if isinstance(outcome, Skipped):
            kinds.append(SKIPPED)
            late.append(0)
            service.append(0)
            return
        kinds.append(GOOD if outcome.failure is None else FAILED)
        stamped[0] += outcome.stamped
        late.append(outcome.sent_ns - outcome.due_ns)
        service.append(outcome.done_ns - outcome.sent_ns)
        if outcome.failure is not None:
            failures.append(outcome.detail)

    engine = Engine(contracts, sink, overdue=counter.overdue, stamps=bool(order.get("stamps", True)))
    warm = int(order.get("warm", 20))
    ended = threading.Event()
    if order.get("spin"):
        threading.Thread(target=spin, args=(ended,), daemon=True).start()
    engine.start()
    while len(kinds) < warm:
        sleep(0.01)
    first, cpu, start = len(kinds), cpu_seconds(os.getpid()), monotonic_ns()
    while len(kinds) - first < count:
        sleep(0.5)
        counter.close(wall_ns())
    cpu, seconds = cpu_seconds(os.getpid()) - cpu, (monotonic_ns() - start) / 1e9
    last = len(kinds)
    ended.set()
    engine.stop(2.0)
    measured = range(first, last)
    print(
        json.dumps(
            {
                "service": [service[i] for i in measured if kinds[i] == GOOD],
                "late": [late[i] for i in measured if kinds[i] != SKIPPED],
                "skipped": kinds[first:last].count(SKIPPED),
                "failed": kinds[first:last].count(FAILED),
                "failure": failures[-1] if failures else "",
                "stamped": stamped[0],
                "outcomes": last - first,
                "cpu": cpu,
                "seconds": seconds,
            }
        )
    )


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
