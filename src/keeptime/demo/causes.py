"""Meanwhile: a second model goes through the five faults of the example, and keeptime names the cause of each.

Guarantees: runs beside the story in a thread of its own, and says nothing before it is asked; each fault is waited
for with a deadline. What is shown is what keeptime's API answers.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from keeptime import clock
from keeptime.demo.children import Child, DemoError, await_that
from keeptime.demo.daemon import get, post

CONTRACT = "digits-causes"
TERMS = """\
contract: {contract}
provider: ml-platform
model: digits
endpoint:
  url: {url}
  method: POST
  json: {{data: sample_input}}
  headers: {{User-Agent: keeptime-demo}}   # so that the model's middleware takes it for a user
observe:
  - probe: {{every: 250ms, timeout: 5s}}
objectives:
  - 70% of requests under 300ms over 10s
policy:
  burn-rate:
    tiers: [{{severity: page, long: 4s, short: 2s, factor: 2}}]
operators:
  tell: ["log:"]
"""
PATIENCE = 45.0
"""Seconds for an alert, for its cause, and for its end."""
SEEN = 14.0
"""Seconds after an alert by which the model's middleware has told where late requests stood."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What the model does, as `/control` has it; `means`: for people; `said`: of these words one must be named."""

    name: str
    means: str
    said: tuple[str, ...]


FAULTS = (
    Fault("dependency", "a service that is asked is slow", ("features",)),
    Fault("queue", "too few workers", ("queue",)),
    Fault("lock", "a lock is held for long", ("Work.predict", "waiting")),
    Fault("gc", "garbage is collected all the time", ("garbage collection",)),
    Fault("inference", "the model itself is slow", ("inference",)),
)


@dataclass(frozen=True, slots=True)
class Named:
    """What was said of one fault. `seconds`: from the fault until the cause was known; `right`: it is the one."""

    fault: str
    means: str
    lines: tuple[str, ...]
    seconds: float
    right: bool


class Meanwhile:
    """`model`: where the second model answers; `daemon`: keeptime's URL. `start`, then `found`."""

    def __init__(self, model: str, daemon: str, needed: Sequence[Child]) -> None:
        self._model, self._daemon, self._needed = model, daemon, needed
        self._found: list[Named] = []
        self._wrong: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="faults", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def found(self) -> tuple[Named, ...]:
        """What was named of every fault. Raises DemoError where it could not go on."""
        self._thread.join()
        if self._wrong is not None:
            raise self._wrong
        return tuple(self._found)

    def _run(self) -> None:
        try:
            self._await(lambda: self._good() >= 30, "good requests of the second model")
            for fault in FAULTS:
                self._found.append(self._of(fault))
        except Exception as error:  # it is told where the story waits for it
            self._wrong = error

    def _of(self, fault: Fault) -> Named:
        began = clock.monotonic_ns()
        self._control(fault.name)
        self._await(lambda: bool(self._open()), f"an alert of '{fault.name}'")
        incident, alerted = self._open(), clock.monotonic_ns()
        said: dict[str, Any] = {}

        def named() -> bool:
            nonlocal said
            said = self._explained(incident)
            late = (clock.monotonic_ns() - alerted) / 1e9 > SEEN
            return _right(fault, said) or (late and bool(said.get("causes")))

        try:
            self._await(named, f"the cause of '{fault.name}'")
        except DemoError:
            said = said or {}
        took = (clock.monotonic_ns() - began) / 1e9
        self._control("")
        self._await(lambda: not self._open(), f"the end of '{fault.name}'")
        return Named(fault.name, fault.means, _lines(said), took, _right(fault, said))

    def _await(self, holds: Callable[[], bool], what: str) -> None:
        await_that(holds, PATIENCE, what, *self._needed)

    def _good(self) -> int:
        body = get(f"{self._daemon}/api/v1/contracts") or {"contracts": []}
        found = [each for each in body["contracts"] if each["contract"] == CONTRACT]
        return int(found[0]["objectives"][0]["good"] or 0) if found else 0

    def _open(self) -> str:
        """The id of the incident that lasts, "" where none does."""
        body = get(f"{self._daemon}/api/v1/incidents?contract={CONTRACT}&open=true&limit=1")
        found = body["incidents"] if body else []
        return str(found[0]["id"]) if found else ""

    def _explained(self, incident: str) -> dict[str, Any]:
        body = get(f"{self._daemon}/api/v1/incidents/{quote(incident)}/explanation") or {}
        return dict(body.get("explanation") or {})

    def _control(self, fault: str) -> None:
        wanted = {"fault": fault or None}
        if not any(post(self._model.replace("/predict", "/control"), wanted) for _ in range(3)):
            raise DemoError("the second model did not take what /control was sent")


def _lines(said: dict[str, Any]) -> tuple[str, ...]:
    """The cause, and where it stood in the code where that was seen."""
    causes, stood = said.get("causes") or [], said.get("stood")
    first = [str(causes[0]["sentence"])] if causes else list(said.get("lines") or ["nothing is known"])[:1]
    return (*first, f"stood: {stood}") if stood else tuple(first)


def _right(fault: Fault, said: dict[str, Any]) -> bool:
    """Something stands out, and it is said what it should be."""
    text = " ".join([*(each["sentence"] for each in said.get("causes") or []), said.get("stood") or ""])
    return bool(said.get("causes")) and all(word in text for word in fault.said)
