"""Real PostgreSQL for tests, from Debian's package: one server for all workers of a run, a database for each test.

Guarantees: a server ends with the last process that uses it, also where that is killed, and its folder with it. It
listens on a port of 127.0.0.1 and syncs as it does by default. PostgreSQL refuses to run as root: there it runs as
the package's user `postgres`.
"""

import contextlib
import ctypes
import fcntl
import itertools
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[1]
READY_SECONDS = 60.0
_LIBC = ctypes.CDLL(None)
_numbers = itertools.count()


def program(name: str) -> str:
    """The newest of this name that Debian has installed; it is not on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    assert found, "PostgreSQL is not installed; `make servers` does that"
    return str(found[-1])


def _unprivileged() -> dict[str, object]:
    """For Popen: who runs the server."""
    if os.getuid():
        return {}
    entry = pwd.getpwnam("postgres")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _end_with_me() -> None:
    """In the child, once it is another user: it is told to stop when its parent ends, however that ends."""
    _LIBC.prctl(1, signal.SIGQUIT)  # PR_SET_PDEATHSIG


@dataclass
class Postgres:
    """A server of one's own, that can be stopped and started. Every user may come in without a password."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers."""
        log = (self.folder / "log").open("ab")
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "max_connections": "200",
            "shared_buffers": "32MB",
        }
        command = [program("postgres"), "-D", str(self.folder / "data")]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self.process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=_end_with_me, **_unprivileged())  # type: ignore[call-overload]
        log.close()
        self._await()

    def _await(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.url()).close()
                return
            assert self.process is not None
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, "PostgreSQL was not ready in time"
            time.sleep(0.05)

    def stop(self) -> None:
        """In order: connections are ended, what is committed is in its files."""
        self._end(signal.SIGINT)

    def throw_away(self) -> None:
        """At once, for nobody needs its files any more."""
        self._end(signal.SIGQUIT)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(90)

    def url(self, name: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server for this block alone."""
    folder = Path(tempfile.mkdtemp(prefix="keeptime-pg-"))
    server = Postgres(folder, _free_port())
    try:
        owner = _unprivileged()
        if owner:
            os.chown(folder, owner["user"], owner["group"])  # type: ignore[arg-type]
        command = [program("initdb"), "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        command += ["--no-sync", "--locale", "C.UTF-8"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, **owner)  # type: ignore[call-overload]
        server.start()
        yield server
    finally:
        server.throw_away()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def shared(meeting: Path) -> Iterator[str]:
    """The URL of the server that all workers of a run share, who meet in this folder."""
    users, said = meeting / "postgres.users", meeting / "postgres.json"
    with users.open("a") as held, (meeting / "postgres.starting").open("a") as starting:
        fcntl.flock(held, fcntl.LOCK_SH)
        fcntl.flock(starting, fcntl.LOCK_EX)
        if not said.exists():
            _start_guarded(meeting, said)
        fcntl.flock(starting, fcntl.LOCK_UN)
        yield str(json.loads(said.read_text())["url"])


def _start_guarded(meeting: Path, said: Path) -> None:
    with (meeting / "postgres.log").open("ab") as log:
        guard = subprocess.Popen(
            [sys.executable, "-m", "tests.postgres", str(meeting)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + READY_SECONDS
    while not said.exists():
        assert guard.poll() is None, (meeting / "postgres.log").read_text()
        assert time.monotonic() < deadline, "PostgreSQL was not ready in time"
        time.sleep(0.05)


def _guard(meeting: Path) -> None:
    """Run a server until nobody uses it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with postgres() as server, (meeting / "postgres.users").open("a") as users:
        new = meeting / "postgres.json.new"
        new.write_text(json.dumps({"url": server.url()}))
        new.rename(meeting / "postgres.json")
        fcntl.flock(users, fcntl.LOCK_EX)


@contextmanager
def database(url: str) -> Iterator[str]:
    """The URL of a database of its own on this server."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        try:
            yield url.rpartition("/")[0] + f"/{name}"
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


@dataclass
class Databases:
    """Databases that are used again and again, each by one test at a time: making one takes a while."""

    server: str
    free: list[str] = field(default_factory=list)

    @contextmanager
    def one(self) -> Iterator[str]:
        """The URL of one that holds nothing of keeptime."""
        if not self.free:
            self.free.append(self._made())
        url = self.free.pop()
        try:
            yield url
        finally:
            with psycopg.connect(url, autocommit=True) as admin:
                admin.execute("DROP SCHEMA IF EXISTS keeptime CASCADE")
            self.free.append(url)

    def _made(self) -> str:
        name = f"kept_{os.getpid()}_{next(_numbers)}"
        with psycopg.connect(self.server, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        return self.server.rpartition("/")[0] + f"/{name}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    _guard(Path(sys.argv[1]))
