"""How long from the first bad probe to the consumer's message: told by keeptime itself, and by way of Prometheus
and Alertmanager with the exported files.

Both ways run side by side on the same model, contract and probes: `keeptime run` judges each second and tells; a
real Prometheus scrapes it and evaluates the exported rules each second, a real Alertmanager tells with the exported
routes. In each round the model becomes slow, both messages are awaited, and it is mended again. The first bad probe
leaves at most one probe's interval (0.1 s) after the model became slow. No bar: the two ways are compared.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.e2e.whole_way import Whole, whole_way
from tests.servers import wait_until

PATIENCE = 120.0
"""Seconds for a message."""
WAYS = {"keeptime itself": False, "Prometheus and Alertmanager": True}


def told_after(whole: Whole, since: float, *, by_alertmanager: bool) -> float | None:
    """Seconds from `since` to the first message of this way; None: there was none yet."""
    found = [
        each.at for each in whole.receiver.of(by_alertmanager, "firing", "at_risk", "broken") if each.at > since
    ]
    return found[0] - since if found else None


def one_round(whole: Whole) -> dict[str, float]:
    """Break the model, wait for both messages, mend it, wait until both say so."""
    broken_at = time.time()
    whole.model.take(0.3)
    found: dict[str, float] = {}
    for way, by_alertmanager in WAYS.items():
        wait_until(
            lambda which=by_alertmanager: told_after(whole, broken_at, by_alertmanager=which) is not None,
            PATIENCE,
            f"a message by {way}",
        )
        took = told_after(whole, broken_at, by_alertmanager=by_alertmanager)
        assert took is not None
        found[way] = took
    mended_at = time.time()
    whole.model.take(0)
    for by_alertmanager, word in ((False, "recovered"), (True, "resolved")):
        wait_until(
            lambda which=by_alertmanager, end=word: any(
                each.at > mended_at for each in whole.receiver.of(which, end)
            ),
            PATIENCE,
            word,
        )
    time.sleep(6)  # the windows are clean again
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two rounds")
    parser.add_argument("--seed", type=int, default=1, help="taken for likeness; nothing here is random")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rounds = []
    with tempfile.TemporaryDirectory() as folder, whole_way(Path(folder)) as whole:
        for number in range(2 if given.quick else 8):
            rounds.append(one_round(whole))
            print(f"round {number + 1}: {rounds[-1]}", file=sys.stderr, flush=True)
    medians = {way: statistics.median(each[way] for each in rounds) for way in WAYS}
    print(f"seconds from a slow model to the message; {len(rounds)} rounds, ticks and evaluations of 1 s")
    for way, median in medians.items():
        every = [each[way] for each in rounds]
        print(f"{way:28} {median:6.2f}  ({min(every):.2f} to {max(every):.2f})")
    ratio = medians["keeptime itself"] / medians["Prometheus and Alertmanager"]
    print(f"ratio {ratio:.2f}")
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps({"bench": "time_to_tell", "rounds": rounds, "ratio": ratio}, indent=1))


if __name__ == "__main__":
    main()
