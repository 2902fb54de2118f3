"""/metrics: its formats, its names against the documentation, and that what is missing is absent."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from keeptime.app.view import PairView
from keeptime.model.counters import USUAL_BOUNDS, RequestCounters
from keeptime.model.exclusion import FAILED
from keeptime.model.sample import Failure
from keeptime.model.tally import Tally
from keeptime.model.verdict import Condition
from keeptime.testing.showable import FakeShowable, contract, objective, observed, sample, verdict, view
from keeptime.web.metrics import exposition, refusals
from keeptime.web.own_series import own_series
from keeptime.web.request_series import buckets, request_series
from tests.web.conftest import Serve
from tests.web.scenes import (
    CANARY,
    INERT,
    every_condition,
    split,
    with_traffic,
)

OPEN = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
DOCUMENTED = Path(__file__).parents[2] / "docs" / "metrics.md"


def values(daemon: FakeShowable) -> dict[str, float]:
    """Value by the sample's text without spaces, labels sorted."""
    text, _ = exposition(daemon.snapshot(), "")
    return {
        one.name + "".join(f" {name}={value}" for name, value in sorted(one.labels.items())): one.value
        for family in parse_text(text.decode())
        for one in family.samples
    }


def test_promtool_has_nothing_to_say() -> None:
    text, _ = exposition(every_condition().snapshot(), "")
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_both_formats_parse_and_say_the_same(serve: Serve) -> None:
    where = serve(every_condition())
    plain, other = where.get("/metrics"), where.get("/metrics", Accept=OPEN)
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert other.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")

    def samples(families: object) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        return {
            (one.name, frozenset(one.labels.items())): one.value
            for family in families  # type: ignore[attr-defined]
            for one in family.samples
            if not one.name.startswith("process_")
        }

    assert samples(parse_text(plain.text)) == samples(parse_openmetrics(other.text))
    assert other.text.endswith("# EOF\n")


def test_a_failed_request_is_in_no_bound_but_infinity() -> None:
    counters = RequestCounters(USUAL_BOUNDS)
    for one in (sample(seconds=0.0213), sample(seconds=0.5), sample(seconds=7.0)):
        counters.add(one)
    counters.add(sample(seconds=0.001, failure=Failure.REFUSED))
    by_bound = dict(buckets(counters))
    assert by_bound["0.01"] == 0
    assert by_bound["0.05"] == 1
    assert by_bound["0.5"] == by_bound["5.0"] == 2
    assert by_bound["+Inf"] == 4


def test_bounds_are_the_usual_ones_and_every_threshold_as_clients_write_them() -> None:
    daemon = FakeShowable([view(contract(objectives=[objective(under=0.35), objective("p50", "1/2", 2.0)]))])
    text = exposition(daemon.snapshot(), "")[0].decode()
    bounds = "0.01 0.05 0.1 0.2 0.3 0.35 0.4 0.5 0.6 0.7 0.8 0.9 1.0 2.0 5.0 +Inf"
    assert re.findall(r'_bucket{contract="sentiment-latency",le="([^"]+)"', text) == bounds.split()


def test_what_was_counted_for_an_objective_is_a_counter() -> None:
    daemon = FakeShowable(
        [view(contract(objectives=[objective()]), counted=[Tally(40, 2, 1, excluded=5)], exclusions=[{FAILED: 5}])]
    )
    name = "keeptime_objective_requests_total contract=sentiment-latency objective=p99 result"
    assert {result: values(daemon)[f"{name}={result}"] for result in ("good", "bad", "skipped", "excluded")} == {
        "good": 40,
        "bad": 2,
        "skipped": 1,
        "excluded": 5,
    }
    assert [value for key, value in values(daemon).items() if "excluded_total" in key] == [5]


@given(
    good=st.lists(st.floats(1e-6, 60)),
    bad=st.lists(st.tuples(st.floats(1e-6, 60), st.sampled_from(Failure))),
)
def test_buckets_grow_and_end_at_the_number_of_requests(
    good: list[float], bad: list[tuple[float, Failure]]
) -> None:
    counters = RequestCounters(USUAL_BOUNDS)
    for seconds in good:
        counters.add(sample(seconds=seconds))
    for seconds, failure in bad:
        counters.add(sample(seconds=seconds, failure=failure))
    counts = [count for _, count in buckets(counters)]
    assert counts == sorted(counts)
    assert counts[-1] == len(good) + len(bad) == counters.requests
    assert counts[-2] <= len(good)


def test_requests_are_counted_by_result_and_every_result_is_there_from_the_start() -> None:
    shown = values(every_condition())
    prefix = "model_requests_total contract=sentiment-latency model=sentiment result="
    assert shown[prefix + "ok"] == 960
    assert shown[prefix + "refused"] == 40
    assert {key.removeprefix(prefix) for key in shown if key.startswith(prefix)} == {"ok", *Failure}


