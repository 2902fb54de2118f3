"""The fields of probes that ask a model server: kinds oip and grpc.

Guarantees: a probe says one thing to ask: a health check, a method with its request, or a model with its inputs.
"""

import json
import re
from dataclasses import dataclass

from keeptime.contract.expectations import Json
from keeptime.contract.given import Terms, given
from keeptime.contract.kinds import Checked, Text
from keeptime.contract.probed import Kind, KindTerms, Probe
from keeptime.contract.probing.streams import MODEL
from keeptime.contract.probing.tensors import INPUTS, Datatype, Tensor
from keeptime.contract.shapes import Field, Row

HEALTH = "grpc.health.v1.Health/Check"
INFER = "inference.GRPCInferenceService/ModelInfer"


@dataclass(frozen=True, slots=True)
class ServingTerms(KindTerms):
    """`method`: of gRPC, "" for oip. `request`: JSON of its message. `service`: whose health is asked,
    "" for all."""

    model: str = ""
    version: str = ""
    inputs: tuple[Tensor, ...] = ()
    method: str = ""
    request: str = ""
    service: str = ""

    def said(self, request: str, url: str) -> str:  # noqa: ARG002 - it is not the endpoint's own that is sent
        what = self.model or self.method
        return f"{what} at {url}"


def _check_method(text: str) -> str:
    if re.fullmatch(r"([A-Za-z_]\w*\.)*[A-Za-z_]\w*/[A-Za-z_]\w*", text, re.ASCII):
        return ""
    return "is no method"


VERSION = Field(
    "version",
    Text("the version of a model"),
    "Kinds oip and grpc: the model's version.",
    default="the server's choice",
)
METHOD = Field(
    "method",
    Checked("PACKAGE.SERVICE/METHOD such as inference.Greeter/Predict", "bad-grpc-method", _check_method, most=300),
    "Kind grpc: the unary method that is called. What its messages are is asked of the server by reflection.",
    default="the health check; ModelInfer where there are inputs",
)
REQUEST = Field(
    "request", Json("the request as JSON"), "Kind grpc: the message that is sent, as JSON.", default="an empty one"
)
SERVICE = Field(
    "service", Text("the name of a service"), "Kind grpc: whose health is asked.", default="the server's as a whole"
)
SERVING_FIELDS = (MODEL, VERSION, INPUTS, METHOD, REQUEST, SERVICE)


def build(row: Row, kind: Kind) -> KindTerms:
    """What such a probe asks. Raises Spoiled."""
    inputs, model, method = row.find(INPUTS), row.find(MODEL), row.find(METHOD)
    if kind is Kind.OIP:
        _only(row, (METHOD, REQUEST, SERVICE), "a probe of kind oip asks for a model and its inputs")
        _both(row, model is not None, inputs is not None)
    elif inputs is not None or model is not None:
        _only(row, (METHOD, REQUEST, SERVICE), "a model and its inputs are all that is asked")
        _both(row, model is not None, inputs is not None)
        _check_halves(row)
    elif method is not None:
        _only(row, (VERSION, SERVICE), "a method is called with its request alone")
    else:
        _only(row, (VERSION, REQUEST), "without a method it is a health check")
    usual = "" if kind is Kind.OIP else INFER if inputs is not None else HEALTH
    request = row.find(REQUEST)
    return ServingTerms(
        model="" if model is None else model.value,
        version=row.get(VERSION, ""),
        inputs=() if inputs is None else inputs.value,
        method=row.get(METHOD, usual),
        request="" if request is None else json.dumps(request.value, ensure_ascii=False, sort_keys=True),
        service=row.get(SERVICE, ""),
    )


def _only(row: Row, unwanted: tuple[Field[object], ...], why: str) -> None:
    for each in unwanted:
        if row.find(each) is not None:
            message = f"{row.what}.{each.key}: {why}; remove it"
            raise row.report.spoil(row.place_of(each), "not-of-this-kind", message)


def _both(row: Row, model: bool, inputs: bool) -> None:
    if not (model and inputs):
        missing = INPUTS if model else MODEL
        message = f"{row.what}: the key '{missing.key}' is missing; expected {missing.shape.expected}"
        raise row.report.spoil(row.place, "bad-tensor", message)


def _check_halves(row: Row) -> None:
    """The protocol's messages have no place for half-precision values."""
    for each in row.get(INPUTS, ()):
        if each.datatype is Datatype.FP16:
            message = f"{row.what}.inputs: FP16 cannot be sent over gRPC; expected FP32, or kind: oip"
            raise row.report.spoil(row.place_of(INPUTS), "bad-tensor", message)


def write(probe: Probe) -> Terms:
    """The same as a contract says it."""
    terms = probe.terms
    assert isinstance(terms, ServingTerms), "its contract says what it asks"
    inputs = [
        {
            "name": each.name,
            "shape": list(each.shape),
            "datatype": str(each.datatype),
            "data": json.loads(each.data),
        }
        for each in terms.inputs
    ]
    method = "" if terms.inputs or terms.method == HEALTH else terms.method
    found = given(model=terms.model, version=terms.version, inputs=inputs, method=method, service=terms.service)
    return found | ({"request": json.loads(terms.request)} if terms.request else {})
