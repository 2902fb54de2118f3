"""A contract's page: what it can detect, what does not count, its versions and its text; no secret is on it."""

import asyncio
from dataclasses import replace

import pytest

from keeptime.contract.load import load_text
from keeptime.contract.traffic.push import Push
from keeptime.errors import StoreUnavailable
from keeptime.model.exclusion import Exclusion, ExclusionKind
from keeptime.model.latency import Latency
from keeptime.model.version import ContractVersion, VersionUse
from keeptime.testing.showable import NOW, FakeShowable, contract, objective, view
from keeptime.web.pages.contract_text import text_of
from keeptime.web.pages.detecting import Detecting
from tests.cli.commands import run
from tests.web.cards import words
from tests.web.conftest import Serve
from tests.web.scenes import CANARY, every_condition, split

TEXT = f"""\
contract: chat
provider: ml-platform
model: chat
endpoint:
  url: http://127.0.0.1:5000/predict?key={CANARY}
  headers: {{Authorization: env:MODEL_TOKEN, Content-Type: application/json, X-Tenant: {CANARY}}}
  json: {{prompt: hello}}
observe:
  - probe: {{every: 10s, timeout: 5s}}
objectives:
  - {{name: p99, target: 99%, under: 500ms, over: 28d, errors: excluded}}
exclude:
  - {{status: 429, reason: over the quota, author: both sides}}
maintenance:
  - {{start: 2027-02-01T02:00, lasts: 1h, timezone: Europe/Berlin, reason: the database, author: ann}}
consumers:
  - name: checkout
    tell: ["webhook:https://hooks.example/{CANARY}"]
"""
PAGE = "/contracts/chat"


def kept() -> FakeShowable:
    (document,) = load_text(TEXT.encode(), "chat.yaml").documents
    of = document.contract
    assert of is not None, document.problems
    left = {Exclusion(ExclusionKind.EXCLUDE, "over the quota", "both sides"): 1200}
    old = ContractVersion("chat", "0" * 16, "chat.yaml", "{}")
    uses = [VersionUse(replace(old, version=of.version), NOW - 60, None), VersionUse(old, NOW - 86_400, NOW - 60)]
    return FakeShowable([view(of, exclusions=[left])], uses={"chat": uses})


def test_it_says_what_check_says(serve: Serve, tmp_path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "chat.yaml").write_text(TEXT)
    assert run("check", str(tmp_path / "chat.yaml")) == 0
    said = capsys.readouterr().out
    text = words(serve(kept()).get(PAGE).text)
    table = [line for line in said.splitlines() if line.startswith("    ")]
    assert len(table) > 5
    for line in table:
        assert " ".join(line.split()) in text


def test_it_is_worked_out_once_for_a_version() -> None:
    detecting, (one,) = Detecting(), kept().contracts
    other = replace(one, contract=replace(one.contract, version="another"))

    async def ask() -> None:
        first = await detecting.of(one, 10.0)
        assert (await detecting.of(one, 10.0)).objectives is first.objectives
        assert (await detecting.of(other, 10.0)).objectives is not first.objectives

    asyncio.run(ask())
    assert len(detecting.known) == 2


def test_of_traffic_it_is_said_at_the_rate_that_was_seen_lately(serve: Serve) -> None:
    of = replace(contract("chat"), traffic=(Push("push"),))
    for requests, said in (
        (154_321, "at about 40 requests a second, as in the last hour"),
        (7, "at about 0.002 requests a second, as in the last hour"),
        (0, "more is known with the rate of requests"),
    ):
        daemon = FakeShowable([view(of, latency=Latency(3600.0, requests, ()))])
        text = words(serve(daemon).get(PAGE).text)
        assert said in text
        assert ("burn noticed" in text) is bool(requests)


def test_it_says_what_does_not_count_and_when_maintenance_comes(serve: Serve) -> None:
    where = serve(kept())
    text = words(where.get(PAGE).text)
    assert "status 429 all over the quota (1,200 since keeptime started) both sides" in text
    assert "every failed request p99" in text
    assert (
        "Maintenance: the database 1h each, by the clock of Europe/Berlin; says ann 2027-02-01 01:00:00 UTC" in text
    )
    assert "2027-02-01 02:00:00 CET" in words(where.get(f"{PAGE}?tz=Europe/Berlin").text)
    assert "Every request counts" in words(serve(every_condition()).get("/contracts/image-tags").text)


def test_its_versions_are_there_with_the_way_to_their_rows(serve: Serve) -> None:
    html = serve(kept()).get(PAGE).text
    assert 'href="/ledger?kind=contract&amp;contract=chat"' in html
    assert "0000000000000000 2027-01-14 08:00:04 UTC 2027-01-15 07:59:04 UTC chat.yaml" in words(html)


def test_its_text_can_be_loaded_and_no_secret_is_on_the_page(serve: Serve) -> None:
    html = serve(kept()).get(PAGE).text
    assert CANARY not in html
    said = text_of(kept().contracts[0])
    assert "Authorization: env:MODEL_TOKEN" in said
    assert "X-Tenant: (not shown)" in said.replace('"', "")
    (document,) = load_text(said.encode(), "chat.yaml").documents
    assert document.contract is not None
    assert document.contract.objectives == kept().contracts[0].contract.objectives


def test_segments_are_no_objectives_of_the_text(serve: Serve) -> None:
    said = text_of(split().contracts[0])
    assert said.count("name: p99") == 1
    assert "What it can detect" in serve(split()).get("/contracts/split").text


def test_terms_that_are_not_in_force_are_in_the_text_and_not_among_the_figures(serve: Serve) -> None:
    later = replace(objective("p999"), begins=int(NOW) + 86_400)
    none = replace(contract(), objectives=())
    daemon = FakeShowable([replace(view(none), other_terms=(later,), compliance=(), verdicts=(), counted=())])
    html = serve(daemon).get("/contracts/sentiment-latency").text
    assert "No objective of this contract is in force now" in html
    assert "name: p999" in html


def test_who_has_it_is_not_sent_it_again_and_an_unknown_name_is_said(serve: Serve) -> None:
    where = serve(kept())
    tag = where.get(PAGE).headers["etag"]
    assert where.get(PAGE, If_None_Match=tag).status == 304
    missing = where.get("/contracts/nope")
    assert (missing.status, "There are: chat" in missing.text) == (404, True)
    wrong = where.get(f"{PAGE}?tz=Mars/Phobos")
    assert (wrong.status, "expected a time zone" in wrong.text) == (400, True)


def test_a_store_that_fails_is_said(serve: Serve) -> None:
    class Failing(FakeShowable):
        async def versions(self, contract: str) -> list[VersionUse]:
            raise StoreUnavailable(f"no disk under {contract}")

    answer = serve(Failing(kept().contracts)).get(PAGE)
    assert (answer.status, "no disk under chat" in answer.text) == (503, True)
