"""Real traffic on the page, in the API and in the metrics, beside the probes."""

from dataclasses import replace
from typing import Any

from keeptime.testing.showable import FakeShowable
from keeptime.web.describe import contracts_json
from keeptime.web.metrics import exposition
from tests.web.cards import pages, words
from tests.web.scenes import INERT, with_traffic


def test_the_page_has_a_row_for_each_way_and_what_is_wrong_with_it() -> None:
    html = pages(with_traffic())
    text = words(html)
    assert "12,300 requests, last at 08:00:00 UTC; 2 refused" in text
    assert "0 requests, nothing yet; 3 unreachable it does not answer" in text
    assert INERT not in html
    assert "First token p50 80.5 ms" in text
    assert "Between tokens" not in text, "nothing was measured of them"


def test_the_page_sets_probes_beside_users_and_says_where_they_disagree() -> None:
    text = words(pages(with_traffic()))
    assert "disagreement in the last hour none of 360 probes was bad" in text
    assert "last hour, probes: 0 bad of 360 (SLI 98.9805% to 100% with 95% confidence)" in text
    assert "last hour, traffic: 3,000 bad of 100,000 (SLI 96.892" in text
    assert "last hour: SLI 92.647% to 96.3236%, for 50 requests lie between two bucket bounds" in text


def test_the_api_has_the_same() -> None:
    said: dict[str, Any] = contracts_json(with_traffic().snapshot())
    (contract,) = said["contracts"]
    push, _, broken = contract["traffic"]
    assert (push["requests"], push["results"], push["problem"]) == (12_300, {"ok": 40, "refused": 2}, None)
    assert (broken["problem"], broken["at"]) == ("it does not answer", None)
    first, second, third = (each["beside"] for each in contract["objectives"])
    assert (first["probe"]["sli"], first["traffic"]["sli"]) == (1.0, 0.97)
    assert first["disagreement"]
    assert second["sli"] == [1260 / 1360, 1310 / 1360]
    assert second["traffic"]["undecided"] == 50
    assert third is None
    assert contract["latency_by_signal"]["first_token"]["requests"] == 90


def test_series_are_summed_by_kind() -> None:
    text = exposition(with_traffic().snapshot(), "")[0].decode()
    lately = 'keeptime_objective_last_hour_requests{contract="chat",objective="p50",observer="traffic"'
    for line in (
        'keeptime_traffic_requests_total{contract="chat",kind="scrape"} 600.0',
        'keeptime_traffic_results_total{contract="chat",kind="scrape",result="unreachable"} 3.0',
        'keeptime_traffic_problem{contract="chat",kind="scrape"} 1.0',
        'keeptime_traffic_problem{contract="chat",kind="push"} 0.0',
        'keeptime_probe_disagreement{contract="chat",objective="p99"} 1.0',
        'keeptime_probe_disagreement{contract="chat",objective="p50"} 0.0',
        f'{lately},result="undecided"}} 50.0',
    ):
        assert line in text, line


def test_a_contract_that_is_observed_in_traffic_alone_has_no_row_of_probes() -> None:
    (known,) = with_traffic().contracts
    alone = replace(known, contract=replace(known.contract, endpoint=None, probes=()))
    text = words(pages(FakeShowable([alone])))
    assert "push, metrics of any service by OpenTelemetry" in text
    assert "Last probe" not in text
    assert "Series" not in text
    said: dict[str, Any] = contracts_json(FakeShowable([alone]).snapshot())
    assert said["contracts"][0]["endpoint"] == ""
