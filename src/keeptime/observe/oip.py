"""Probes of kind oip: inference by the Open Inference Protocol v2 over HTTP.

Guarantees: an answer is good only if it holds outputs and no error. Never raises on any answer.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote, urlsplit, urlunsplit

from keeptime.contract.probed import Endpoint, Probe
from keeptime.contract.probing.serving import ServingTerms
from keeptime.model.sample import Failure
from keeptime.observe.answer import Answer
from keeptime.observe.asked import Asked, Plain
from keeptime.observe.expect import Bad
from keeptime.observe.target import Asking, Target

LONGEST_SAID = 200
"""Characters of the server's own words about an error."""


class _OipAsks:
    """The same request each time; what comes back must be what the protocol calls an answer."""

    def ask(self, target: Target) -> Asked:
        def look(status: int, fields: Mapping[bytes, bytes], body: bytes) -> tuple[Bad | None, int | None]:
            wrong, tokens = target.look(status, fields, body)
            if wrong is not None:
                return (wrong[0], wrong[1] + _own_words(body)), None
            wrong = _wrong_answer(body)
            return (None, tokens) if wrong is None else (wrong, None)

        return Plain(target.request, Answer(target.method, target.max_body), look, target.attributes)

    def refusal(self, _now: int, _in_flight: int) -> str:
        return ""


def oip(endpoint: Endpoint, probe: Probe) -> tuple[Endpoint, Asking]:
    """POST …/v2/models/MODEL/infer below the endpoint's URL."""
    terms = probe.terms
    assert isinstance(terms, ServingTerms), "its contract says what it asks"
    parts = urlsplit(endpoint.url)
    version = f"/versions/{quote(terms.version, safe='')}" if terms.version else ""
    path = f"{parts.path.rstrip('/')}/v2/models/{quote(terms.model, safe='')}{version}/infer"
    headers = dict(endpoint.headers)
    if "content-type" not in map(str.lower, headers):
        headers["Content-Type"] = "application/json"
    inputs = [
        {
            "name": each.name,
            "shape": list(each.shape),
            "datatype": str(each.datatype),
            "data": json.loads(each.data),
        }
        for each in terms.inputs
    ]
    body = json.dumps({"inputs": inputs}, separators=(",", ":"), ensure_ascii=False).encode()
    url = urlunsplit(parts._replace(path=path))
    return replace(endpoint, url=url, method="POST", headers=headers, body=body), _OipAsks()


def _wrong_answer(body: bytes) -> Bad | None:
    answer = _object(body)
    if answer is None:
        return Failure.EXPECTATION, "the answer is no JSON object; expected one with outputs"
    if "error" in answer:
        return Failure.EXPECTATION, f"the answer holds an error{_own_words(body)}"
    outputs = answer.get("outputs")
    if not isinstance(outputs, list) or not outputs:
        return Failure.EXPECTATION, "the answer holds no outputs"
    for each in outputs:
        if not isinstance(each, dict) or "name" not in each or not ("data" in each or "parameters" in each):
            return Failure.EXPECTATION, "an output has no name or no data"
    return None


def _own_words(body: bytes) -> str:
    """What the server says of its error, "" where it says nothing."""
    said = (_object(body) or {}).get("error")
    return f": {said[:LONGEST_SAID]}" if isinstance(said, str) and said else ""


def _object(body: bytes) -> dict[str, object] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
