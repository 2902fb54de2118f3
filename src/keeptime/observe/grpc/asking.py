"""How probes of kind grpc ask: a health check, inference, or a method that is learned by reflection.

Guarantees: the first request of a method that is not known learns it and is no measurement; a server that is not
there, or does not tell, is a failed request then, too. After that each request is one call on a connection of its
own.
"""

import base64
import json
from collections.abc import Mapping

from keeptime.contract.attributes import JSON
from keeptime.contract.probed import Endpoint, Probe
from keeptime.contract.probing.serving import HEALTH, INFER, ServingTerms
from keeptime.contract.probing.tensors import Datatype, Tensor
from keeptime.errors import ProbeError
from keeptime.model.sample import Failure
from keeptime.observe import traceparent
from keeptime.observe.asked import LEARNED, Asked, Ended, Unsent
from keeptime.observe.grpc import protocols
from keeptime.observe.grpc.call import Call, Ways
from keeptime.observe.grpc.channel import Channel
from keeptime.observe.grpc.methods import Method, Unfit, method_of
from keeptime.observe.grpc.reflection import MOST_BYTES, Learning
from keeptime.observe.target import Asking, Target

MAX_TIMEOUT_MS = 99_999_999
"""The header has room for eight digits."""

_CONTENTS = {
    Datatype.BOOL: "bool_contents",
    Datatype.UINT8: "uint_contents",
    Datatype.UINT16: "uint_contents",
    Datatype.UINT32: "uint_contents",
    Datatype.UINT64: "uint64_contents",
    Datatype.INT8: "int_contents",
    Datatype.INT16: "int_contents",
    Datatype.INT32: "int_contents",
    Datatype.INT64: "int64_contents",
    Datatype.FP32: "fp32_contents",
    Datatype.FP64: "fp64_contents",
    Datatype.BYTES: "bytes_contents",
}


class _Learner(Call):
    """Asks what the method is, question by question, on one connection."""

    def __init__(self, asks: "_GrpcAsks", channel: Channel, ways: Ways, service: str) -> None:
        self._asks, self._learning = asks, Learning(service)
        super().__init__(channel, *self._learning.first(), ways)

    def feed(self, data: bytes, at: int) -> bool:
        if not super().feed(data, at):
            return False
        question = self._learning.next(self.reply)
        if question is None:
            try:
                self._asks.learn(self._learning)
            except Unfit as error:
                raise Ended(Failure.PROTOCOL, str(error)) from None
            raise Unsent(LEARNED)
        self.owed += self.channel.call(*question)
        return False


class _GrpcAsks:
    """`method`: None until it is learned."""

    def __init__(self, probe: Probe, terms: ServingTerms, method: Method | None, request: object) -> None:
        self._probe, self._terms, self._request = probe, terms, request
        self._method = method
        self._payload = b"" if method is None else method.written(request)
        self._json = any(place.startswith(JSON) for _, place in probe.attributes)

    def learn(self, learning: Learning) -> None:
        """All that there is to know is known. Raises Unfit where it does not fit what is asked."""
        method = method_of(learning.files, self._terms.method)
        self._payload, self._method = method.written(self._request), method

    def ask(self, target: Target) -> Asked:
        headers = self._headers(target)
        field, trace = traceparent.parent()
        if any(name == traceparent.NAME for name, _ in headers):
            trace = ""
        else:
            headers.append((traceparent.NAME, field))
        if self._method is None:
            service = self._terms.method.partition("/")[0]
            return _Learner(self, Channel(headers, MOST_BYTES), Ways(target, None, self._json), service)
        channel = Channel(headers, target.max_body)
        return Call(channel, self._method.path, self._payload, Ways(target, self._method, self._json), trace)

    def refusal(self, _now: int, _in_flight: int) -> str:
        return ""

    def _headers(self, target: Target) -> list[tuple[str, str]]:
        timeout = min(MAX_TIMEOUT_MS, max(1, round(self._probe.timeout * 1000)))
        own = [(name.lower(), value) for name, value in target.fields()]
        return [
            (":method", "POST"),
            (":scheme", "http" if target.context is None else "https"),
            (":authority", target.authority),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("user-agent", "keeptime"),
            ("grpc-accept-encoding", "identity,gzip"),
            ("grpc-timeout", f"{timeout}m"),
            *(each for each in own if each[0] not in _OURS),
        ]


_KNOWN = {HEALTH.partition("/")[0]: protocols.health, INFER.partition("/")[0]: protocols.inference}
"""Services whose messages need not be asked for."""

_OURS = frozenset(
    {
        *("te", "content-type", "user-agent", "grpc-accept-encoding", "grpc-timeout", "host", "content-length"),
        *("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"),
    }
)
"""Header fields that keeptime writes itself, or that HTTP/2 does not have."""


def grpc(endpoint: Endpoint, probe: Probe) -> tuple[Endpoint, Asking]:
    """Raises ProbeError where the request is none of a protocol that is known."""
    terms = probe.terms
    assert isinstance(terms, ServingTerms), "its contract says what it asks"
    known = _KNOWN.get(terms.method.partition("/")[0])
    try:
        method = None if known is None else method_of([known()], terms.method)
        return endpoint, _GrpcAsks(probe, terms, method, _request(terms))
    except Unfit as error:
        raise ProbeError(f"{terms.method}: {error}") from None


def _request(terms: ServingTerms) -> object:
    if terms.inputs:
        return {
            "model_name": terms.model,
            "model_version": terms.version,
            "inputs": [_input(each) for each in terms.inputs],
        }
    if terms.method == HEALTH and not terms.request:
        return {"service": terms.service}
    return json.loads(terms.request or "{}")


def _input(tensor: Tensor) -> Mapping[str, object]:
    values = json.loads(tensor.data)
    if tensor.datatype is Datatype.BYTES:  # JSON of a message has bytes in base64
        values = [base64.b64encode(each.encode()).decode() for each in values]
    contents = {_CONTENTS[tensor.datatype]: values}
    found = {"name": tensor.name, "datatype": str(tensor.datatype), "shape": list(tensor.shape)}
    return {**found, "contents": contents}
