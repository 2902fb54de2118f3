"""Bounds on phases and rates of tokens: decided exactly, and measured on a real server that says what it gave."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from keeptime.contract.limits import Bound
from keeptime.contract.probed import Endpoint, Probe
from keeptime.contract.terms import Objective, Policy, PolicyKind, Rolling
from keeptime.model.key import Signal
from keeptime.model.sample import Failure, Phases
from keeptime.observe.deciding import attributes_of, deciding
from keeptime.observe.once import probe_once

from .given import contract, sample

MS = 1_000_000
BASE = Objective("o", Fraction(99, 100), None, Rolling(3600.0), Policy(PolicyKind.BUCKETS))


def good(objective: Objective, **fields: object) -> object:
    one = replace(sample(0, 1000 * MS), **fields)
    return deciding(contract("http://127.0.0.1/", objectives=(objective,)), objective).decide(
        one, attributes_of(one)
    )


def test_every_bound_must_hold() -> None:
    both = replace(BASE, under=2.0, bounds=(Bound("wait", 0.5), Bound("connect", 0.1)))
    quick = Phases(connect=100 * MS, wait=500 * MS, transfer=400 * MS)
    assert good(both, phases=quick) is True
    assert good(both, phases=replace(quick, wait=500 * MS + 1)) is False
    assert good(both, phases=replace(quick, connect=100 * MS + 1)) is False
    assert good(replace(both, under=0.9), phases=quick) is False
    assert good(both, phases=quick, failure=Failure.STATUS) is False


def test_a_rate_is_compared_exactly() -> None:
    """30 tokens in exactly a second are 30 a second; a nanosecond more is less."""
    rate = replace(BASE, of=Signal.TOKEN_RATE, at_least=Fraction(30))
    assert good(rate, tokens=30) is True
    assert good(rate, tokens=30, done_ns=1000 * MS + 1) is False
    assert good(rate, tokens=29) is False
    assert good(rate, tokens=0) is False
    assert good(rate, tokens=None) is False
    assert good(replace(rate, under=0.5), tokens=3000) is False


class Answer(BaseHTTPRequestHandler):
    body = b""

    def do_GET(self) -> None:
        time.sleep(0.05)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(body: object) -> Iterator[str]:
    answer = type("Given", (Answer,), {"body": json.dumps(body).encode()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_tokens_are_read_from_a_real_answer() -> None:
    with serving({"usage": {"completion_tokens": 12}}) as url:
        endpoint = Endpoint(url, tokens="json:$.usage.completion_tokens")
        found = probe_once(endpoint, Probe(1.0, 5.0), contract="c")
    assert (found.failure, found.tokens) == (None, 12)
    rate = replace(BASE, of=Signal.TOKEN_RATE, at_least=Fraction(12 * 20))  # it slept for a twentieth of a second
    slow = replace(rate, at_least=Fraction(1, 10))
    whole = contract(url, objectives=(rate, slow))
    assert deciding(whole, rate).decide(found, {}) is False
    assert deciding(whole, slow).decide(found, {}) is True


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"usage": {}}, "no tokens at"),
        ({"usage": {"completion_tokens": "many"}}, "'many' tokens at"),
        ([], "no tokens"),
    ],
)
def test_an_answer_that_does_not_say_is_a_failure(body: object, said: str) -> None:
    with serving(body) as url:
        endpoint = Endpoint(url, tokens="json:$.usage.completion_tokens")
        found = probe_once(endpoint, Probe(1.0, 5.0), contract="c")
    assert (found.failure, found.tokens) == (Failure.EXPECTATION, None)
    assert said in found.detail


def test_without_asking_nothing_is_read() -> None:
    with serving({"usage": {"completion_tokens": 12}}) as url:
        assert probe_once(Endpoint(url), Probe(1.0, 5.0), contract="c").tokens is None
