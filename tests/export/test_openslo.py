"""OpenSLO documents keep to OpenSLO v1, and come back as the contract they were."""

from dataclasses import replace
from pathlib import Path

import promql_parser
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from keeptime.contract.importing.found import Settings
from keeptime.contract.importing.reading import Imported, import_files
from keeptime.contract.layout import block
from keeptime.contract.load import load_text
from keeptime.contract.terms import Contract
from keeptime.contract.written import terms
from keeptime.errors import UsageError
from keeptime.export.openslo import files
from keeptime.export.settings import Settings as Setup

from .openslo_v1 import document
from .promises import FILE, KINDS, contracts, loaded, observed


def _documents(contract: Contract) -> list[dict]:
    (text,) = files([contract]).values()
    return list(yaml.safe_load_all(text))


def _again(text: str, folder: Path) -> Imported:
    file = folder / "openslo.yaml"
    file.write_text(text, "utf-8")
    return import_files("openslo", [str(file)], Settings(), FILE)


def _contracts(found: Imported) -> tuple[Contract, ...]:
    return load_text(found.text.encode(), FILE).contracts


@pytest.mark.parametrize("kind", KINDS)
def test_documents_are_valid(kind: str) -> None:
    found = _documents(observed(kind))
    for each in found:
        Draft202012Validator(document(each["kind"])).validate(each)
    assert {each["kind"] for each in found} >= {"Service", "SLO"}


@pytest.mark.parametrize("kind", KINDS)
def test_queries_are_promql(kind: str) -> None:
    for each in _documents(observed(kind)):
        for metric in each["spec"].get("indicator", {}).get("spec", {}).get("ratioMetric", {}).values():
            if isinstance(metric, dict):
                promql_parser.parse(metric["metricSource"]["spec"]["query"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_contract_comes_back(kind: str, tmp_path: Path) -> None:
    contract = observed(kind)
    (text,) = files([contract]).values()
    found = _again(text, tmp_path)
    assert found.problems == ()
    assert _contracts(found) == (contract,)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(contracts())
def test_every_contract_comes_back_and_is_valid(
    tmp_path_factory: pytest.TempPathFactory, contract: Contract
) -> None:
    (text,) = files([contract]).values()
    for each in yaml.safe_load_all(text):
        Draft202012Validator(document(each["kind"])).validate(each)
    found = _again(text, tmp_path_factory.getbasetemp())
    assert found.whole, "\n".join(map(str, found.problems))
    assert _contracts(found) == (contract,)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(contracts())
def test_a_written_contract_is_the_same(contract: Contract) -> None:
    assert load_text(block(terms(contract)).encode(), FILE).contracts == (contract,)


def test_the_threshold_is_an_annotation_and_not_op_or_value() -> None:
    slo = next(each for each in _documents(observed("classic")) if each["kind"] == "SLO")
    assert slo["metadata"]["annotations"]["keeptime.dev/threshold"] == "500ms"
    assert slo["spec"]["objectives"] == [{"displayName": "p99-500ms", "targetPercent": 99}]


def test_probes_are_told_by_keeptimes_own_counters() -> None:
    slo = next(each for each in _documents(observed("probed")) if each["kind"] == "SLO")
    ratio = slo["spec"]["indicator"]["spec"]["ratioMetric"]
    labels = 'contract="probed",objective="p99-500ms"'
    assert ratio["good"]["metricSource"]["spec"]["query"] == (
        f'(sum(keeptime_objective_requests_total{{{labels},result="good"}}) or vector(0))'
    )
    assert ratio["total"]["metricSource"]["spec"]["query"] == (
        f'sum(keeptime_objective_requests_total{{{labels},result=~"good|bad"}})'
    )


@pytest.mark.parametrize(
    ("old", "new"), [("targetPercent: 99}", "targetPercent: 97}"), ("duration: 28d", "duration: 7d")]
)
def test_what_openslo_can_say_is_what_it_says(old: str, new: str, tmp_path: Path) -> None:
    contract = observed("classic")
    (text,) = files([contract]).values()
    assert old in text
    (back,) = _contracts(_again(text.replace(old, new, 1), tmp_path))
    assert back.objectives != contract.objectives
    assert (back.source, back.objectives[2]) == (contract.source, contract.objectives[2])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('le=~"0', 'le=~"1'),
        ("keeptime.dev/threshold: 500ms", "keeptime.dev/threshold: 400ms"),
        ("metric: http_seconds", "metric: https_seconds"),
        ("{url: http://prometheus:9090}", "{url: http://other:9090}"),
        ("http_seconds_count", "other_seconds_count"),
    ],
)
def test_a_query_that_the_annotations_do_not_make_is_an_error(old: str, new: str, tmp_path: Path) -> None:
    (text,) = files([observed("classic")]).values()
    assert old in text
    found = _again(text.replace(old, new, 1), tmp_path)
    assert not found.whole
    assert {each.code for each in found.problems if each.severity == "error"} == {"changed-since-export"}
    assert found.names == ()


def test_without_the_annotations_it_is_an_slo_like_any(tmp_path: Path) -> None:
    (text,) = files([observed("classic")]).values()
    plain = "\n".join(
        line for line in text.splitlines() if "keeptime.dev/" not in line and "annotations:" not in line
    )
    found = _again(plain + "\n", tmp_path)
    assert found.whole, found.problems
    back = _contracts(found)
    assert [each.objectives[0].under for each in back] == [0.5, 0.25, None]
    assert [each.objectives[0].errors for each in back] == ["bad", "excluded", "bad"]


def test_a_window_that_openslo_has_not_is_refused() -> None:
    contract = observed("classic")
    short = contract.objectives[0]
    text = block(terms(replace(contract, objectives=(short,)))).replace("28d", "90s")
    with pytest.raises(UsageError, match="classic/p99-500ms: OpenSLO has no window of 90s; expected whole minutes"):
        files([loaded(text)])


def test_there_is_no_form_for_kubernetes() -> None:
    with pytest.raises(UsageError, match="no objects of Kubernetes"):
        files([observed("classic")], Setup(2026, kubernetes=True))


def test_names_that_are_too_long_or_alike_stay_apart(tmp_path: Path) -> None:
    long = "a" * 60
    text = f"contract: {long}\nendpoint: {{url: http://h/}}\nobserve: [{{probe: 10s}}]\nobjectives:\n" + "".join(
        f"  - {{name: {name}, target: 99%, under: {under}, over: 28d}}\n"
        for name, under in (("bbbb-1", "1s"), ("bbbb.1", "2s"), ("bbbb-2", "3s"))
    )
    contract = loaded(text)
    slos = [each["metadata"]["name"] for each in _documents(contract) if each["kind"] == "SLO"]
    assert len(set(slos)) == 3
    assert max(map(len, slos)) <= 63
    assert _contracts(_again(files([contract])[f"{long}.yaml"], tmp_path)) == (contract,)
