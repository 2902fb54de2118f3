"""What a standby answers: that it stands by, who leads, and nothing that could be taken for the leader's answer."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from keeptime.app.view import Health, PairView, Snapshot
from keeptime.testing.showable import FakeShowable
from keeptime.web.app import build as build_web
from keeptime.web.door import Door
from keeptime.web.standby import Switch, build, render
from tests.web.conftest import Served, app_served

LEADER = PairView(False, False, "keeptime alpha 7 aa", "https://alpha.example:5337", 1000.0, 4)


def shown(pair: PairView = LEADER, *problems: str) -> Snapshot:
    return Snapshot(1090.0, 10.0, (), (), Health(900.0, 1090.0, 1090.0, None, problems), pair=pair)


@pytest.fixture
def asked() -> Iterator[Callable[[Snapshot], Served]]:
    """Serve a standby that shows this."""
    with ExitStack() as stack:
        yield lambda snapshot: stack.enter_context(app_served(build(lambda: snapshot, Door())))


Asked = Callable[[Snapshot], Served]


def test_it_says_who_leads_and_is_well(asked: Asked) -> None:
    standby = asked(shown())
    health = standby.get("/healthz")
    assert health.status == 200
    assert json.loads(health.text)["pair"] == {
        "leads": False,
        "may_send": False,
        "term": 4,
        "leader": {"holder": "keeptime alpha 7 aa", "url": "https://alpha.example:5337", "since": 1000.0},
    }
    page = standby.get("/")
    assert "<b>keeptime alpha 7 aa</b> leads, for 1 min 30 s by now" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    metrics = standby.get("/metrics").text
    assert "keeptime_leader 0.0" in metrics
    assert "keeptime_lease_term 4.0" in metrics


def test_all_else_is_the_leaders(asked: Asked) -> None:
    standby = asked(shown())
    for path in ("/api/v1/contracts", "/probe?contract=a", "/api/v1/ledger", "/nowhere"):
        answer = standby.get(path)
        assert answer.status == 503, path
        assert json.loads(answer.text)["leader"] == "https://alpha.example:5337"
    assert standby.get("/api/v1/reload", "POST", Content_Type="application/json").status == 503
    assert standby.get("/", Host="evil.example").status == 421


def test_a_database_that_does_not_answer_is_a_problem(asked: Asked) -> None:
    nobody = replace(LEADER, holder="", url="", problem="it does not answer")
    standby = asked(shown(nobody, "it does not answer"))
    assert standby.get("/healthz").status == 503
    assert "it does not answer" in standby.get("/").text
    assert json.loads(standby.get("/api/v1/contracts").text)["leader"] is None


def test_names_are_inert() -> None:
    page = render(shown(replace(LEADER, holder="<script>1</script>", url='http://x/"><i>')))
    assert "<script>" not in page
    assert "<i>" not in page


def test_the_port_goes_over_to_the_leaders_app_and_back() -> None:
    switch = Switch(build(shown, Door()))
    with app_served(switch) as where:
        assert where.get("/api/v1/contracts").status == 503
        standby, switch.app = switch.app, build_web(FakeShowable([]), Door())
        assert json.loads(where.get("/api/v1/contracts").text)["contracts"] == []
        switch.app = standby
        assert where.get("/api/v1/contracts").status == 503
