"""One probe dies or hangs, by the endpoint's fault or by a bug of keeptime: the others go on, and it is told."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from keeptime.app.noticing import Noticing
from keeptime.clock import SteadyClock
from keeptime.contract.probed import Endpoint, SecretRef
from keeptime.contract.secrets import resolve
from keeptime.contract.terms import Contract
from keeptime.model.sample import Sample, Skipped
from keeptime.observe.engine import Engine
from keeptime.observe.flight import Flight
from keeptime.observe.reactor import Reactor
from keeptime.observe.resolve import CaresNames, Found
from keeptime.observe.route import STOPPED
from tests.observe.given import contract
from tests.observe.servers import keeps, serving, silent
from tests.observe.test_engine import Outcomes

GONE_WRONG = "canary-in-a-text"


class BrokenNames(CaresNames):
    """A look-up that raises what no look-up raises."""

    def lookup(self, host: str, port: int, found: Found) -> None:
        raise ZeroDivisionError(GONE_WRONG)


@contextmanager
def probing(contracts: list[Contract], **options: object) -> Iterator[tuple[Engine, Outcomes]]:
    outcomes = Outcomes()
    engine = Engine(contracts, outcomes.append, **options)  # type: ignore[arg-type]
    engine.start()
    try:
        yield engine, outcomes
    finally:
        engine.stop(0.5)


def of(outcomes: Outcomes, name: str) -> list[Sample | Skipped]:
    """Of one contract; without the slots that a busy machine let pass."""
    return [each for each in outcomes if each.contract == name and getattr(each, "reason", "") != STOPPED]


def both_go_on(outcomes: Outcomes) -> None:
    """The sound one brings samples, the broken one a reason for each slot."""
    outcomes.wait(lambda out: len(of(out, "sound")) >= 10)
    outcomes.wait(lambda out: len([each for each in of(out, "broken") if isinstance(each, Skipped)]) >= 10)
    assert all(not isinstance(each, Skipped) and each.failure is None for each in of(outcomes, "sound"))
    why = {each.reason for each in of(outcomes, "broken") if isinstance(each, Skipped)}
    assert all(each.startswith("a bug of keeptime: ZeroDivisionError in ") for each in why), why


def check_told(engine: Engine) -> None:
    """The operators hear of the one contract, once, and no text of the error is quoted."""
    told: list[tuple[str, str | None]] = []
    sentences: list[str] = []

    async def tell(code: str, sentence: str, contract: str | None) -> None:
        told.append((code, contract))
        sentences.append(sentence)

    async def story() -> None:
        running = asyncio.create_task(Noticing(SteadyClock(), engine.troubles, tell).run())
        await asyncio.sleep(2.2)
        running.cancel()

    asyncio.run(story())
    assert told == [("probe_failed", "broken")]
    assert sentences[0].startswith("a bug of keeptime: ZeroDivisionError")
    assert GONE_WRONG not in sentences[0]


def test_fault_07_a_probe_that_dies_as_it_leaves_ends_no_other_and_is_told() -> None:
    with serving(keeps()) as port:
        contracts = [
            contract(f"http://127.0.0.1:{port}/", name="sound"),
            contract("http://model.invalid/", name="broken"),
        ]
        with probing(contracts, names=lambda reactor: BrokenNames(reactor.call)) as (engine, outcomes):
            both_go_on(outcomes)
            check_told(engine)


@pytest.mark.parametrize("where", ["ready", "due"])
def test_fault_07_a_probe_that_dies_under_way_ends_no_other(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Patched, for no seam leads there: that is where a bug would be."""
    sound = getattr(Flight, where)

    def broken(self: Flight, *args: int) -> None:
        if self.contract == "broken":
            raise ZeroDivisionError(GONE_WRONG)
        sound(self, *args)

    monkeypatch.setattr(Flight, where, broken)
    with serving(keeps()) as port, serving(silent) as hanging:
        other = port if where == "ready" else hanging
        contracts = [
            contract(f"http://127.0.0.1:{port}/", name="sound"),
            contract(f"http://127.0.0.1:{other}/", name="broken", timeout=0.2),
        ]
        with probing(contracts) as (engine, outcomes):
            both_go_on(outcomes)
            assert list(engine.troubles()) == ["broken"]
            assert engine.in_flight("broken") < 10


def test_fault_07_a_secret_that_cannot_be_read_by_a_bug_ends_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keeptime.observe.route.SECRETS_LAST_NS", 0)
    asked = []

    def secrets(ref: SecretRef) -> str:
        asked.append(ref)
        if len(asked) > 1:
            raise ZeroDivisionError(GONE_WRONG)
        return "s"

    with serving(keeps()) as port:
        endpoint = Endpoint(f"http://127.0.0.1:{port}/", headers={"X-Key": SecretRef("env", "KEY")})
        contracts = [
            contract(f"http://127.0.0.1:{port}/", name="sound"),
            contract("", name="broken", endpoint=endpoint),
        ]
        with probing(contracts, secrets=secrets) as (_, outcomes):
            both_go_on(outcomes)


def test_fault_07_an_endpoint_that_hangs_ends_no_other() -> None:
    with serving(keeps()) as port, serving(silent) as hanging:
        contracts = [
            contract(f"http://127.0.0.1:{port}/", name="sound"),
            contract(f"http://127.0.0.1:{hanging}/", name="hangs", timeout=5.0, most=3),
        ]
        with probing(contracts) as (engine, outcomes):
            outcomes.wait(lambda out: len([each for each in out if each.contract == "sound"]) >= 20)
            assert engine.troubles() == {}, "the endpoint's fault is no trouble of keeptime's: it is counted"
    assert {each.reason for each in outcomes.skipped if each.contract == "hangs"} >= {
        "3 probes are in flight already"
    }


def test_fault_07_an_engine_that_hangs_is_told_of_for_every_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keeptime.observe.engine.STANDS_STILL_NS", 200_000_000)
    with serving(keeps()) as port:
        contracts = [contract(f"http://127.0.0.1:{port}/", name=name) for name in ("one", "two")]
        with probing(contracts) as (engine, outcomes):
            outcomes.wait(lambda out: len(out) >= 4)
            assert engine.troubles() == {}
            engine._reactor.call(lambda: time.sleep(1.5))
            time.sleep(1.0)
            assert set(engine.troubles()) == {"one", "two"}
            assert "probing stands still" in engine.troubles()["one"]
            time.sleep(1.0)
            assert engine.troubles() == {}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_fault_07_an_engine_that_has_ended_is_told_of() -> None:
    class Ends(Reactor):
        def turn(self, *, wait: bool = True) -> None:
            raise KeyboardInterrupt

    with serving(keeps()) as port:
        engine = Engine([contract(f"http://127.0.0.1:{port}/", name="one")], lambda _: None, secrets=resolve)
        engine._reactor = Ends()
        engine.start()
        assert engine._thread is not None
        engine._thread.join(5)
        assert engine.troubles() == {"one": "probing has ended, by a bug of keeptime: restart it"}
