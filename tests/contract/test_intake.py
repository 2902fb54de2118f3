"""`observe: - push:` and `- otlp:` as they are written, and written again."""

import pytest

from keeptime.contract.load import load_text
from keeptime.contract.traffic.kinds import written
from keeptime.contract.traffic.otlp import Otlp, Take
from keeptime.contract.traffic.push import Push
from keeptime.contract.traffic.source import Traffic

WHOLE = (
    "otlp: {service: s, where: {deployment_environment_name: [prod, test]}, take: traces, spans: llm_*, "
    "metrics: {requests: my.latency, first_token: my.first}, failed: {outcome: bad}, "
    "attributes: {model_version: service.version}}"
)


def read(entry: str) -> Traffic:
    text = f"contract: c\nobserve:\n  - {entry}\nobjectives: [99% of requests under 1s over 28d]\n"
    (found,) = load_text(text.encode(), "c.yaml").contracts
    return found.traffic[0]


@pytest.mark.parametrize(
    "entry", ["push:", "push: {}", "push: {token: batch}", "otlp:", "otlp: {service: s}", WHOLE]
)
def test_what_is_written_again_is_the_same(entry: str) -> None:
    one = read(entry)
    assert read(f"{one.kind}: {written(one)}") == one


def test_what_is_understood() -> None:
    assert read("push:") == Push("push")
    assert read("otlp:") == Otlp("otlp")
    whole = read(WHOLE)
    assert isinstance(whole, Otlp)
    assert (whole.service, whole.take, whole.spans) == ("s", Take.TRACES, "llm_*")
    assert whole.metrics == {"requests": "my.latency", "first_token": "my.first"}
    assert whole.attributes == (("model_version", "service.version"),)
    assert "traces of s" in whole.said


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("push: yes", "expected a mapping"),
        ("push: {source: a}", "unknown key 'source'"),
        ("otlp: {take: both}", "'both' is unknown; expected metrics or traces"),
        ("otlp: {metrics: {speed: a}}", "'speed' is unknown"),
        ("otlp: {where: {service.name: a}}", "no name of an attribute"),
        ("otlp: {attributes: {a.b: c}}", "no name of an attribute"),
    ],
)
def test_what_means_nothing_is_refused_at_its_place(entry: str, why: str) -> None:
    text = f"contract: c\nobserve:\n  - {entry}\nobjectives: [99% of requests under 1s over 28d]\n"
    found = load_text(text.encode(), "c.yaml")
    (problem,) = [each for each in found.problems if each.severity == "error"]
    assert (problem.line, why in problem.message) == (3, True), problem
