"""How periods and percentiles are shown: in the API, on the first page, by `keeptime compliance`."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from keeptime.app.periods import ComplianceView, PeriodView
from keeptime.model.compliance import Basis, PeriodCounts
from keeptime.model.latency import Latency, Quantile
from keeptime.model.verdict import Condition
from keeptime.testing.showable import NOW, FakeShowable, contract, verdict, view
from keeptime.units import shown_interval
from keeptime.web.kept import shown_compliance, shown_latency
from tests.cli.commands import run
from tests.web.cards import pages
from tests.web.conftest import Serve

PROMISE = "99% of requests under 500ms over 28d"
OCTOBER = PeriodView(
    "p99", "2026-10", PROMISE, 1_790_812_800.0, 1_793_491_200.0, 1_790_812_800.0,
    PeriodCounts(267_000, 600, skipped=20, missing=220, excluded=5), Fraction(99, 100), Basis.SAMPLED,
)  # fmt: skip
SEPTEMBER = replace(OCTOBER, name="2026-09", counts=PeriodCounts(200_000, 4_000))
WINDOW = replace(OCTOBER, name="28d", start=NOW - 2_419_200, end=NOW, since=None, counts=PeriodCounts(990, 10))
LATENCY = Latency(3600.0, 357, (Quantile(0.5, 0.0211, 0.0215, 0.0213), Quantile(0.99, 0.25, None)))


def daemon() -> FakeShowable:
    of = contract()
    shown = view(
        of,
        [verdict(of, Condition.OK, good=990, bad=10)],
        compliance=[ComplianceView(WINDOW, OCTOBER)],
        latency=LATENCY,
    )
    return FakeShowable([shown, view(contract("new"))], closed={of.name: [OCTOBER, SEPTEMBER]})


def test_contracts_say_how_the_present_period_and_the_last_one_stand(serve: Serve) -> None:
    first, second = json.loads(serve(daemon()).get("/api/v1/contracts").body)["contracts"]
    said = first["objectives"][0]["compliance"]
    assert (said["state"], said["needed"] is None) == ("undecided", True)
    assert said["interval"] == pytest.approx([0.9817, 0.9952], abs=1e-4)
    assert said["period"]["name"] == "28d"
    assert (said["last"]["name"], said["last"]["state"]) == ("2026-10", "met")
    assert {name: said["last"][name] for name in ("good", "bad", "skipped", "missing", "excluded", "basis")} == {
        "good": 267_000, "bad": 600, "skipped": 20, "missing": 220, "excluded": 5, "basis": "sampled",
    }  # fmt: skip
    assert first["latency"] == {
        "seconds": 3600.0,
        "requests": 357,
        "p50": {"value": 0.0213, "low": 0.0211, "high": 0.0215},
        "p99": {"value": None, "low": 0.25, "high": None},
    }
    assert second["objectives"][0]["compliance"] is None
    assert second["latency"] is None


def test_periods_has_all_that_are_over(serve: Serve) -> None:
    served = serve(daemon())
    body = json.loads(served.get("/api/v1/periods?contract=sentiment-latency").body)
    assert [(each["name"], each["state"]) for each in body["periods"]] == [
        ("2026-10", "met"),
        ("2026-09", "missed"),
    ]
    assert json.loads(served.get("/api/v1/periods?contract=new").body)["periods"] == []
    assert served.get("/api/v1/periods?contract=other").status == 404
    assert served.get("/api/v1/periods").status == 404


def test_the_page_says_it_in_a_line() -> None:
    text = pages(daemon())
    assert "last 28d: undecided (SLI 98.1686% to 99.5195% with 95% confidence)" in text
    assert "2026-10: met (SLI" in text
    assert "p50 21.3 ms ±0.9%, p99 over 250 ms" in text


def test_a_calendar_period_is_said_to_go_on() -> None:
    going = replace(WINDOW, name="2026-11", lived=True, basis=Basis.COUNTED)
    assert shown_compliance(ComplianceView(going)) == ("2026-11, if it ended now: met (SLI 99%)",)
    assert shown_compliance(ComplianceView()) == ()


def test_rounding_never_betters_an_interval() -> None:
    assert shown_interval(0.98999999, 0.98999999) == "98.9999%"
    assert shown_interval(0.99, 0.99) == "99%"
    assert shown_interval(0.9899995, 0.9900001) == "98.9999% to 99.0001%"
    assert shown_interval(0.0, 1.0) == "0% to 100%"


def test_percentiles_between_foreign_bounds_are_said_as_such() -> None:
    assert shown_latency(Latency(3600.0, 9, (Quantile(0.5, 0.1, 0.25),))) == "p50 100 ms to 250 ms"
    assert shown_latency(None) == ""


def test_the_command_tells_of_every_period(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    url = serve(daemon()).url
    assert run("compliance", "sentiment-latency", "--url", url, "--json") == 1
    (said,) = json.loads(capsys.readouterr().out)["contracts"]
    assert [each["state"] for each in said["periods"]] == ["met", "missed"]
    assert run("compliance", "sentiment-latency", "--url", url, "--period", "last", "--json") == 0
    (said,) = json.loads(capsys.readouterr().out)["contracts"]
    assert [each["name"] for each in said["periods"]] == ["2026-10"]
    assert run("compliance", "sentiment-latency", "--url", url, "--period", "2026-10") == 0
    assert "met" in capsys.readouterr().out
    assert run("compliance", "sentiment-latency", "--url", url, "--period", "2026-08") == 0
    assert "no period named 2026-08 of sentiment-latency is over and kept" in capsys.readouterr().out
