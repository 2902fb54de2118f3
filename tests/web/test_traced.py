"""The traces of an incident: as JSON, as a page, and where there are none."""

import json

from keeptime.app.tracing import Traces
from keeptime.model.trace import Trace, Why
from keeptime.testing.showable import FakeShowable, contract, view
from keeptime.testing.traced import FakeTraced
from keeptime.web.traced import traces_json
from tests.explain.test_traces import served as request
from tests.web.conftest import Serve
from tests.web.scenes import INERT
from tests.web.test_incidents import LASTS, WORST, happened

SLOW = request(10, 330, 32, Why.SLOW)
FOUND = Traces((SLOW, Trace("c", "cd" * 16, 1, 1, Why.FAILED), request(5, 20, 20, Why.USUAL)), INERT)


def daemon(found: Traces = FOUND) -> FakeShowable:
    traced = FakeTraced({"sentiment-latency": found})
    return FakeShowable([view(contract())], happened=happened(), tracing=traced)


def test_what_takes_longer_is_told_with_each_critical_path(serve: Serve) -> None:
    shown = daemon()
    answer = serve(shown).get(f"/api/v1/incidents/{WORST.id}/traces")
    said = json.loads(answer.body)
    assert said["compared"]["sentence"] == "queue +310 ms, forward +12 ms, tokenizer +5 ms"
    assert said["compared"]["work"][0]["more_seconds"] == 0.31
    assert [each["span"] for each in said["traces"][0]["critical_path"]] == ["tokenizer", "queue", "forward"]
    assert said["traces"][1]["critical_path"] == []
    assert said["problem"] == INERT
    assert shown.tracing.asked == [("sentiment-latency", WORST.started - 60, (WORST.ended or 0) + 60)]
    again = serve(shown).get(f"/api/v1/incidents/{WORST.id}/traces", If_None_Match=answer.headers["etag"])
    assert again.status == 304


def test_without_an_incident_there_is_nothing_and_without_traces_nothing_to_compare(serve: Serve) -> None:
    where = serve(daemon(Traces()))
    for path in ("/api/v1/incidents/nobody/traces", "/incidents/nobody/traces", "/incidents/%3Cb%3E/traces"):
        assert where.get(path).status == 404
    assert traces_json(LASTS, Traces())["compared"] is None
    assert "None: keeptime keeps traces of slow requests" in where.get(f"/incidents/{WORST.id}/traces").text


def test_the_page_shows_the_slowest_or_the_one_that_is_asked_for(serve: Serve) -> None:
    where = serve(daemon())
    page = where.get(f"/incidents/{WORST.id}/traces").text
    assert "queue +310 ms, forward +12 ms, tokenizer +5 ms" in page
    assert "Slow request, 372 ms" in page
    assert page.count('class="waited"') == 3
    assert INERT not in page
    failed = where.get(f"/incidents/{WORST.id}/traces?trace={'cd' * 16}").text
    assert "The span of the request itself is not there" in failed


def test_the_incidents_own_page_has_the_slowest_as_a_waterfall(serve: Serve) -> None:
    shown = daemon()
    page = serve(shown).get(f"/incidents/{WORST.id}").text
    assert "queue +310 ms, forward +12 ms, tokenizer +5 ms" in page
    assert "Slow request, 372 ms, span by span" in page
    assert page.count('class="waited"') == 3
    assert f'<a href="/incidents/{WORST.id}/traces">3 traces</a> of its requests and of usual ones are kept' in page
    assert shown.tracing.asked == []


def test_usual_requests_alone_are_no_waterfall_of_an_incident(serve: Serve) -> None:
    page = serve(daemon(Traces((request(5, 20, 20, Why.USUAL),)))).get(f"/incidents/{WORST.id}").text
    assert "1 trace</a> of its requests and of usual ones is kept" in page
    assert "span by span" not in page
    assert "traces.css" not in page
    none = serve(daemon(Traces())).get(f"/incidents/{WORST.id}").text
    assert "No trace of its requests was sent here." in none
