"""Fault 4: keeptime is stopped (SIGSTOP): whoever watches from outside notices, and on waking the signs go on."""

import json
import signal
import time
from pathlib import Path

from keeptime.consumer import Inbox, Verifier
from tests.e2e.keeping import Keeptime, keeping, until
from tests.e2e.peers import Consumer, Watcher, consumer, model, watcher

TERMS = """\
contract: kept
endpoint: {{url: "{url}", method: POST, json: {{data: 1}}}}
observe:
  - probe: {{every: 100ms, timeout: 1s}}
objectives:
  - 90% of requests under 500ms over 60s
consumers:
  - name: checkout
    tell: [{{webhook: {{url: "env:HOOK", secret: "env:HOOK_SECRET"}}}}]
    heartbeat: 1s
operators:
  tell: ["log:"]
  ping: {{url: env:PING, every: 1s}}
"""
STOPPED = 7.0
"""Longer than three intervals of both signs, and than a tick is fresh for, so waking finds nothing fresh."""


def _beats(told: Consumer) -> list[dict[str, object]]:
    bodies = [json.loads(body) for _, body in told.received]
    return [each for each in bodies if each["type"] == "keeptime.heartbeat"]


def _silent(told: Consumer, seconds_later: float) -> bool:
    """Would a consumer's inbox say so, after all that came?"""
    inbox = Inbox(Verifier([], unsigned=True), lambda _: None)
    for number, (name, body) in enumerate(told.received):
        headers = {"webhook-id": name, "webhook-timestamp": str(1_800_000_000 + number)}
        inbox.take(headers, body, 1_800_000_000.0 + number)
    return bool(inbox.silent(1_800_000_000.0 + len(told.received) - 1 + seconds_later))


def _awake(told: Consumer, outside: Watcher, beats: int, pings: int) -> bool:
    return len(_beats(told)) > beats + 1 and len(outside.pings) > pings + 1


def _stop(one: Keeptime) -> float:
    """Stopped for a while; when it was woken."""
    one.signal(signal.SIGSTOP)
    time.sleep(STOPPED)
    one.signal(signal.SIGCONT)
    return time.monotonic()


def test_fault_04_the_dead_man_outside_fires_and_on_waking_the_signs_go_on(tmp_path: Path) -> None:
    with (
        model() as served,
        consumer() as told,
        watcher() as outside,
        keeping(tmp_path / "one", TERMS.format(url=served.url), told.url, PING=outside.url) as one,
    ):
        one.start()
        until(lambda: _awake(told, outside, 0, 0), 40, "the first signs of life")
        stopped = time.monotonic()
        beats, pings = len(_beats(told)), len(outside.pings)
        woken = _stop(one)
        before, after = outside.pings[-1], STOPPED - 1
        assert woken - before > after, "it was stopped, and yet it pinged"
        assert _silent(told, woken - stopped)
        until(lambda: _awake(told, outside, beats, pings), 40, "signs of life after waking")
        assert not _silent(told, 1)
        metrics = one.get("/metrics").decode()
        assert 'keeptime_pings_total{contract="kept",result="taken"}' in metrics
        assert 'keeptime_heartbeat_age_seconds{audience="checkout",contract="kept"}' in metrics or (
            'keeptime_heartbeat_age_seconds{contract="kept",audience="checkout"}' in metrics
        )
        assert one.end() == 0
        assert "ping of kept held back" in one.log  # on waking, until a fresh tick was judged
