"""`keeptime report`: the same bytes twice, the figures of `compliance`, and nothing that is not the consumer's."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from keeptime.app.periods import past
from keeptime.contract.terms import Contract
from keeptime.errors import UsageError
from keeptime.store.sqlite import SqliteStore
from keeptime.tell.report import as_pdf
from keeptime.tell.report.formats import FORMATS
from keeptime.web.kept import period_json
from tests.cli.commands import run
from tests.postgres import Databases
from tests.report.given import NOVEMBER, SECRET, TICK, kept
from tests.store import given

ROOT = Path(__file__).resolve().parents[2]
NAME = "sentiment-latency"
Out = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Contract]:
    directory = tmp_path_factory.mktemp("report")
    return directory, kept(directory)


def made(directory: Path, to: Path, *options: str, period: str = "2026-10") -> int:
    return run("report", NAME, "--period", period, "--data", str(directory / "data"), "-o", str(to), *options)


def plain(directory: Path, tmp_path: Path, *options: str, period: str = "2026-10") -> dict[str, Any]:
    made(directory, tmp_path / "report.json", *options, period=period)
    found: dict[str, Any] = json.loads((tmp_path / "report.json").read_text())
    return found


def test_the_figures_are_those_of_compliance(place: tuple[Path, Contract], tmp_path: Path) -> None:
    directory, contract = place
    found = plain(directory, tmp_path)
    with SqliteStore.open(directory / "data", tick_seconds=TICK, now=(NOVEMBER + 2 * 8640) * TICK + 5) as store:
        views = [past(each, TICK, [contract]) for each in store.closed_periods(NAME)]
    theirs = {each["objective"]: each for each in map(period_json, views)}
    assert {each["name"] for each in found["objectives"]} == set(theirs) == {"p99-500ms", "p50-200ms"}
    for each in found["objectives"]:
        same = theirs[each["name"]]
        for name in (
            "promise",
            "good",
            "bad",
            "skipped",
            "missing",
            "excluded",
            "interval",
            "needed",
            "reason",
            "credit",
        ):
            assert each[name] == same[name], name
        assert each["compliance"] == same["state"]
        assert each["sli"] == each["good"] / (each["good"] + each["bad"])
        assert sum(day["bad"] for day in each["days"]) == each["bad"]
        assert len(each["days"]) == 31


def test_what_it_says_of_october(place: tuple[Path, Contract], tmp_path: Path) -> None:
    found = plain(place[0], tmp_path)
    p50, p99 = sorted(found["objectives"], key=lambda each: each["name"])
    assert (p99["compliance"], p50["compliance"], found["compliance"]) == ("met", "met", "met")
    assert p99["credit"]["due"] == p99["credit"]["due_at_most"] == 0
    assert found["together"] == [
        {
            "promise": "both",
            "all": ["p99-500ms", "p50-200ms"],
            "state": "met",
            "credit": {"due": 0, "due_at_most": 0},
        }
    ]
    (alert,) = p99["alerts"]
    assert alert["topics"] == ["broken", "recovered"]
    first, last = alert["messages"]
    assert [(way["audience"], way["state"]) for way in first["deliveries"]] == [
        ("checkout", "delivered"), ("fraud-team", "delivered"), ("operators", "delivered"),
    ]  # fmt: skip
    assert [(way["audience"], way["state"]) for way in last["deliveries"]] == [
        ("checkout", "delivered"), ("fraud-team", "waiting"),
    ]  # fmt: skip
    assert p50["alerts"][0]["ended"] is None
    assert p99["exclusions"] == [
        {"kind": "maintenance", "reason": "release | <b>2.1</b>", "author": "fraud-team", "events": 30}
    ]
    assert re.fullmatch(r"\d+:[0-9a-f]{64}", found["ledger_head"])


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_store_gives_the_same_bytes(place: tuple[Path, Contract], tmp_path: Path, form: str) -> None:
    one, other = tmp_path / f"one.{form}", tmp_path / f"other.{form}"
    assert made(place[0], one) == made(place[0], other) == 0
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("form", FORMATS)
def test_a_consumer_is_told_nothing_of_anybody_else(
    place: tuple[Path, Contract], tmp_path: Path, form: str
) -> None:
    file = tmp_path / f"report.{form}"
    assert made(place[0], file, "--consumer", "checkout") == 0
    text = said(file)
    assert "checkout" in text
    for hidden in (
        "fraud-team",
        "operators",
        "p99-500ms-warn",
        "behind the scenes",
        "hooks.example",
        SECRET[-9:],
        "nothing came",
    ):
        assert hidden not in text, hidden
    assert made(place[0], file) == 0
    assert ("fraud-team" in said(file)) is (form != "csv")
    assert SECRET[-9:] not in said(file)
    assert "behind the scenes" not in said(file), "an internal objective was promised to nobody"


def said(file: Path) -> str:
    if file.suffix != ".pdf":
        return file.read_text("utf-8")
    return " ".join(" ".join(page.extract_text() for page in PdfReader(file).pages).split())


def test_a_page_runs_nothing_and_fetches_nothing(place: tuple[Path, Contract], tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    made(place[0], file)
    text = file.read_text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    tags: set[str] = set()
    addresses: list[str] = []

    class Seen(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.add(tag)
            addresses.extend(name for name, _ in attrs if name in ("src", "href", "style") or name.startswith("on"))

    Seen(convert_charrefs=True).feed(text)
    assert not tags & {"script", "i", "b", "img", "link", "iframe"}
    assert addresses == []
    assert text.count("<rect") == 62, "a bar for each day and promise"


def test_markdown_and_csv_hold_what_they_are_given(place: tuple[Path, Contract], tmp_path: Path) -> None:
    made(place[0], tmp_path / "a.md", "-o", str(tmp_path / "a.csv"))
    text = (tmp_path / "a.md").read_text()
    assert r"\<script\>alert(1)\</script\> sentiment \| ünïcödé 模型" in text
    assert "- 30: release \\| \\<b\\>2.1\\</b\\> (fraud-team)" in text
    first, second = csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text()))
    assert (first["objective"], second["objective"]) == ("p50-200ms", "p99-500ms")
    assert (second["compliance"], second["incidents"], second["excluded"]) == ("met", "1", "30")


@pytest.mark.parametrize("folder", [None, as_pdf.font_folder()])
def test_a_pdf_says_what_its_font_lacks(
    place: tuple[Path, Contract], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path | None
) -> None:
    monkeypatch.setattr(as_pdf, "font_folder", lambda: folder)
    made(place[0], tmp_path / "report.pdf")
    text = said(tmp_path / "report.pdf")
    assert "ünïcödé ??" in text
    assert "lacks some characters" in text
    assert "99% of requests under 500ms over calendar month" in text
    reader = PdfReader(tmp_path / "report.pdf")
    assert reader.metadata is not None
    assert reader.metadata.title == "sentiment-latency, 2026-10"


def test_a_period_that_lasts_has_no_verdict_yet(place: tuple[Path, Contract], tmp_path: Path) -> None:
    found = plain(place[0], tmp_path, period="2026-11")
    assert (found["over"], found["compliance"]) == (False, "undecided")
    for each in found["objectives"]:
        assert (each["over"], each["compliance"], each["credit"]) == (False, "undecided", None)
        assert each["reason"].startswith("so far: ")
        assert each["good"] + each["bad"] == 2 * 8640
        assert [day["day"] for day in each["days"]] == ["2026-11-01", "2026-11-02"]
    made(place[0], tmp_path / "report.md", period="2026-11")
    assert "**? undecided so far" in (tmp_path / "report.md").read_text()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--period", "2026-09"), "there are: 2026-11, 2026-10 (the store ends at 2026-11-02 00:00 UTC)"),
        (("--period", "october"), "'october' is no period"),
        (("--period", "last"), "expected the name of a period"),
        (
            ("--period", "2026-10", "--consumer", "billing"),
            "no consumer 'billing'; there are: checkout, fraud-team",
        ),
        (
            ("--period", "2026-10", "-o", "report.docx"),
            "expected a name that ends in .html, .pdf, .md, .json, .csv",
        ),
        (("--period", "2026-10", "--format", "csv", "-o", "a.html"), "--format is of what goes to stdout"),
        (("--period", "2026-10", "--json", "-o", "a.html"), "--json prints to stdout alone"),
    ],
)
def test_wrong_usage_says_what_there_is(
    place: tuple[Path, Contract],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    options: tuple[str, ...],
    why: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as raised:
        run("report", NAME, "--data", str(place[0] / "data"), *options)
    assert why in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_a_contract_that_is_not_there(place: tuple[Path, Contract]) -> None:
    with pytest.raises(UsageError, match="no contract 'another'; there are: sentiment-latency"):
        run("report", "another", "--period", "2026-10", "--data", str(place[0] / "data"))


def test_what_was_missed_is_exit_code_1(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    kept(tmp_path, days=32, slow=8000)
    asked = ("report", str(tmp_path / "contract.yaml"), "--period", "2026-10", "--data", str(tmp_path / "data"))
    assert run(*asked, "--json") == 1
    found = json.loads(capfdbinary.readouterr().out)
    (p99,) = (each for each in found["objectives"] if each["name"] == "p99-500ms")
    assert (p99["compliance"], found["compliance"]) == ("missed", "missed")
    assert (p99["credit"]["due"], p99["credit"]["due_at_most"], p99["credit"]["of"]) == (0.1, 0.1, "monthly fee")
    assert found["together"][0]["credit"] == {"due": 0.05, "due_at_most": 0.05}
    assert run(*asked) == 1
    assert capfdbinary.readouterr().out.startswith("# sentiment-latency, 2026-10\n\n**✗ missed: ".encode())


def test_what_can_no_longer_change_is_certain_before_the_end(tmp_path: Path) -> None:
    """12 days with 8,000 slow ones on one: more than 1 % of all that October can have."""
    kept(tmp_path, days=13, slow=8000)
    p50, p99 = sorted(plain(tmp_path, tmp_path)["objectives"], key=lambda each: each["name"])
    assert (p99["compliance"], p99["over"], p99["credit"]) == ("missed", False, None)
    assert p99["reason"].startswith("so far, and whatever is still to come: ")
    assert p50["compliance"] == "undecided", "19 days more could all be slow"


def test_a_pair_s_database_gives_the_same(
    place: tuple[Path, Contract], tmp_path: Path, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    with databases.one() as url:
        monkeypatch.setattr(given, "POSTGRESQL", [lambda _: url])
        kept(tmp_path)
        file = tmp_path / "pair.json"
        assert run("report", NAME, "--period", "2026-10", "--store", url, "-o", str(file)) == 0
    theirs = json.loads(file.read_text())
    assert theirs | {"ledger_head": ""} == plain(place[0], tmp_path) | {"ledger_head": ""}


def test_the_page_shows_a_real_report(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    kept(tmp_path, slow=8000, model="sentiment")
    data = str(tmp_path / "data")
    run("report", NAME, "--period", "2026-10", "--consumer", "checkout", "--data", data)
    shown = re.search(r"^```markdown\n(.*?)^```$", (ROOT / "docs/report.md").read_text(), re.DOTALL | re.MULTILINE)
    assert shown is not None
    assert without_hashes(shown[1]) == without_hashes(capfdbinary.readouterr().out.decode())


def without_hashes(text: str) -> str:
    """An epoch's name is by chance, so the ledger's head is too."""
    return re.sub(r"\d+:[0-9a-f]{64}", "HEAD", text)
