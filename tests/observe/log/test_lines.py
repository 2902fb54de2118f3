"""A line of each documented format is the request that it tells of, or is refused for its reason."""

import json

import pytest

from keeptime.model.sample import Failure
from keeptime.observe.log.parsing import parser
from keeptime.observe.log.requests import Requests

from .given import NOW, log_of, request, said, sample

SECOND = 10**9
NGINX = (
    '127.0.0.1 - - [18/Nov/2026:09:06:{second} +0100] "POST /predict?user=7 HTTP/1.1" {status} 15 "-" '
    '"curl/8 \\x22q\\x22 (x; y)" {took}'
)
AT = 1_794_989_200 * SECOND
"""2026-11-18 08:06:40 UTC."""

ENVOY = (
    '[2026-11-18T08:06:40.250Z] "POST /predict?a=1 HTTP/2" {status} {flags} 154 0 {took} 226 "10.0.35.28" "a (x)" '
    '"cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "models" "10.0.2.1:80"'
)


def nginx(status: object = 200, took: object = "0.123", second: int = 40) -> str:
    return NGINX.format(status=status, took=took, second=second)


def envoy(status: object = 200, flags: str = "-", took: object = 226) -> str:
    return ENVOY.format(status=status, flags=flags, took=took)


def test_nginx_by_its_name() -> None:
    found = sample("{path: a, format: nginx}", nginx(), AT + SECOND)
    assert (found.latency_ns, found.status, found.failure, found.observer) == (123_000_000, 200, None, "log")
    assert (found.done_ns, found.due_ns) == (AT, AT - 123_000_000)
    assert found.attributes == {"method": "POST", "path": "/predict"}


@pytest.mark.parametrize(
    ("given", "failure"),
    [
        (nginx(200), None),
        (nginx(404), None),
        (nginx(502), Failure.STATUS),
        (nginx(499), Failure.DISCONNECTED),
        (nginx("000"), Failure.PROTOCOL),
    ],
)
def test_what_failed_by_its_status(given: str, failure: Failure | None) -> None:
    assert sample("{path: a, format: nginx}", given, AT).failure is failure


def test_which_statuses_are_failures_is_the_contracts_choice() -> None:
    log = "{path: a, format: nginx, failed: [429, 5xx]}"
    assert sample(log, nginx(429), AT).failure is Failure.STATUS
    assert sample(log, nginx(404), AT).failure is None


@pytest.mark.parametrize(
    ("given", "took"),
    [
        ("0.100", 100),
        ("0.100, 0.200 : 0.300", 600),
        ("-, 0.250", 250),
        ("0.1, -", 100),
    ],
)
def test_several_upstreams_were_asked_one_after_another(given: str, took: int) -> None:
    template = "$upstream_addr $upstream_status $status [$upstream_response_time] $upstream_response_time $msec"
    log = f"{{path: a, format: '{template}', fields: {{latency: $upstream_response_time}}}}"
    line = f"10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80 502, 200 : 200 200 [{given}] {given} {NOW / 1e9:.3f}"
    found = sample(log, line)
    assert found.latency_ns == took * 10**6
    assert found.attributes["upstream"] == "10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80"


def test_a_request_that_reached_no_upstream_has_no_latency_of_one() -> None:
    log = "{path: a, format: '$status $upstream_response_time', fields: {latency: upstream_response_time}}"
    assert request(log, "200 -") == "bad_latency"
    assert sample(log, "502 -").failure is Failure.STATUS


@pytest.mark.parametrize(
    ("variable", "given"),
    [
        ("$msec", "1794989200.000"),
        ("$time_iso8601", "2026-11-18T09:06:40+01:00"),
        ("$time_local", "18/Nov/2026:09:06:40 +0100"),
    ],
)
def test_each_way_to_write_the_time(variable: str, given: str) -> None:
    log = f"{{path: a, format: '{variable} $status $request_time \"$uri\"'}}"
    assert sample(log, f'{given} 200 0.5 "/x"', AT).done_ns == AT


