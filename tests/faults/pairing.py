"""A pair on a real PostgreSQL, each with its own way to the database and to the consumer, so that either can fail.

with pair(tmp_path, url) as two:
    two.a.start()                    # leads
    two.b.start()                    # stands by
    two.a.kill()                     # or stop(), or two.a.database.be(Way.REFUSE)
    two.await_lead(two.b)
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.e2e.keeping import Keeptime, until
from tests.e2e.peers import Consumer, Model, consumer, model
from tests.faults.proxy import Proxy, proxied
from tests.faults.scene import SLOW, TERMS

SHORT = "2s"
"""A lease for tests that are not about the default figures."""


@dataclass
class One(Keeptime):
    """One of the two. `database`, `network`: its ways to PostgreSQL and to the consumer."""

    store: str = ""
    lease: str = "8s"
    database: Proxy = field(kw_only=True)
    network: Proxy = field(kw_only=True)

    def command(self, *options: str) -> list[str]:
        usual = ["--tick", "1s", "--listen", "127.0.0.1:0", "--store", self.store, "--lease", self.lease]
        return [sys.executable, "-m", "keeptime", "run", str(self.contract), *usual, *options]

    def health(self) -> dict[str, object]:
        return dict(json.loads(self.get("/healthz")))

    @property
    def leads(self) -> bool:
        role: Mapping[str, object] = self.health()["pair"]  # type: ignore[assignment]
        return bool(role["leads"])


@dataclass(frozen=True)
class Two:
    """`url`: the database, by no proxy."""

    a: One
    b: One
    model: Model
    told: Consumer
    url: str

    def start(self) -> None:
        """`a` leads and `b` stands by."""
        self.a.start()
        self.await_lead(self.a)
        self.b.start()

    def await_lead(self, one: One, seconds: float = 40.0) -> float:
        """Until this one leads; how many seconds it took."""
        began = time.monotonic()
        until(lambda: one.leads, seconds, "the other to take over")
        return time.monotonic() - began

    def breach(self, seconds: float = 30) -> None:
        """The model becomes slow; returns when a message about it is decided."""
        before = len(self.decided())
        self.model.delay = SLOW
        until(lambda: len(self.decided()) > before, seconds, "the breach to be decided")

    def decided(self) -> list[str]:
        """The ids of all messages, in the order in which they were decided."""
        found = self.rows("SELECT m.message_id FROM outbox o JOIN message m ON m.id = o.message ORDER BY o.row")
        return [str(name) for (name,) in found]

    def unsent(self) -> int:
        return int(self.rows("SELECT count(*) FROM outbox WHERE delivered IS NULL AND dead IS NULL")[0][0])  # type: ignore[call-overload]

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, autocommit=True, options="-c search_path=keeptime") as db:
            return db.execute(query).fetchall()  # type: ignore[call-overload, no-any-return]

    def await_told(self, seconds: float = 40.0) -> None:
        """Until nothing is left to send."""
        until(lambda: self.unsent() == 0, seconds, f"all to be told; {self.told.topics()}")

    def check_told(self) -> None:
        """What was decided was told: all of it, in order, each id with one body."""
        assert self.told.once() == self.decided()
        assert len(set(self.told.received)) == len(self.told.once()), "a repeat had another body"


@contextmanager
def pair(
    folder: Path, url: str, lease: str = SHORT, clocks: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {})
) -> Iterator[Two]:
    """Neither is started yet. `clocks`: environments of each that shift its clock."""
    with ExitStack() as stack:
        served, told = stack.enter_context(model()), stack.enter_context(consumer())
        parts = urlsplit(url)
        ones = []
        for name, clock in zip("ab", clocks, strict=True):
            database = stack.enter_context(proxied(f"http://127.0.0.1:{parts.port}"))
            network = stack.enter_context(proxied(told.url))
            (folder / name).mkdir()
            store = f"postgresql://{parts.username}@127.0.0.1:{database.port}{parts.path}"
            more = {"terms": TERMS.format(url=served.url), "hook": network.url, "more": dict(clock)}
            one = One(folder / name, **more, store=store, lease=lease, database=database, network=network)  # type: ignore[arg-type]
            stack.callback(_end, one)
            ones.append(one)
        yield Two(ones[0], ones[1], served, told, url)


def _end(one: One) -> None:
    if one.process is not None and one.process.poll() is None:
        one.kill()
