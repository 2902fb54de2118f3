"""What systemd is told (sd_notify): ready, reloading, stopping, how things stand, and that keeptime makes progress.

Guarantees: WATCHDOG=1 is sent only from the event loop's own turns and only while a judged tick is fresh, so a loop
that is blocked, or a judge that hangs, makes systemd start keeptime anew; without NOTIFY_SOCKET nothing happens; a
socket that takes nothing is logged once and stops nothing. Does not ask whether the disk or a receiver works: a new
start would not mend those.
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from keeptime.app.signs import facts_of
from keeptime.app.view import Snapshot
from keeptime.clock import monotonic_ns
from keeptime.model.verdict import Condition
from keeptime.tell.wellness import stalled

log = logging.getLogger(__name__)

SHARE = 1 / 3
"""Of the watchdog's time after which it is fed again: systemd advises half."""

STATUS_EVERY = 10.0


class Notifier:
    """The datagram socket that systemd gave, a path or an abstract name ("@…"); "" for none."""

    def __init__(self, address: str) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._failed = False

    def say(self, *lines: str) -> None:
        """One datagram, now or never."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as there:
                there.setblocking(False)
                there.sendto("\n".join(lines).encode(), self._address)
            self._failed = False
        except OSError as error:
            if not self._failed:
                log.warning("systemd cannot be told: %s", error.strerror)
            self._failed = True


def watchdog_seconds(environment: Mapping[str, str], pid: int) -> float | None:
    """How often systemd wants to be fed at least; None where it does not, or not by this process."""
    text = environment.get("WATCHDOG_USEC", "")
    if not (text.isascii() and text.isdigit() and int(text)):
        return None
    if environment.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    return int(text) / 1e6


class Supervised:
    """`run` as a task on the loop that does the work; the rest is called as things happen."""

    def __init__(self, show: Callable[[], Snapshot], environment: Mapping[str, str] = os.environ) -> None:
        self._notifier = Notifier(environment.get("NOTIFY_SOCKET", ""))
        self._watchdog = watchdog_seconds(environment, os.getpid())
        self._show = show

    def ready(self) -> None:
        self._notifier.say("READY=1", f"STATUS={status(self._show())}")

    def reloading(self) -> None:
        """`ready` follows, whatever came of it."""
        self._notifier.say("RELOADING=1", f"MONOTONIC_USEC={monotonic_ns() // 1000}", "STATUS=reading contracts")

    def stopping(self) -> None:
        self._notifier.say("STOPPING=1", "STATUS=sending what is due")

    async def run(self) -> None:
        """Until cancelled."""
        pause = STATUS_EVERY if self._watchdog is None else min(STATUS_EVERY, SHARE * self._watchdog)
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(pause)
                self._feed(self._show())

    def _feed(self, snapshot: Snapshot) -> None:
        wrong = stuck(snapshot)
        if wrong:
            self._notifier.say(f"STATUS={wrong}")
        elif self._watchdog is not None:
            self._notifier.say("WATCHDOG=1", f"STATUS={status(snapshot)}")
        else:
            self._notifier.say(f"STATUS={status(snapshot)}")


def stuck(snapshot: Snapshot) -> str:
    """Why keeptime makes no progress; "" where it does, or has only just begun."""
    if snapshot.pair is not None and not snapshot.pair.leads:
        return ""  # it waits for the other one, and judges nothing
    facts = facts_of(snapshot, [view.contract.name for view in snapshot.contracts])
    return stalled(facts if facts.judged_at is not None else replace(facts, judged_at=snapshot.health.started))


def status(snapshot: Snapshot) -> str:
    """One line for `systemctl status`: objectives by condition."""
    if snapshot.pair is not None and not snapshot.pair.leads:
        return f"standing by; {snapshot.pair.holder or 'nobody'} leads"
    verdicts = [verdict for view in snapshot.contracts for verdict in view.verdicts]
    counts = Counter(None if verdict is None else verdict.condition for verdict in verdicts)
    said = [f"{counts[each]} {each}" for each in Condition if counts[each]]
    said += [f"{counts[None]} not judged yet"] if counts[None] else []
    problems = len(snapshot.health.problems)
    told = f"; {problems} problem{'' if problems == 1 else 's'}, see /healthz" if problems else ""
    return f"{len(snapshot.contracts)} contracts: {', '.join(said) or 'nothing to judge'}{told}"