def test_a_line_without_a_time_is_of_now() -> None:
    assert sample("{path: a, format: '$status $request_time'}", "200 0.5").done_ns == NOW


def test_braces_and_own_variables_and_a_value_with_blanks() -> None:
    log = (
        "{path: a, format: '${status};$model_of_map $http_x_who ms=$request_time', "
        "attributes: {model_version: model_of_map, who: $http_x_who}}"
    )
    found = sample(log, "200;v2 a b c ms=0.25")
    assert found.attributes == {"model_version": "v2", "who": "a b c"}
    assert found.latency_ns == 250_000_000


def test_envoys_default() -> None:
    found = sample("{path: a, format: envoy}", envoy(), AT + SECOND)
    assert found.due_ns == AT + 250_000_000
    assert (found.latency_ns, found.status, found.failure) == (226_000_000, 200, None)
    assert found.attributes == {"method": "POST", "path": "/predict", "upstream": "10.0.2.1:80"}


@pytest.mark.parametrize(
    ("status", "flags", "failure"),
    [
        (0, "DC", Failure.DISCONNECTED),
        (504, "UT", Failure.TIMEOUT),
        (503, "UH", Failure.REFUSED),
        (503, "UF,URX", Failure.REFUSED),
        (200, "DC", Failure.DISCONNECTED),
        (503, "UO", Failure.STATUS),
        (429, "RL", None),
        (0, "-", Failure.PROTOCOL),
        (404, "NR", None),
    ],
)
def test_envoys_response_flags(status: int, flags: str, failure: Failure | None) -> None:
    found = sample("{path: a, format: envoy}", envoy(status, flags), AT + SECOND)
    assert found.failure is failure
    assert found.attributes.get("flags", "-") == flags


def test_a_format_string_of_envoy() -> None:
    template = "%START_TIME(%s.%3f)% %RESPONSE_CODE% %DURATION% %RESP(X-MODEL):20% 100%%"
    log = f"{{path: a, format: '{template}', attributes: {{model: '%RESP(X-MODEL)%'}}}}"
    found = sample(log, "1794989200.500 200 12 v3 100%", AT + SECOND)
    assert (found.due_ns, found.latency_ns) == (AT + SECOND // 2, 12_000_000)
    assert found.attributes == {"model": "v3"}


JSON = (
    "{path: a, format: json, fields: {latency: took, unit: ms, time: ts, status: http.code, path: url, flags: f}, "
    "attributes: {model: labels.model, hit: cache}}"
)


@pytest.mark.parametrize("time", [1_794_989_200, 1_794_989_200_000, "1794989200000000", "2026-11-18T08:06:40Z"])
def test_json_lines(time: object) -> None:
    line = {
        "took": 12.5,
        "ts": time,
        "http": {"code": 200},
        "url": "https://h/v1/users/123/items/6f9619ff-8b86-d011-b42d-00cf4fc964ff?q=1",
        "labels": {"model": "v2"},
        "cache": True,
    }
    found = sample(JSON, json.dumps(line), AT)
    assert (found.latency_ns, found.done_ns, found.status) == (12_500_000, AT, 200)
    assert found.attributes == {"path": "/v1/users/*/items/*", "model": "v2", "hit": "true"}


def test_tokens_of_a_gateway_that_logs_them() -> None:
    log = "{path: a, format: json, fields: {latency: total, unit: s, first_token: ttft, tokens: usage.out}}"
    line = {"status": 200, "total": 2.5, "ttft": 0.5, "usage": {"out": 101}}
    found = sample(log, json.dumps(line)).stream
    assert found is not None
    assert (found.first_token_ns, found.output_token_ns) == (500_000_000, 20_000_000.0)
    assert sample(log, json.dumps({**line, "ttft": None})).stream is None
    assert request(log, json.dumps({**line, "ttft": 3})) == "bad_latency"
    text = (
        "{path: a, format: '$status $request_time $upstream_header_time', "
        "fields: {first_token: upstream_header_time}}"
    )
    assert getattr(sample(text, "200 0.5 0.1").stream, "first_token_ns", None) == 100_000_000


def test_envoy_as_json() -> None:
    log = (
        "{path: a, format: json, fields: {latency: duration, unit: ms, status: response_code, time: start_time, "
        "time_of: start, method: method, path: path, flags: response_flags}}"
    )
    line = {"start_time": "2026-11-18T08:06:40.500Z", "method": "GET", "path": "/a?b", "duration": 250}
    gone = sample(log, json.dumps({**line, "response_code": 0, "response_flags": "DC"}), AT + SECOND)
    well = sample(log, json.dumps({**line, "response_code": 200, "response_flags": "-"}), AT + SECOND)
    assert (well.failure, well.due_ns, well.done_ns - well.due_ns) == (None, AT + SECOND // 2, 250_000_000)
    assert well.attributes == {"method": "GET", "path": "/a"}
    assert (gone.failure, gone.status) == (Failure.DISCONNECTED, None)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "malformed"),
        (b"[]", "malformed"),
        (b"{", "malformed"),
        (b"[" * 60_000, "malformed"),
        (b'{"took": 5}', "malformed-not"),
        (b'{"took": -5, "http.code": 200}', "bad_latency"),
        (b'{"took": "NaN", "http.code": 200}', "bad_latency"),
        (b'{"took": 1e300, "http.code": 200}', "bad_latency"),
        (b'{"http.code": 200}', "bad_latency"),
        (b'{"took": 5, "http.code": 99}', "bad_status"),
        (b'{"took": 5, "http.code": 200, "ts": "yesterday"}', "bad_time"),
        (b'{"took": 5, "http.code": 200, "ts": 1}', "late"),
        (b'{"took": 5, "http.code": 200, "ts": 1999999999}', "ahead"),
    ],
)
def test_a_line_that_is_none_says_why(line: bytes, reason: str) -> None:
    found = request(JSON, line)
    if reason == "malformed-not":
        assert getattr(found, "failure", None) is Failure.PROTOCOL  # no status: no answer
    else:
        assert found == reason


