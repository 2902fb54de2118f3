"""Attributes of real answers: constants, headers, JSON paths; what is not there is absent."""

import json

from keeptime.contract.probed import Endpoint, Probe
from keeptime.model.sample import Failure
from keeptime.observe.attributes import declared
from keeptime.observe.once import probe_once
from tests.nobody import nobody_listening
from tests.observe.servers import answers, serving

ASKED = (
    ("region", "eu-west"),
    ("model_version", "header:X-Model-Version"),
    ("prompt_tokens", "json:$.usage.prompt_tokens"),
    ("streaming", "json:$.streaming"),
    ("absent", "header:X-Absent"),
    ("nowhere", "json:$.nowhere"),
    ("composed", "json:$.usage"),
)


def test_of_a_real_answer() -> None:
    body = json.dumps({"usage": {"prompt_tokens": 4096}, "streaming": True}).encode()
    head = f"HTTP/1.1 200 OK\r\nX-Model-Version: v2\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with serving(answers(head + body)) as port:
        found = probe_once(Endpoint(f"http://127.0.0.1:{port}/"), Probe(10.0, 5.0, attributes=ASKED), contract="c")
    assert found.attributes == {
        "region": "eu-west",
        "model_version": "v2",
        "prompt_tokens": "4096",
        "streaming": "true",
    }


def test_without_an_answer_constants_are_left_and_of_half_of_one_the_headers() -> None:
    probe = Probe(10.0, 0.5, attributes=ASKED)
    with nobody_listening() as port:
        found = probe_once(Endpoint(f"http://127.0.0.1:{port}/"), probe, contract="c")
    assert (found.failure, found.attributes) == (Failure.REFUSED, {"region": "eu-west"})
    half = b'HTTP/1.1 200 OK\r\nX-Model-Version: v2\r\nContent-Length: 99\r\n\r\n{"streaming": true}'
    with serving(answers(half)) as port:
        found = probe_once(Endpoint(f"http://127.0.0.1:{port}/"), probe, contract="c")
    assert found.failure is not None
    assert found.attributes == {"region": "eu-west", "model_version": "v2"}


def test_a_body_that_is_no_json_has_none_of_it() -> None:
    asked = declared(ASKED)
    for body in (b"", b"{", b"null", b"[" * 100_000, b"\xff"):
        assert asked.of({}, body) == {"region": "eu-west"}
    assert asked.of({b"x-model-version": b"v" * 999}, b"{}")["model_version"] == "v" * 200
