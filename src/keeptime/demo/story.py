"""The demo's story, step by step: well, slow, told, well again, dead, told, well again; and five causes named.

Guarantees: each step waits for what it says, with a deadline, and never for a fixed time; the whole takes less
than two minutes; what the consumer must have received is checked at the end.
"""

import base64
import json
import secrets
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGKILL

from keeptime import clock
from keeptime.demo import causes
from keeptime.demo.causes import Meanwhile, Named
from keeptime.demo.children import Child, Children, DemoError, await_that
from keeptime.demo.consumer import SECRET
from keeptime.demo.daemon import Daemon, post

CONTRACT = "digits-latency"
HOOK = "KEEPTIME_DEMO_HOOK"
SLOW_MS = 600
RECORD = 40
"""Good requests that are seen before anything is made to go wrong."""
EXPECTED = ("at_risk", "broken", "recovered", "broken", "recovered")
"""What the consumer must receive, in this order; more in between does no harm."""

PROMISE = "80% of requests under 300ms over 30s"
TERMS = """\
contract: {contract}
provider: ml-platform
model: digits
endpoint:
  url: {url}
  method: POST
  json: {{data: sample_input}}
observe:
  - probe: {{every: 100ms, timeout: 2s}}
objectives:
  - {promise}
consumers:
  - name: checkout
    tell: [{{webhook: {{url: env:{hook}, secret: env:{secret}}}}}]
"""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Received:
    """One message that the consumer took. `at`: Unix seconds."""

    at: float
    id: str
    topic: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ending:
    """What came of it. `kept`: process ids that were left running."""

    received: tuple[Received, ...]
    missing: tuple[str, ...]
    addresses: dict[str, str]
    kept: tuple[int, ...]
    causes: tuple[Named, ...] = ()


