"""Segments are shown below their objective, the worst first, and never as more than text."""

from keeptime.web.describe import contracts_json
from keeptime.web.metrics import exposition
from keeptime.web.segments import MOST_SEGMENTS
from tests.web.cards import pages, words
from tests.web.scenes import INERT, split


def test_segments_stand_below_their_objective_the_worst_first() -> None:
    html = pages(split())
    text = words(html)
    assert text.count("99% of requests under 500ms over 28d") == 1
    broken, fine, new = (text.index(f"model_version {value}") for value in (INERT, "v1", "v3"))
    assert broken < fine < new
    assert "50.25%, 99 bad of 199 the new one is slow" in text
    assert "99.87%, 1 bad of 801" in text
    assert "not judged yet" in text
    assert INERT not in html


def test_the_api_and_the_metrics_say_of_what_each_is_a_segment() -> None:
    daemon = split()
    (contract,) = contracts_json(daemon.snapshot())["contracts"]  # type: ignore[misc, union-attr]
    said = [each["segment"] for each in contract["objectives"]]  # type: ignore[call-overload, index]
    assert said[0] is None
    assert {"of": "p99", "values": {"model_version": "v1"}} in said
    text = exposition(daemon.snapshot(), "")[0].decode()
    assert (
        'keeptime_objective_segment{attribute="model_version",contract="split",'
        'objective="p99[model_version=v1]",of="p99",value="v1"} 1.0' in text
    )


def test_of_many_segments_the_worst_are_seen_and_the_rest_is_a_click_away() -> None:
    few, many = (pages(split(more)) for more in (MOST_SEGMENTS - 3, MOST_SEGMENTS))
    assert few.count("<details>") == 1, "the contract's text"
    assert "3 more segments" in many
    assert many.index("the new one is slow") < many.index("<details>")
    assert many.count("<details>") == many.count("</details>") == 2
