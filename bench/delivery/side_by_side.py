"""The same faults at the same time for both: `keeptime run`, and Prometheus with Alertmanager, watching one model.

Each row is one fault of docs/delivery.md, injected into real processes and real networks. Alertmanager is given
quick settings (group_wait 2 s, group_interval 5 s), which favour it; its defaults are 30 s and 5 min.
"""

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.e2e.keeping import Keeptime, keeping, until
from tests.e2e.peers import Consumer, consumer
from tests.faults.proxy import Proxy, Way, proxied
from tests.faults.scene import SLOW, TERMS
from tests.faults.test_fault_02_03_kills_of_deciding import SUSTAINED

from bench.delivery.usual_pair import Hook, Pair, Program, Service, hook, usual_pair

LIFE = 8.0
Outcome = tuple[str, str]
"""What became of it with the usual pair, and with keeptime."""


@dataclass(frozen=True)
class Both:
    """One model, watched by both; each tells a receiver of its own by a network of its own."""

    service: Service
    pair: Pair
    heard: Hook
    keeptime: Keeptime
    told: Consumer
    networks: tuple[Proxy, Proxy]

    def breach(self, seconds: float) -> None:
        """The model is slow for so long."""
        self.service.delay = SLOW
        time.sleep(seconds)
        self.service.delay = 0.0

    def told_of(self) -> tuple[int, int]:
        """Beginnings and ends of breaches that keeptime's consumer heard of."""
        topics = self.told.topics()
        ends = topics.count("recovered")
        begins = sum(
            topic != "recovered" and before in ("", "recovered")
            for before, topic in zip(["", *topics], topics, strict=False)
        )
        return begins, ends


@contextmanager
def both(folder: Path, *, terms: str = TERMS, hold: str = "2s") -> Iterator[Both]:
    service = Service()
    with hook() as heard, consumer() as told, proxied(heard.url) as first, proxied(told.url) as second:
        with (
            usual_pair(folder / "pair", service.metrics, first.url, hold=hold) as pair,
            keeping(folder / "keeptime", terms.format(url=service.url), second.url) as keeptime,
        ):
            keeptime.start()
            time.sleep(6)  # both have seen the model sound
            yield Both(service, pair, heard, keeptime, told, (first, second))
        service.die()


def killing(victim: Program | Keeptime, ended: threading.Event, chance: random.Random) -> int:
    """Kill -9 and start again, at random instants, until `ended`; how often."""
    count = 0
    while not ended.wait(chance.uniform(2.5, 6.0)):
        victim.kill()
        victim.start()
        count += 1
    return count


def kills(folder: Path, quick: bool, seed: int) -> Outcome:
    """1: who tells is killed -9 every few seconds, while breaches begin and end."""
    cycles = 2 if quick else 4
    with both(folder) as stage:
        ended, counts = threading.Event(), [0, 0]
        victims = (stage.pair.alertmanager, stage.keeptime)

        def rampage(which: int) -> None:
            counts[which] = killing(victims[which], ended, random.Random(seed))

        threads = [threading.Thread(target=rampage, args=(which,)) for which in (0, 1)]
        for thread in threads:
            thread.start()
        for _ in range(cycles):
            stage.breach(15)
            time.sleep(17)
        ended.set()
        for thread in threads:
            thread.join()
        time.sleep(15)
        begins, ends = stage.told_of()
        heard = stage.heard.heard
        usual = (heard.count("firing"), heard.count("resolved"))
        said = [
            f"{first} beginnings, {last} ends of {cycles} told; {count} kills"
            for (first, last), count in zip((usual, (begins, ends)), counts, strict=True)
        ]
        return said[0], said[1]


