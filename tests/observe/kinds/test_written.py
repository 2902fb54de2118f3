"""A contract with a probe of such a kind, written down, is the same contract."""

from dataclasses import replace

import pytest
import yaml

from keeptime.contract.load import load_text
from keeptime.contract.written import terms

from .given import contract

HTTP = "{url: 'http://127.0.0.1:8000/base'}"
TENSOR = "{name: x, shape: [2, 2], datatype: INT8, data: [[1, -2], [3, 4]]}"
PROBES = [
    (HTTP, "kind: grpc"),
    (HTTP, "kind: grpc, service: shop.Shop"),
    (HTTP, "kind: grpc, method: shop.Shop/Buy, request: {item_name: tea, count: 2, deep: [1, {a: null}]}"),
    (HTTP, "kind: grpc, method: inference.GRPCInferenceService/ModelInfer, request: {model_name: m}"),
    (HTTP, f"kind: grpc, model: m, version: '1', inputs: [{TENSOR}]"),
    (HTTP, f"kind: oip, model: m, inputs: [{TENSOR}, {{name: t, shape: [1], datatype: BYTES, data: é}}]"),
    (HTTP, "kind: tcp"),
    ("{url: 'tcp://[::1]:6379', body: \"PING\\r\\n\", expect: {regex: PONG}}", "kind: tcp"),
]


@pytest.mark.parametrize(("endpoint", "probe"), PROBES)
def test_it_is_written_as_it_was_read(endpoint: str, probe: str) -> None:
    given = contract(endpoint, probe)
    (again,) = load_text(yaml.safe_dump(terms(given)).encode(), "/c/c.yaml").contracts
    assert replace(again, file="", version="") == replace(given, file="", version="")
    assert again.version == given.version