class Story:
    """One run of the demo in `folder`, which is empty; `model` is the example's folder."""

    def __init__(self, folder: Path, model: Path, children: Children, say: Say) -> None:
        self._folder = folder
        self._model_folder = model
        self._children = children
        self._say = say
        self._inbox = folder / "received.jsonl"
        self._env: dict[str, str] = {}

    def tell(self) -> Ending:
        """Raises DemoError at the first step that does not come about."""
        self._set_up()
        meanwhile = self._beside()
        self._well()
        self._slow()
        self._heal()
        self._dead()
        self._back()
        causes = self._causes(meanwhile)
        received = self.received()
        addresses = {"keeptime": self._daemon.url, "model": self._model_url, "consumer": self._env[HOOK]}
        return Ending(received, missing([each.topic for each in received]), addresses, (), causes)

    def _set_up(self) -> None:
        self._model, self._model_url = self._start_model("model", 0)
        self._say(f"a model answers at {self._model_url} (scikit-learn, handwritten digits)")
        key = base64.b64encode(secrets.token_bytes(24)).decode()
        self._env[SECRET] = f"whsec_{key}"
        command = [sys.executable, "-m", "keeptime.demo.consumer", str(self._inbox)]
        self._consumer = self._children.start("consumer", command, self._env)
        self._env[HOOK] = self._consumer.await_url("consumer ready at", 20)
        self._say(f"a consumer, 'checkout', listens at {self._env[HOOK]} and checks signatures")
        contracts = self._folder / "contracts"
        contracts.mkdir()
        file = contracts / "sla.yaml"
        file.write_text(
            TERMS.format(contract=CONTRACT, promise=PROMISE, url=self._model_url, hook=HOOK, secret=SECRET)
        )
        self._say(f"the promise is in {file}: {PROMISE}")
        self._daemon = self._start_daemon(contracts)
        self._say(f"keeptime keeps it; watch at {self._daemon.url}/")

    def _start_model(self, name: str, port: int, *more: str) -> tuple[Child, str]:
        command = [sys.executable, str(self._model_folder / "serve.py"), "--port", str(port), *more]
        child = self._children.start(name, command)
        return child, child.await_url("model ready at", 30)

    def _beside(self) -> Meanwhile:
        """A second model, which has five faults; its contract is put beside the first and read anew."""
        told = f"{self._daemon.url}/api/v1/push/{causes.CONTRACT}"
        model, url = self._start_model("second model", 0, "--stacks", told)
        file = self._folder / "contracts" / "causes.yaml"
        file.write_text(causes.TERMS.format(contract=causes.CONTRACT, url=url))
        if not post(f"{self._daemon.url}/api/v1/reload", {"author": "demo"}):
            raise DemoError("keeptime did not take the second contract")
        self._say(f"a second model answers at {url}; meanwhile it goes through five faults, see the end")
        meanwhile = Meanwhile(url, self._daemon.url, (model, self._keeptime))
        meanwhile.start()
        return meanwhile

    def _causes(self, meanwhile: Meanwhile) -> tuple[Named, ...]:
        self._say("")
        self._say("6. Meanwhile the second model had five faults that look alike from outside. keeptime named:")
        found = meanwhile.found()
        for each in found:
            self._say(
                f"   {each.fault} ({each.means}), after {each.seconds:.0f} s{'' if each.right else ': NOT NAMED'}"
            )
            for line in each.lines:
                self._say(f"     {line}")
        return found

    def _start_daemon(self, file: Path) -> Daemon:
        ready = self._folder / "ready.json"
        options = ["--data", str(self._folder / "data"), "--listen", "127.0.0.1:0", "--tick", "1s"]
        command = [sys.executable, "-m", "keeptime", "run", str(file), *options, "--ready-file", str(ready)]
        self._keeptime = self._children.start("keeptime run", command, self._env)
        await_that(lambda: _is_json(ready), 30, "keeptime to start", self._keeptime)
        return Daemon(json.loads(ready.read_text())["url"].rstrip("/"), CONTRACT)

    def _well(self) -> None:
        self._say("")
        self._say("1. The model is well.")
        await_that(self._has_a_record, 30, f"{RECORD} good requests", self._keeptime)
        self._await_condition("ok", 30)
        self._say(f"   probe: {self._daemon.probe()}")

    def _has_a_record(self) -> bool:
        standing = self._daemon.standing()
        return standing is not None and standing.good >= RECORD

    def _slow(self) -> None:
        self._say("")
        self._say(f"2. The model becomes slow: {SLOW_MS} ms for each request.")
        self._control({"delay_ms": SLOW_MS})
        self._await_message("at_risk", 1, 30)
        self._await_condition("broken", 30)
        self._await_message("broken", 1, 20)

    def _heal(self) -> None:
        self._say("")
        self._say("3. The model is fast again. The promise holds once 30 s say so.")
        self._control({"delay_ms": 0})
        self._await_condition("ok", 60)
        self._await_message("recovered", 1, 20)

    def _dead(self) -> None:
        self._say("")
        self._say("4. The model is killed. A refused connection takes about a millisecond; that is not fast.")
        self._model.end(SIGKILL)
        self._await_condition("broken", 30)
        for _ in range(3):
            self._say(f"   probe: {self._daemon.probe()}")
        standing = self._daemon.standing()
        self._say(
            f"   by latency alone these are the fastest of all; the verdict: {standing and standing.condition}"
        )
        self._await_message("broken", 2, 20)

    def _back(self) -> None:
        self._say("")
        self._say("5. The model is started again.")
        self._model, _ = self._start_model("model", int(self._model_url.rpartition(":")[2].partition("/")[0]))
        self._await_condition("ok", 60)
        self._await_message("recovered", 2, 20)

    def _control(self, wanted: dict[str, object]) -> None:
        if not post(self._model_url.replace("/predict", "/control"), wanted):
            raise DemoError("the model did not take what /control was sent")

    def _await_condition(self, condition: str, seconds: float) -> None:
        """Wait for it, saying how things stand at each change and every few seconds."""
        shown, asked = "", 0

        def reached() -> bool:
            nonlocal shown, asked
            standing = self._daemon.standing()
            if standing is None or standing.condition is None:
                return False
            asked += 1
            if standing.condition != shown or asked % 60 == 0:
                shown = standing.condition
                self._say(f"   {standing.condition:<8} {standing.reason}")
            return shown == condition

        await_that(reached, seconds, f"the objective to be {condition}", self._keeptime, self._consumer)

    def _await_message(self, topic: str, count: int, seconds: float) -> None:
        def taken() -> list[Received]:
            return [each for each in self.received() if each.topic == topic]

        what = f"the consumer to receive '{topic}'"
        await_that(lambda: len(taken()) >= count, seconds, what, self._keeptime, self._consumer)
        self._say(
            f"   → the consumer has received '{topic}' at {time_of_day(taken()[count - 1].at)}, signature right"
        )

    def received(self) -> tuple[Received, ...]:
        """What the consumer took, in order, repeats of an id dropped."""
        if not self._inbox.exists():
            return ()
        lines = [json.loads(line) for line in self._inbox.read_text().splitlines()]
        return tuple({line["id"]: received(line) for line in reversed(lines)}.values())[::-1]


def received(line: dict[str, object]) -> Received:
    """One line of the consumer's file."""
    message = line["message"]
    assert isinstance(message, dict)
    topic = str(message["type"]).rpartition(".")[2]
    return Received(float(str(line["received"])), str(line["id"]), topic, str(message["reason"]))


def missing(topics: Sequence[str], expected: Iterable[str] = EXPECTED) -> tuple[str, ...]:
    """Which of the expected topics do not come in this order."""
    rest = iter(topics)
    return tuple(topic for topic in expected if topic not in rest)


def time_of_day(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"


def now() -> float:
    """Unix seconds."""
    return clock.wall_ns() / 1e9


def _is_json(file: Path) -> bool:
    try:
        return "url" in json.loads(file.read_text())
    except (OSError, ValueError):
        return False
