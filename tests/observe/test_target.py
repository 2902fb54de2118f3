"""Targets, expectations and stamps: what is made ready before a probe leaves."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.contract.probed import Endpoint, Expect, Probe, SecretRef
from keeptime.errors import ProbeError, SecretError
from keeptime.model.sample import Connection, Failure
from keeptime.observe.aiming import target_of
from keeptime.observe.expect import checks
from keeptime.observe.stamps import SO_TIMESTAMPNS, Bracket, stamp_of
from keeptime.observe.target import Target


def target(url: str, connection: Connection = Connection.FRESH, **endpoint: object) -> Target:
    return target_of(Endpoint(url, **endpoint), Probe(1.0, 1.0, connection))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "line", "host"),
    [
        ("http://model.example", "GET / HTTP/1.1", "model.example"),
        ("http://model.example:8000/a?b=c&d", "GET /a?b=c&d HTTP/1.1", "model.example:8000"),
        ("http://[::1]:81/", "GET / HTTP/1.1", "[::1]:81"),
        ("http://[fe80::1%25lo]/", "GET / HTTP/1.1", "[fe80::1]"),
        ("https://model.example:443/x", "GET /x HTTP/1.1", "model.example"),
        ("https://127.0.0.1?x", "GET /?x HTTP/1.1", "127.0.0.1"),
    ],
)
def test_the_request(url: str, line: str, host: str) -> None:
    lines = target(url).request.decode().split("\r\n")
    assert lines[0] == line
    assert f"Host: {host}" in lines
    assert lines[-2:] == ["", ""]
    assert "Connection: close" in lines


def test_what_a_contract_says_of_headers() -> None:
    made = target(
        "http://x/",
        Connection.REUSE,
        method="POST",
        body=b"{}",
        headers={"host": "other", "User-Agent": "me", "Connection": "upgrade", "content-length": "99", "X": "y"},
    )
    head, _, body = made.request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert body == b"{}"
    assert sorted(line.lower() for line in lines[1:]) == [
        "accept-encoding: identity",
        "accept: */*",
        "connection: keep-alive",
        "content-length: 2",
        "host: other",
        "traceparent: 00-00000000000000000000000000000000-0000000000000000-01",
        "user-agent: me",
        "x: y",
    ]


def test_addresses_are_told_from_names() -> None:
    for url, family in (("http://127.0.0.1/", socket.AF_INET), ("http://[::1]/", socket.AF_INET6)):
        literal = target(url).literal
        assert literal is not None
        assert literal[0] == family
    assert target("http://1.2.3.example/").literal is None
    with pytest.raises(ProbeError, match="no-such-if"):
        target("http://[fe80::1%25no-such-if]/")


def test_a_secret_is_read_anew_and_the_old_request_kept_if_it_is_gone() -> None:
    values = ["one", "two"]

    def secrets(ref: SecretRef) -> str:
        if not values:
            raise SecretError(f"{ref} is gone")
        return values.pop(0)

    made = target_of(Endpoint("http://x/", headers={"A": SecretRef("env", "A")}), Probe(1.0, 1.0), None, secrets)
    assert b"A: one\r\n" in made.request
    made.refresh()
    assert b"A: two\r\n" in made.request
    with pytest.raises(SecretError):
        made.refresh()
    assert b"A: two\r\n" in made.request
    assert made.redact("got two") == "got ***"
    assert "two" not in repr(made.checks)


def test_a_target_does_not_show_its_secret() -> None:
    endpoint = Endpoint("http://x/", headers={"A": SecretRef("env", "A")})
    assert "s3cret" not in repr(target_of(endpoint, Probe(1.0, 1.0), None, lambda ref: "s3cret"))


@pytest.mark.parametrize(
    ("expected", "body", "good"),
    [
        (1, b'{"a": 1.0}', True),
        (True, b'{"a": 1}', False),
        (1, b'{"a": true}', False),
        (None, b'{"a": null}', True),
        (..., b'{"a": null}', True),
        (..., b"{}", False),
        ([1, {"b": False}], b'{"a": [1, {"b": false}]}', True),
        ([1, {"b": False}], b'{"a": [1, {"b": 0}]}', False),
        ("x", b"", False),
        ("x", b"[" * 100_000, False),
        ("x", b"\xff\xfe", False),
        ("x", b"17", False),
    ],
)
def test_json_paths(expected: object, body: bytes, good: bool) -> None:
    wrong = checks(Expect(json=(("$.a", expected),))).wrong(200, body)
    assert (wrong is None) is good
    assert wrong is None or wrong[0] is Failure.EXPECTATION


@given(st.binary(max_size=300), st.integers(100, 999))
def test_no_answer_makes_the_checks_raise(body: bytes, status: int) -> None:
    made = checks(Expect(regex="a.c", json=(("$..x", 1), ("$[0]", ...)), status=((200, 299), (404, 404))))
    wrong = made.wrong(status, body)
    if not (200 <= status <= 299 or status == 404):
        assert wrong is not None
        assert wrong[0] is Failure.STATUS


@pytest.mark.parametrize("expect", [Expect(regex="("), Expect(json=(("$[", 1),))])
def test_expectations_that_cannot_be_read(expect: Expect) -> None:
    with pytest.raises(ProbeError, match="expect"):
        checks(expect)


def test_stamps_are_read_and_nothing_else() -> None:
    stamp = (5).to_bytes(8, "little") + (7).to_bytes(8, "little")
    assert stamp_of([(socket.SOL_SOCKET, SO_TIMESTAMPNS, stamp)]) == 5_000_000_007
    assert stamp_of([(socket.SOL_SOCKET, 29, stamp), (socket.IPPROTO_TCP, SO_TIMESTAMPNS, stamp)]) is None
    assert stamp_of([(socket.SOL_SOCKET, SO_TIMESTAMPNS, b"short")]) is None


def test_the_clocks_keep_their_distance() -> None:
    bracket = Bracket()
    before = bracket.offset
    bracket.refresh()
    assert abs(bracket.offset - before) < 100_000_000
    assert bracket.mono(bracket.wall(12345)) == 12345
