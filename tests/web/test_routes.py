"""Every route's answer, its field names, and what a wrong question gets."""

import json
import threading

import pytest

from keeptime.errors import ProbeError
from keeptime.model.sample import Failure
from keeptime.testing.showable import FakeShowable, contract, sample, view
from tests.web.conftest import Answer, Serve, Served
from tests.web.scenes import CANARY, every_condition


def read(answer: Answer) -> dict:
    assert answer.headers["content-type"] == "application/json"
    return json.loads(answer.body)


def one() -> FakeShowable:
    return FakeShowable([view(contract())])


def test_contracts_has_the_stable_fields_and_the_judges_own_words(serve: Serve) -> None:
    daemon = every_condition()
    body = read(serve(daemon).get("/api/v1/contracts"))
    first = body["contracts"][0]
    assert first["contract"] == "sentiment-latency"
    ok = first["objectives"][0]
    stable = {"name", "condition", "good", "bad", "skipped", "sli", "target", "burn_rate", "budget", "reason"}
    assert stable <= ok.keys()
    assert (ok["condition"], ok["good"], ok["bad"], ok["skipped"]) == ("ok", 240_812, 977, 131)
    assert ok["sli"] == 240_812 / 241_789
    assert ok["target"] == 0.99
    assert ok["budget"] == {"total": 2419.2, "spent": 977, "left": 2419.2 - 977}
    assert ok["reason"] == daemon.contracts[0].verdicts[0].reason  # type: ignore[union-attr]
    assert [tier["severity"] for tier in ok["tiers"]] == ["page", "ticket"]


def test_a_missing_number_is_null_and_never_zero(serve: Serve) -> None:
    body = read(serve(every_condition()).get("/api/v1/contracts"))
    silent, unjudged = (body["contracts"][at]["objectives"][0] for at in (1, 2))
    assert (silent["condition"], silent["sli"], silent["burn_rate"]) == ("no_data", None, None)
    assert (unjudged["condition"], unjudged["good"], unjudged["sli"], unjudged["budget"]) == (None,) * 4
    assert unjudged["reason"] == "no tick has ended yet, so there is no verdict"
    idle = body["contracts"][0]["objectives"][0]["tiers"][1]["windows"][1]
    assert idle == {"seconds": 21_600.0, "good": 0, "bad": 0, "burn_rate": None}


def test_probe_answers_with_phases_in_seconds_that_add_up(serve: Serve) -> None:
    daemon = one()
    body = read(serve(daemon).get("/probe?contract=sentiment-latency"))
    assert daemon.probed == ["sentiment-latency"]
    assert (body["success"], body["status"], body["failure"]) == (True, 200, None)
    assert list(body["phases"]) == ["dns", "connect", "tls", "write", "wait", "transfer"]
    assert sum(body["phases"].values()) == pytest.approx(body["latency_seconds"]) == pytest.approx(0.0213)


def test_a_probe_that_failed_is_still_an_answer(serve: Serve) -> None:
    daemon = one()
    daemon.outcome = sample(seconds=0.0011, failure=Failure.REFUSED, detail="nothing listens there")
    answer = serve(daemon).get("/probe?contract=sentiment-latency")
    body = read(answer)
    assert answer.status == 200
    assert (body["success"], body["failure"], body["status"]) == (False, "refused", None)
    assert body["detail"] == "nothing listens there"


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("", 400, "name one contract"),
        ("?contract=", 400, "name one contract"),
        ("?contract=a&contract=b", 400, "name one contract"),
        ("?contract=http://127.0.0.1:1/", 400, "never a URL"),
        ("?contract=//127.0.0.1", 400, "never a URL"),
        ("?target=http://127.0.0.1:1/", 400, "name one contract"),
        ("?contract=sentiment", 404, "no contract here is named 'sentiment'"),
    ],
)
def test_probe_refuses_anything_but_a_configured_name(serve: Serve, query: str, status: int, says: str) -> None:
    daemon = one()
    answer = serve(daemon).get(f"/probe{query}")
    assert answer.status == status
    assert says in read(answer)["error"]
    assert read(answer)["contracts"] == ["sentiment-latency"]
    assert daemon.probed == []