@pytest.mark.parametrize("line", ["", "nonsense", nginx() + " more", nginx("abc"), nginx(took="x"), "\x00" * 100])
def test_a_line_of_text_that_is_none(line: str) -> None:
    assert isinstance(request("{path: a, format: nginx}", line, AT), str)


def test_bytes_that_are_no_utf_8_are_kept_as_far_as_they_can_be() -> None:
    line = nginx().encode().replace(b"curl", b"\xff\xfe").replace(b"/predict", b"/pr\xe9dict")
    assert sample("{path: a, format: nginx}", line, AT).attributes["path"] == "/pr\ufffddict"
    found = sample(JSON, b'{"took": 1, "http.code": 200, "url": "/\xff"}')
    assert found.attributes["path"] == "/\ufffd"


def test_only_lines_that_match() -> None:
    log = "{path: a, format: nginx, match: {path: /predict, method: POST, status: '< 500'}}"
    assert sample(log, nginx(), AT).status == 200
    assert request(log, nginx(503), AT) == "unmatched"
    assert request(log, nginx().replace("/predict", "/health"), AT) == "unmatched"


def test_a_clock_that_is_ahead_a_little_is_now() -> None:
    assert sample("{path: a, format: nginx}", nginx(second=45), AT).done_ns == AT


def test_a_hostile_line_is_refused_in_the_time_its_length_takes() -> None:
    many = " ".join(["$http_a"] * 30)
    log = f"{{path: a, format: '{many} $status $request_time'}}"
    assert said(log, " ".join("x" * 2000) + " y") == "malformed"


def test_values_of_an_attribute_are_capped() -> None:
    one = log_of("{path: a, format: '$status $request_time \"$uri\"'}")
    requests, parse, paths = Requests("c", one), parser(one), []
    for number in range(150):
        found = requests.of(parse(f'200 0.1 "/p{number}x"'.encode()), NOW)  # type: ignore[arg-type]
        paths.append(found.attributes["path"])  # type: ignore[union-attr]
    assert (paths[99], paths[100], paths[149]) == ("/p99x", "other", "other")
