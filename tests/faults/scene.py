"""What a fault is injected into: a real model, `keeptime run` as a child, a proxy, and a consumer that notes all.

    with scene(tmp_path) as stage:
        stage.keeptime.start()
        stage.breach()                  # the model becomes slow; until the consumer was told
        stage.network.be(Way.HANG)      # the way to the consumer fails
        stage.mend()                    # the model is fast again
        stage.keeptime.kill()           # or stop(), go_on(), end()
        stage.clock.set(HOUR)           # the child's wall clock jumps

Each part can be had alone: tests/e2e/keeping.py, tests/e2e/peers.py, proxy.py, shifting.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.keeping import Keeptime, keeping, until
from tests.e2e.peers import Consumer, Model, consumer, model
from tests.faults.proxy import Proxy, proxied
from tests.faults.shifting import Shift, shifting

SLOW = 0.35
"""Seconds that a model takes which breaks its promise."""

TERMS = """\
contract: kept
endpoint: {{url: "{url}", method: POST, json: {{data: 1}}}}
observe:
  - probe: {{every: 100ms, timeout: 1s}}
objectives:
  - 90% of requests under 200ms over 10s
policy:
  burn-rate:
    tiers: [{{severity: page, long: 3s, short: 1s, factor: 2}}]
consumers:
  - name: checkout
    tell: [{{webhook: {{url: "env:HOOK", secret: "env:HOOK_SECRET"}}}}]
"""
"""A breach is told about three seconds after it began, and its end some ten seconds after that."""

IN_ORDER = "SELECT m.message_id FROM outbox o JOIN message m ON m.id = o.message ORDER BY o.row"
UNSENT = "SELECT count(*) FROM outbox WHERE delivered IS NULL AND dead IS NULL"


@dataclass(frozen=True)
class Scene:
    """Everything; `keeptime` is not started yet, and tells `told` by way of `network`."""

    model: Model
    told: Consumer
    network: Proxy
    clock: Shift
    keeptime: Keeptime

    def breach(self, seconds: float = 30) -> None:
        """The model becomes slow; returns when the consumer has heard of it."""
        self.model.delay = SLOW
        self.await_topic("broken", seconds)

    def mend(self, seconds: float = 40) -> None:
        """The model is fast again; returns when the consumer has heard of it."""
        self.model.delay = 0.0
        self.await_topic("recovered", seconds)

    def await_topic(self, topic: str, seconds: float = 30) -> None:
        """Until this is the last that the consumer heard."""
        until(lambda: self.told.topics()[-1:] == [topic], seconds, f"'{topic}' to be told; {self.told.topics()}")

    def decided(self) -> list[str]:
        """The ids of all messages in the store, in the order in which they were decided."""
        return [str(name) for (name,) in self.keeptime.rows(IN_ORDER)]

    def unsent(self) -> int:
        return int(self.keeptime.rows(UNSENT)[0][0])  # type: ignore[call-overload, no-any-return]

    def check_told(self) -> None:
        """What was decided was told: all of it, in order, each id with one body."""
        assert self.told.once() == self.decided()
        assert len(set(self.told.received)) == len(self.told.once()), "a repeat had another body"


@contextmanager
def scene(folder: Path, terms: str = TERMS, *, shift: float = 0.0) -> Iterator[Scene]:
    """`shift`: seconds that keeptime's wall clock is off at the start."""
    with (
        model() as served,
        consumer() as told,
        proxied(told.url) as network,
        shifting(folder / "clock", shift) as clock,
        keeping(folder / "k", terms.format(url=served.url), network.url, **clock.environment) as keeptime,
    ):
        yield Scene(served, told, network, clock, keeptime)