def test_one_condition_is_1_and_the_others_0() -> None:
    shown = values(every_condition())
    for name, now in (("p99", "ok"), ("p50", "at_risk"), ("success", "broken")):
        for each in Condition:
            key = f"keeptime_objective_condition condition={each} contract=sentiment-latency objective={name}"
            assert shown[key] == (each == now)


def test_what_is_not_known_is_absent() -> None:
    daemon = every_condition()
    shown = values(daemon)
    silent, unjudged = "contract=image-tags objective=p99", "contract=just-added objective=p99"
    assert f"keeptime_objective_sli_ratio {silent}" not in shown
    assert not [key for key in shown if key.startswith("keeptime_objective_burn_rate") and silent in key]
    assert shown[f"keeptime_objective_target_ratio {unjudged}"] == 0.99
    assert not [key for key in shown if "condition=" in key and "just-added" in key]
    assert "keeptime_objective_threshold_seconds contract=sentiment-latency objective=success" not in shown
    assert not [key for key, value in shown.items() if value != value]
    daemon.last_tick_at = None
    assert not [key for key in values(daemon) if key.startswith("keeptime_last_")]


def test_burn_by_window_in_full_precision() -> None:
    shown = values(every_condition())
    key = "keeptime_objective_burn_rate contract=sentiment-latency objective=p50 window="
    assert shown[key + "1h"] == 560 / 36
    assert shown[key + "5m"] == 70 / 3
    assert key + "6h" not in shown
    assert shown[key + "28d"] == pytest.approx(61_789 / 241_789 / 0.5)


def test_receivers_of_one_kind_are_one_series_without_any_url() -> None:
    daemon = every_condition()
    shown = values(daemon)
    key = "contract=sentiment-latency receiver=webhook"
    assert shown[f"keeptime_deliveries_total audience=checkout {key} result=delivered"] == 17
    assert shown[f"keeptime_deliveries_total audience=checkout {key} result=failed"] == 3
    assert shown[f"keeptime_deliveries_waiting audience=checkout {key}"] == 3
    assert shown[f"keeptime_delivery_oldest_waiting_seconds audience=checkout {key}"] == 64
    assert f"keeptime_delivery_oldest_waiting_seconds audience=operators {key}" not in shown
    text = exposition(daemon.snapshot(), "")[0].decode()
    assert CANARY not in text
    assert "://" not in text


def test_reload_and_health_are_series() -> None:
    daemon = FakeShowable([view(contract())])
    assert values(daemon)["keeptime_reload_refused"] == values(daemon)["keeptime_health_problems"] == 0
    daemon.reload_error, daemon.problems = "sla.yaml:1:1: no", ("one", "two")
    assert (values(daemon)["keeptime_reload_refused"], values(daemon)["keeptime_health_problems"]) == (1, 2)


def test_any_name_is_a_label_that_parses() -> None:
    odd = contract('a"b\\c\nd', model=INERT)
    daemon = FakeShowable([view(odd, [verdict(odd, Condition.OK, good=1)])])
    assert values(daemon)[f'model_requests_total contract=a"b\\c\nd model={INERT} result=ok'] == 0


def exposed() -> set[str]:
    daemon = every_condition()
    snapshot = replace(daemon.snapshot(), pair=PairView(True, True, "one", "http://127.0.0.1:1", 0.0, 1))
    families = [*request_series(snapshot.contracts), *own_series(snapshot), refusals({})]
    return {
        family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")
        for family in families
        if not family.name.startswith("keeptime_engine_")
    }


def test_the_page_names_every_metric_and_no_other() -> None:
    documented = set(re.findall(r"^\| `([a-z_]+)", DOCUMENTED.read_text(), flags=re.MULTILINE))
    others = ("process_", "keeptime_engine_", "keeptime_server_")
    assert {name for name in documented if not name.startswith(others)} == exposed()


def test_the_page_names_the_labels_of_every_metric() -> None:
    read = view(observed(), reads={"ok": 3, "failed": 1}, source_problem="Prometheus cannot be reached")
    daemon = every_condition()
    daemon.contracts += [read, *split().contracts, *with_traffic().contracts]
    snapshot = daemon.snapshot()
    rows = dict(re.findall(r"^\| `([a-z_]+)`[^|]*\|[^|]*\|([^|]*)\|", DOCUMENTED.read_text(), flags=re.MULTILINE))
    for family in [*request_series(snapshot.contracts), *own_series(snapshot)]:
        if family.name.startswith("keeptime_engine_"):
            continue
        name = family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")
        given_labels = {label for one in family.samples for label in one.labels} - {"le"}
        assert set(re.findall(r"`([a-z_]+)`", rows[name])) == given_labels, name