def test_one_probe_at_a_time_for_each_contract(serve: Serve) -> None:
    daemon = FakeShowable([view(contract()), view(contract("other"))], probe_seconds=1.0)
    where = serve(daemon)
    first: list[Answer] = []
    thread = threading.Thread(target=lambda: first.append(where.get("/probe?contract=sentiment-latency")))
    thread.start()
    while not daemon.probed:
        pass
    second = where.get("/probe?contract=sentiment-latency")
    elsewhere = where.get("/probe?contract=other")
    thread.join()
    assert (second.status, second.headers["retry-after"]) == (429, "1")
    assert (first[0].status, elsewhere.status) == (200, 200)
    daemon.probe_seconds = 0
    assert where.get("/probe?contract=sentiment-latency").status == 200


def test_a_probe_that_cannot_be_sent_is_503_and_says_why(serve: Serve) -> None:
    daemon = one()
    daemon.outcome = ProbeError("the CA file /etc/ca.pem cannot be read")
    where = serve(daemon)
    answer = where.get("/probe?contract=sentiment-latency")
    assert answer.status == 503
    assert "the CA file /etc/ca.pem cannot be read" in read(answer)["error"]
    daemon.outcome = None
    assert where.get("/probe?contract=sentiment-latency").status == 200


def test_a_contract_that_a_reload_took_away_in_between_is_404(serve: Serve) -> None:
    daemon = one()
    daemon.outcome = KeyError("sentiment-latency")
    assert serve(daemon).get("/probe?contract=sentiment-latency").status == 404


def test_another_sites_page_cannot_send_probes(serve: Serve) -> None:
    daemon = one()
    where = serve(daemon)
    for site in ("cross-site", "same-site"):
        assert where.get("/probe?contract=sentiment-latency", Sec_Fetch_Site=site).status == 403
    assert where.get("/probe?contract=sentiment-latency", "HEAD").status == 405
    assert daemon.probed == []
    assert where.get("/probe?contract=sentiment-latency", Sec_Fetch_Site="same-origin").status == 200


def test_healthz_says_well_and_not_well(serve: Serve) -> None:
    daemon = one()
    where = serve(daemon)
    well = where.get("/healthz")
    assert well.status == 200
    assert read(well) | {"last_commit_at": 0} == {
        "healthy": True,
        "started": daemon.now - 3600,
        "uptime_seconds": 3600.0,
        "last_tick_age_seconds": 4.0,
        "last_commit_at": 0,
        "problems": [],
    }
    daemon.problems = ("the store could not be written for 34 s",)
    ill = where.get("/healthz")
    assert (ill.status, read(ill)["healthy"]) == (503, False)
    assert read(ill)["problems"] == ["the store could not be written for 34 s"]
    daemon.last_tick_at = None
    assert read(where.get("/healthz"))["last_tick_age_seconds"] is None


@pytest.mark.parametrize(
    "path", ["/nope", "/api", "/api/v2/contracts", "/static/../app.py", "/static/%2e%2e/app.py"]
)
def test_an_unknown_route_names_the_known_ones(serve: Serve, path: str) -> None:
    answer = serve(one()).get(path)
    assert answer.status == 404
    assert "/api/v1/contracts" in read(answer)["routes"]


def test_an_error_inside_gives_no_traceback(serve: Serve) -> None:
    daemon = one()
    daemon.outcome = RuntimeError(CANARY)
    answer = serve(daemon).get("/probe?contract=sentiment-latency")
    assert answer.status == 500
    assert CANARY not in answer.text
    assert answer.headers["content-security-policy"]


def everything(where: Served) -> str:
    paths = ("/", "/metrics", "/api/v1/contracts", "/healthz", "/probe?contract=sentiment-latency")
    return "".join(where.get(path).text for path in paths)


def test_no_answer_holds_a_query_or_a_literal_receivers_path(serve: Serve) -> None:
    daemon = every_condition()
    daemon.outcome = sample(detail=f"GET /predict?key={CANARY} answered 500, expected 200")
    shown = everything(serve(daemon))
    assert "webhook:env:CHECKOUT_HOOK" in shown
    assert "webhook:https://hooks.example" in shown
    assert CANARY not in shown