def kills_within_the_hold(folder: Path, quick: bool, seed: int) -> Outcome:
    """2: whoever decides is killed -9 each 8 s, the breach must last 10 s."""
    lives = 4 if quick else 6
    with both(folder, terms=SUSTAINED, hold="10s") as stage:
        stage.service.delay = SLOW
        said = ["", ""]

        def live(which: int) -> None:
            victim = (stage.pair.prometheus, stage.keeptime)[which]
            for life in range(1, lives + 1):
                time.sleep(max(0.0, began[which] + LIFE - time.monotonic()))
                if (stage.heard.heard, stage.told.received)[which]:
                    said[which] = f"fired in life {life}"
                    return
                victim.kill()
                began[which] = time.monotonic()
                victim.start()
            said[which] = f"not fired in {lives} lives"

        began = [time.monotonic()] * 2
        threads = [threading.Thread(target=live, args=(which,)) for which in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return said[0], said[1]


def outage(folder: Path, quick: bool, seed: int) -> Outcome:
    """15: the receiver refuses, and a whole breach is inside that time."""
    length = 24 if quick else 60
    with both(folder) as stage:
        for network in stage.networks:
            network.be(Way.REFUSE)
        stage.breach(length / 3)
        time.sleep(length * 2 / 3)
        for network in stage.networks:
            network.be(Way.PASS)
        time.sleep(75)
        begins, ends = stage.told_of()
        heard = stage.heard.heard
        return (
            f"beginning told: {_yes(heard.count('firing'))}, end told: {_yes(heard.count('resolved'))}",
            f"beginning told: {_yes(begins)}, end told: {_yes(ends)}",
        )


def death(folder: Path, quick: bool, seed: int) -> Outcome:
    """27: the endpoint dies in mid-breach."""
    with both(folder) as stage:
        stage.service.delay = SLOW
        until(lambda: "firing" in stage.heard.heard and bool(stage.told.received), 60, "both to tell of the breach")
        stage.service.die()
        died = time.monotonic()
        while time.monotonic() - died < 30 and "resolved" not in stage.heard.heard:
            time.sleep(0.2)
        took = time.monotonic() - died
        time.sleep(max(0.0, 20 - took))
        wrong = "recovered" in stage.told.topics()
        return (
            f'said "resolved" after {took:.0f} s' if "resolved" in stage.heard.heard else "stays firing",
            'said "recovered"' if wrong else f"stays {stage.told.topics()[-1]}",
        )


def silence_ended(folder: Path, quick: bool, seed: int) -> Outcome:
    """33: a silence is ended by hand, then kill -9."""
    with both(folder) as stage:
        router, keeptime = stage.pair.alertmanager, stage.keeptime
        now = datetime.now(UTC)
        made = router.ask("POST", "/api/v2/silences", SILENCE | {
            "startsAt": now.isoformat(), "endsAt": (now + timedelta(hours=2)).isoformat(),
        })  # fmt: skip
        router.end()  # its snapshot is written at an orderly end, else each 15 minutes
        router.start()
        asked(keeptime, "add", "kept", "--author", "ann", "--reason", "known", "--for", "2h")
        router.ask("DELETE", f"/api/v2/silence/{made['silenceID']}")  # type: ignore[index]
        asked(keeptime, "end", "1", "--author", "ann", "--reason", "over")
        for each in (router, keeptime):
            each.kill()
            each.start()
        known: list[dict[str, dict[str, str]]] = router.ask("GET", "/api/v2/silences")  # type: ignore[assignment]
        back = any(each["status"]["state"] == "active" for each in known)
        mutes = json.loads(keeptime.get("/api/v1/silences"))["silences"]
        return tuple("is back, and mutes" if each else "stays ended" for each in (back, mutes))  # type: ignore[return-value]


SILENCE = {
    "matchers": [{"name": "alertname", "value": "TooSlow", "isRegex": False}],
    "createdBy": "ann",
    "comment": "known",
}


def asked(keeptime: Keeptime, *words: str) -> None:
    """`keeptime silence …`, which must succeed."""
    command = [sys.executable, "-m", "keeptime", "silence", *words, "--url", keeptime.url]
    subprocess.run(command, check=True, capture_output=True, env=keeptime.environment)


def _yes(count: int) -> str:
    return "yes" if count else "no"


ROWS: dict[str, Callable[[Path, bool, int], Outcome]] = {
    "1 the teller is killed -9 again and again": kills,
    "2 the decider is killed -9 within the hold": kills_within_the_hold,
    "15 the receiver is down, with a breach inside": outage,
    "27 the endpoint dies in mid-breach": death,
    "33 a silence is ended, then kill -9": silence_ended,
}
