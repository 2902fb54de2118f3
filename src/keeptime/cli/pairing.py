"""What `keeptime run --store postgresql://…` builds: one of a pair, and the two apps that its port answers with.

Guarantees: without psycopg it is one clear error; a password is in no message.
"""

import os
import secrets
import socket
from collections.abc import Sequence

from keeptime.app.daemon import Daemon
from keeptime.app.wire import Settings
from keeptime.contract.terms import Contract
from keeptime.errors import UsageError
from keeptime.units import parse_duration
from keeptime.web.app import build as build_web
from keeptime.web.door import Door
from keeptime.web.standby import Switch
from keeptime.web.standby import build as build_standby

try:
    from keeptime.app.holding import Pace
    from keeptime.app.pair import Pair
    from keeptime.store.postgresql.address import Address, address_of
    from keeptime.store.postgresql.offline import letters_in
except ImportError as error:
    raise UsageError(
        f"--store: PostgreSQL needs psycopg, which is not here ({error}); pip install 'keeptime[postgresql]'"
    ) from error

__all__ = ["Pairing", "holder", "letters_in", "store_of"]

LEAST, MOST = 2.0, 60.0
"""Seconds of a lease. What is shorter is lost to any hiccup, what is longer delays who stands by."""


def store_of(text: str, lease: str) -> tuple[Address, Pace]:
    """The options `--store` and `--lease`, understood. Raises UsageError."""
    try:
        seconds = parse_duration(lease)
    except ValueError as error:
        raise UsageError(f"--lease {lease}: {error}") from error
    if not LEAST <= seconds <= MOST:
        raise UsageError(f"--lease {lease}: expected {LEAST:g}s to {MOST:g}s; 8s takes over within 15 s")
    return address_of(text), Pace(seconds)


class Pairing:
    """A pair's one, not started, and the app of its port; `serve` once there is a door."""

    def __init__(self, contracts: Sequence[Contract], settings: Settings, store: tuple[Address, Pace]) -> None:
        address, pace = store
        self._door: Door | None = None
        self._switch: Switch | None = None
        self.pair = Pair(contracts, settings, address, holder(), pace, self._show)

    def serve(self, door: Door) -> Switch:
        """The app: the standby's until it leads."""
        self._door = door
        self._switch = Switch(build_standby(self.pair.snapshot, door))
        return self._switch

    def _show(self, daemon: Daemon | None) -> None:
        if self._switch is None or self._door is None:
            return
        if daemon is None:
            self._switch.app = build_standby(self.pair.snapshot, self._door)
        else:
            self._switch.app = build_web(daemon, self._door)


def holder() -> str:
    """A name that no other process has, short enough for PostgreSQL (63 bytes, with " lease" after it)."""
    machine = socket.gethostname().encode("ascii", "replace").decode()[:24]
    return f"keeptime {machine} {os.getpid()} {secrets.token_hex(4)}"
