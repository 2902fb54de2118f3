"""The report on the port: the bytes of `keeptime report`, from a real store; and `keeptime report --url`."""

import asyncio
import json
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from keeptime.app.happened import Unknown
from keeptime.app.periods import PeriodView, past
from keeptime.app.quieting import Impossible
from keeptime.app.reports import MOST_WAITING, Busy, StoredReports
from keeptime.cli.asking import Refusal
from keeptime.errors import KeeptimeError, StoreUnavailable
from keeptime.store.looking import looking_at
from keeptime.store.sqlite import SqliteStore
from keeptime.tell.report.formats import FORMATS
from keeptime.testing.reports import FakeReports
from keeptime.testing.showable import FakeShowable, view
from keeptime.web.report import FORMS
from tests.cli.commands import run
from tests.report.given import NOVEMBER, TICK, kept
from tests.web.conftest import Serve
from tests.web.test_openapi import answer_of

NAME = "sentiment-latency"
ASKED = f"/api/v1/report?contract={NAME}&period=2026-10"
Out = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("report")
    kept(directory, slow=8000)
    return directory


def daemon(place: Path) -> FakeShowable:
    """Shows reports of a real store."""
    return FakeShowable(reports=StoredReports(partial(looking_at, place / "data")))


def written(place: Path, to: Path, *more: str) -> bytes:
    """By the command, from the store."""
    run("report", NAME, "--period", "2026-10", "--data", str(place / "data"), "-o", str(to), *more)
    return to.read_bytes()


@pytest.mark.parametrize("form", FORMATS)
def test_the_bytes_are_those_of_the_command(serve: Serve, place: Path, tmp_path: Path, form: str) -> None:
    where = serve(daemon(place))
    answer = where.get(f"{ASKED}&format={form}&consumer=checkout")
    assert answer.status == 200
    assert answer.body == written(place, tmp_path / f"r.{form}", "--consumer", "checkout")
    assert answer.headers["Content-Type"] == FORMS[form]
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{NAME}-2026-10-checkout.{form}"'
    assert answer.headers["Keeptime-Compliance"] == "missed"
    again = where.get(f"{ASKED}&format={form}&consumer=checkout", If_None_Match=answer.headers["ETag"])
    assert (again.status, again.body) == (304, b"")


def test_json_is_what_is_given_and_is_as_described(serve: Serve, place: Path, tmp_path: Path) -> None:
    answer = serve(daemon(place)).get(ASKED)
    assert answer.body == written(place, tmp_path / "r.json")
    answer_of("get", "/api/v1/report", 200).validate(json.loads(answer.body))


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ("", 400, "contract"),
        (f"contract={NAME}", 400, "period"),
        (f"contract={NAME}&period=october", 400, "2026-10"),
        (f"contract={NAME}&period=2026-10&format=docx", 400, "json, html, md, csv, pdf"),
        (f"contract={NAME}&period=2026-10&consumer=", 400, "consumer"),
        (f"contract={NAME}&period=2026-09", 404, "nothing is kept of '2026-09'; there are: 2026-11, 2026-10"),
        (f"contract={NAME}&period=2026-10&consumer=billing", 404, "there are: checkout, fraud-team"),
        ("contract=another&period=2026-10", 404, "no contract 'another'; there are: sentiment-latency"),
    ],
)
def test_what_is_not_there_is_said_with_what_there_is(
    serve: Serve, place: Path, asked: str, status: int, said: str
) -> None:
    answer = serve(daemon(place)).get(f"/api/v1/report?{asked}")
    assert answer.status == status
    error = json.loads(answer.body)["error"]
    assert said in error
    assert "--" not in error, "no option of the command line"


@pytest.mark.parametrize(
    ("wrong", "status"),
    [(StoreUnavailable("away"), 503), (Impossible("needs fpdf2"), 409), (Busy("come again"), 503)],
)
def test_what_cannot_be_made_says_why(serve: Serve, wrong: KeeptimeError, status: int) -> None:
    answer = serve(FakeShowable(reports=FakeReports(wrong=wrong))).get(ASKED)
    assert (answer.status, json.loads(answer.body)["error"]) == (status, str(wrong))
    assert answer.headers["Retry-After"] == ("1" if isinstance(wrong, Busy) else None)


def test_one_is_made_at_a_time_and_few_wait(place: Path) -> None:
    let_go, looks = threading.Event(), 0

    def look():  # type: ignore[no-untyped-def]
        nonlocal looks
        looks += 1
        let_go.wait(10)
        return looking_at(place / "data")

    async def story() -> None:
        reports = StoredReports(look)
        asked = [asyncio.create_task(reports.report(NAME, "2026-10", "", "md")) for _ in range(MOST_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await reports.report(NAME, "2026-10", "", "md")
        assert looks <= 1
        let_go.set()
        assert len({made.body for made in await asyncio.gather(*asked)}) == 1
        with pytest.raises(Unknown):
            await reports.report(NAME, "2027-10", "", "md")
        await reports.report(NAME, "2026-10", "", "csv")

    asyncio.run(story())


def test_the_command_asks_a_keeptime_that_runs(serve: Serve, place: Path, tmp_path: Path, capsys: Out) -> None:
    url = serve(daemon(place)).url
    asked = ("report", NAME, "--period", "2026-10", "--url", url)
    assert run(*asked, "-o", str(tmp_path / "a.html"), "-o", str(tmp_path / "a.csv")) == 1
    assert capsys.readouterr().err == f"{tmp_path}/a.html: missed\n{tmp_path}/a.csv: missed\n"
    for form in ("html", "csv"):
        assert (tmp_path / f"a.{form}").read_bytes() == written(place, tmp_path / f"b.{form}")
    with pytest.raises(Refusal, match="no consumer 'billing'"):
        run(*asked, "--consumer", "billing")


def closed(place: Path) -> tuple[FakeShowable, list[PeriodView]]:
    contract = replace(kept(place, days=32), file="contract.yaml")
    with SqliteStore.open(place / "data", tick_seconds=TICK, now=(NOVEMBER + 8640) * TICK) as store:
        views = [past(each, TICK, [contract]) for each in store.closed_periods(NAME)]
    return FakeShowable([view(contract)], closed={NAME: views}), views


def test_a_contract_s_page_links_to_its_reports(serve: Serve, tmp_path: Path) -> None:
    shown, views = closed(tmp_path)
    page = serve(shown).get(f"/contracts/{NAME}").text
    for form in FORMS:
        assert f'href="/api/v1/report?contract={NAME}&amp;period=2026-10&amp;format={form}"' in page
    for each in views:
        assert f"{each.promise}: {each.assess().state}" in page
