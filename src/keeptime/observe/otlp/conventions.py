"""What OpenTelemetry's semantic conventions say of requests: which histogram is which signal, what is a failure.

Guarantees: data, and what reads it; pure. Of histograms that count the same requests one is taken.
Sources: semantic-conventions, docs/http/http-metrics.md, docs/rpc/rpc-metrics.md, docs/gen-ai/gen-ai-metrics.md;
docs/rpc/grpc.md for which codes are the server's fault.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from keeptime.contract.eligibility import fits
from keeptime.contract.scope import Where
from keeptime.model.key import Signal
from keeptime.model.sample import Failure


@dataclass(frozen=True, slots=True)
class Usual:
    """What a histogram tells of by its name. `unless`: histograms of the same requests that are better."""

    signal: Signal
    unit: str
    unless: tuple[str, ...] = ()


_GEN_AI = "gen_ai.server.request.duration"
USUAL: Mapping[str, Usual] = {
    _GEN_AI: Usual(Signal.REQUESTS, "s"),
    "http.server.request.duration": Usual(Signal.REQUESTS, "s", (_GEN_AI,)),
    "http.server.duration": Usual(Signal.REQUESTS, "ms", ("http.server.request.duration", _GEN_AI)),
    "rpc.server.call.duration": Usual(Signal.REQUESTS, "s", (_GEN_AI,)),
    "rpc.server.duration": Usual(Signal.REQUESTS, "ms", ("rpc.server.call.duration", _GEN_AI)),
    "gen_ai.server.time_to_first_token": Usual(Signal.FIRST_TOKEN, "s"),
    "gen_ai.server.time_per_output_token": Usual(Signal.OUTPUT_TOKEN, "s"),
}
"""A client's histograms count other services' requests, so none is taken unless the contract names it."""

UNITS: Mapping[str, float] = {"s": 1.0, "ms": 1e3, "us": 1e6, "µs": 1e6, "ns": 1e9}
"""How many of them are a second."""

_STATUS = ("http_response_status_code", "http_status_code")
_GRPC = ("rpc_grpc_status_code", "rpc_response_status_code")
_DEADLINE = ("4", "DEADLINE_EXCEEDED")
_GRPC_FAILED = frozenset(
    ("2", "12", "13", "14", "15", "UNKNOWN", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", *_DEADLINE)
)


def status_of(attributes: Mapping[str, str]) -> int | None:
    """The answer's status of HTTP, where there is one."""
    for name in _STATUS:
        text = attributes.get(name, "")
        if len(text) == 3 and text.isascii() and text.isdigit():
            return int(text)
    return None


def failure_of(attributes: Mapping[str, str], status: int | None, failed: Where = ()) -> Failure | None:
    """How a request failed that is known by these attributes; None where it did not.

    A 4xx is an answer, so an `error.type` that says no more than that is none.
    """
    code = next((attributes[name] for name in _GRPC if name in attributes), "")
    kind = attributes.get("error_type", "")
    if code in _DEADLINE or "timeout" in kind.lower():
        return Failure.TIMEOUT
    answered = kind == str(status) and status is not None and status < 500
    if (status is not None and status >= 500) or code in _GRPC_FAILED or (kind and not answered):
        return Failure.STATUS
    return Failure.STATUS if failed and fits(failed, attributes) else None
