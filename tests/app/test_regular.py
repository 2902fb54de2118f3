"""Reports are sent once when a period is over, to whoever asked for them, also where keeptime was killed."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from keeptime.app.daemon import Daemon
from keeptime.app.footing import Footing, Right
from keeptime.app.keeper import Kept
from keeptime.app.regular import CAUGHT_UP, SETTLED, RegularReports, due_of, next_due
from keeptime.app.reporting import past_of
from keeptime.app.reports import Look
from keeptime.app.wire import Settings, build
from keeptime.clock import SystemClock
from keeptime.consumer.verify import LARGEST
from keeptime.contract.load import load_files
from keeptime.contract.regular import Regular, ReportForm, ReportOf
from keeptime.contract.terms import Contract
from keeptime.model.alert import Address, Aside, Message
from keeptime.model.change import Change
from keeptime.model.key import ObjectiveKey
from keeptime.model.ledger import LedgerKind, LedgerQuery
from keeptime.model.tally import Tally, TickRecord
from keeptime.model.verdict import Condition
from keeptime.store.looking import looking_at
from keeptime.store.postgresql.address import address_of
from keeptime.store.postgresql.looking import looking_into
from keeptime.store.sqlite import SqliteStore
from keeptime.tell.message import canonical
from keeptime.tell.report import message
from keeptime.tell.report.as_json import plain
from keeptime.tell.report.make import report_of
from keeptime.testing.recorder import recording
from keeptime.testing.showable import verdict
from tests.app.test_dead_letters import until
from tests.nobody import nobody_listening
from tests.postgres import Databases
from tests.report.given import DAY, NOVEMBER, TICK, kept
from tests.store import given

END = NOVEMBER * TICK
SCHEMA = json.loads((files("keeptime.tell") / "message.schema.json").read_text("utf-8"))
MAIL = Address("checkout", "email", "ann@shop.example", options=(("from", "k@shop.example"), ("server", "h:25")))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Look, Contract]:
    directory = tmp_path_factory.mktemp("regular")
    contract = kept(directory)
    checkout, fraud = contract.consumers
    asking = (replace(checkout, report=Regular(), tell=(*checkout.tell, MAIL)), fraud)
    asked = replace(contract, consumers=asking, report=Regular(ReportOf.MONTH, ReportForm.CSV))
    return partial(looking_at, directory / "data"), asked


def told(messages: tuple[Message, ...]) -> Mapping[tuple[str, str], dict[str, Any]]:
    """Bodies by audience and kind of receiver."""
    return {(each.audience, each.kind): json.loads(one.body) for one in messages for each in one.addresses}


def test_who_asks_gets_the_report_and_nobody_else(place: tuple[Look, Contract]) -> None:
    look, contract = place
    found = told(due_of(look, contract, END + 1))
    assert set(found) == {("checkout", "webhook"), ("checkout", "email"), ("operators", "log")}
    for body in found.values():
        Draft202012Validator(SCHEMA).validate(body)
        assert (body["type"], body["period"], body["at"]) == ("keeptime.report", "2026-10", "2026-11-01T00:00:00Z")
        assert body["reason"] == "2026-10: met. p50-200ms: met; p99-500ms: met"
    assert found["checkout", "webhook"]["report"]["consumer"] == "checkout"
    assert found["checkout", "webhook"]["report"]["objectives"][0]["alerts"] == []
    assert found["operators", "log"]["report"]["consumer"] is None
    mail = found["checkout", "email"]
    assert (mail["report"], mail["attachment"]["name"]) == (None, "sentiment-latency-2026-10-checkout.html")
    assert found["checkout", "webhook"]["attachment"] is None


def test_it_is_what_keeptime_report_prints(place: tuple[Look, Contract]) -> None:
    look, contract = place
    with look() as db:
        october = past_of(db, contract.name).given("2026-10")
    body = told(due_of(look, contract, END + 1))["checkout", "webhook"]
    assert body["report"] == json.loads(json.dumps(plain(report_of(october, "checkout"))))


@pytest.mark.parametrize(("late", "count"), [(-1.0, 0), (0.0, 3), (CAUGHT_UP, 3), (CAUGHT_UP + 1, 0)])
def test_it_is_sent_for_a_week_after_its_end(place: tuple[Look, Contract], late: float, count: int) -> None:
    look, contract = place
    assert len(due_of(look, contract, END + late)) == count


def test_periods_that_nobody_asks_about_are_not_reported(place: tuple[Look, Contract]) -> None:
    look, contract = place
    weekly = replace(contract, consumers=(), report=Regular(ReportOf.WEEK))
    assert due_of(look, weekly, END + 1) == ()
    assert due_of(look, replace(weekly, name="another"), END + 1) == ()
    assert next_due([weekly], END) == float("inf")


def test_it_has_the_same_id_whoever_makes_it_and_whatever_the_contract_says_since(
    place: tuple[Look, Contract],
) -> None:
    look, contract = place
    ids = [each.id for each in due_of(look, contract, END + 1)]
    assert len(set(ids)) == 3
    assert ids == [each.id for each in due_of(look, replace(contract, version="another"), END + DAY)]


def test_the_next_one_is_due_when_the_period_is_over_and_settled(place: tuple[Look, Contract]) -> None:
    _, contract = place
    assert next_due([contract], END - 1) == END + SETTLED
    assert next_due([contract], END + SETTLED - 1) == END + SETTLED
    assert next_due([contract], END + SETTLED) > END + 29 * 86_400


def test_what_is_too_large_is_left_out_so_that_it_holds_up_nothing(
    place: tuple[Look, Contract], monkeypatch: pytest.MonkeyPatch
) -> None:
    look, contract = place
    hook, mail = ("checkout", "webhook"), ("checkout", "email")
    whole = told(due_of(look, contract, END + 1))
    assert LARGEST > message.LARGEST + 4096, "our own consumer takes it, with its numbers"
    monkeypatch.setattr(message, "LARGEST", len(canonical(whole[hook])) - 1)
    monkeypatch.setattr(message, "LARGEST_MAIL", 4096)
    smaller = told(due_of(look, contract, END + 1))
    assert [each["days"] for each in smaller[hook]["report"]["objectives"]] == [[], []]
    assert smaller[hook]["report"]["compliance"] == "met"
    assert (smaller[hook]["left_out"], smaller[mail]["left_out"]) == (["days", "alerts"], ["attachment"])
    assert smaller[mail]["attachment"] is None
    monkeypatch.setattr(message, "LARGEST", 1024)
    least = told(due_of(look, contract, END + 1))[hook]
    assert (least["report"], least["left_out"], least["reason"]) == (None, ["report"], whole[hook]["reason"])


def judged(contract: Contract, at: float, problem: str = "") -> Kept:
    one = replace(verdict(contract, Condition.OK), at=at)
    return Kept({one.key: one}, (), problem, (contract,))


class Once:
    """A store's thread that is this one."""

    async def __call__(self, call, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        return call(*args, **kwargs)


def test_a_companion_looks_when_a_period_is_over_and_stores_all_in_one_step(tmp_path: Path) -> None:
    contract = replace(kept(tmp_path), report=Regular())
    look, woken, changes = partial(looking_at, tmp_path / "data"), [], []

    async def story(store: SqliteStore) -> None:
        def commit(change: Change) -> None:
            changes.append(change)
            SqliteStore.commit(store, change)

        watched = Watched(commit)
        reports = RegularReports(look, watched, Once(), lambda: [contract], lambda: woken.append(1))  # type: ignore[arg-type]
        running = asyncio.create_task(reports.run())
        await reports.see(judged(contract, END + 5, "3 ticks wait for the store"), END + 5)
        await asyncio.sleep(0.05)
        assert changes == [], "what ended is not in the store yet"
        await reports.see(judged(contract, END + 5), END + 5)
        await until(lambda: bool(woken))
        await reports.see(judged(contract, END + SETTLED), END + SETTLED)
        await reports.send(END + SETTLED)
        running.cancel()

    with SqliteStore.open(tmp_path / "data", tick_seconds=TICK, now=END + 2 * 86_400) as store:
        asyncio.run(story(store))
        (change,) = changes
        rows = store.ledger(LedgerQuery(kind=LedgerKind.DECISION, most=1000))
        said = [row.fields for row in rows if row.fields["topic"] == "report"]
    assert [each["audiences"] for each in said] == [["operators"]]
    assert [each["id"] for each in said] == [each.id for each in change.messages]


class Watched:
    """Only what the companion asks of a store."""

    def __init__(self, commit: Any) -> None:
        self.commit = commit


def test_the_other_of_a_pair_finds_that_it_was_decided(
    tmp_path: Path, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where both decide at once, one of them has."""
    with databases.one() as url:
        monkeypatch.setattr(given, "POSTGRESQL", [lambda _: url])
        contract = replace(kept(tmp_path), report=Regular())
        look = partial(looking_into, address_of(url))
        messages = due_of(look, contract, END + 1)
        with given.opened(tmp_path / "data", tick=NOVEMBER + 2 * DAY, tick_seconds=TICK) as store:
            for _ in range(2):
                store.commit(Change(END + 1, messages=messages))
            rows = [row for row in store.letters(dead=False, most=99) if row.topic is Aside.REPORT]
        assert [(row.message_id, row.address.audience) for row in rows] == [(messages[0].id, "operators")]
        assert due_of(look, contract, END + 2) == ()


TERMS = """\
contract: kept
provider: platform
endpoint: {{url: "http://127.0.0.1:{port}/"}}
observe: [{{probe: {{every: 10s, timeout: 1s}}}}]
objectives: [{{name: p90, target: 90%, under: 200ms, over: calendar day}}]
consumers: [{{name: checkout, tell: ["webhook:{hook}"], report: day}}]
"""


def yesterday(folder: Path) -> str:
    """A store in which something was counted yesterday; the day's name."""
    now = SystemClock().wall_ns() / 1e9
    day = datetime.fromtimestamp(now, UTC).date() - timedelta(days=1)
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()
    key = ObjectiveKey("kept", "p90")
    with SqliteStore.open(folder / "data", tick_seconds=1.0, now=noon) as store:
        store.commit(Change(noon, TickRecord(round(noon), {key: Tally(9, 1)})))
    return day.isoformat()


async def killed(daemon: Daemon) -> None:
    """Nothing of it goes on, and nothing is done in order."""
    for task in daemon._tasks:
        task.cancel()
    await asyncio.gather(*daemon._tasks, return_exceptions=True)
    await daemon._following.stop()
    await asyncio.to_thread(daemon._prober.stop, 0.0)
    await daemon._receivers.close()
    await daemon._in_store(daemon._store.close)
    daemon._in_store.close()


async def told_after_a_kill(folder: Path, port: int, name: str) -> list[dict[str, Any]]:
    """A daemon decides and may not send, and is gone; another one on its store; all that came of it."""
    async with recording() as hook:
        file = folder / "kept.yaml"
        file.write_text(TERMS.format(port=port, hook=hook.url))
        contracts, settings = load_files([str(file)]).contracts, Settings(folder / "data", 1.0)
        footing = Footing(
            partial(SqliteStore.open, folder / "data"),
            partial(looking_at, folder / "data"),
            right=Right(lambda: False),
        )
        first = await build(contracts, settings, footing)
        await first.start()
        while not [each for each in await first.letters(dead=False) if each.topic.value == "report"]:
            await asyncio.sleep(0.05)
        assert hook.requests == []
        await killed(first)
        second = await build(contracts, settings)
        await second.start()
        await hook.wait_for(1)
        made = await second.reports.report("kept", name, "checkout", "json")
        await asyncio.sleep(2.5)
        await second.stop()
        assert json.loads(made.body)["over"]
        return [json.loads(each.body) for each in hook.requests]


def test_a_keeptime_that_is_killed_before_it_sends_sends_once(tmp_path: Path) -> None:
    name = yesterday(tmp_path)
    with nobody_listening() as port:
        bodies = asyncio.run(told_after_a_kill(tmp_path, port, name))
    (report,) = [each for each in bodies if each["type"] == "keeptime.report"]
    assert (report["period"], report["audience"]) == (name, "checkout")
    (p90,) = report["report"]["objectives"]
    assert (p90["good"], p90["bad"], p90["over"]) == (9, 1, True)
    Draft202012Validator(SCHEMA).validate(report)
