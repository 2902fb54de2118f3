"""Whatever bytes a log holds, and however they come, each line is a request or a reason."""

from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.model.sample import Sample
from keeptime.observe.log.parsing import parser
from keeptime.observe.log.requests import Requests
from keeptime.observe.log.splitting import LONGEST, Lines

from .given import NOW, log_of

LOGS = [
    log_of("{path: a, format: nginx}"),
    log_of("{path: a, format: envoy}"),
    log_of("{path: a, format: json, fields: {latency: t, unit: s, time: at, path: p, flags: f}}"),
    log_of("{path: a, format: '$upstream_response_time $upstream_addr $status $http_a $request_time $uri'}"),
]
READERS = [(parser(each), Requests("c", each)) for each in LOGS]
NEAR = st.text(alphabet='0123456789.-:/ ,"[]{}tpafNES+T', max_size=120).map(str.encode)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | NEAR)
def test_any_line_is_a_request_or_a_reason(line: bytes) -> None:
    for parse, requests in READERS:
        said = parse(line)
        found = said if isinstance(said, str) else requests.of(said, NOW)
        assert isinstance(found, str) or (isinstance(found, Sample) and found.done_ns <= NOW)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=30), max_size=8))
def test_any_split_gives_the_same_lines(pieces: list[bytes]) -> None:
    lines, data = Lines(), b"".join(pieces)
    found = [line for each in pieces for line in lines.feed(each)]
    assert found == data.split(b"\n")[:-1]
    assert lines.partial == (not data.endswith(b"\n") and data != b"")


def test_what_is_kept_of_a_line_without_an_end_is_bounded() -> None:
    lines = Lines()
    for _ in range(50):
        assert lines.feed(b"x" * LONGEST) == []
    assert (lines.cut, lines.partial) == (1, False)
    assert lines.feed(b"x\nnext\n") == [b"next"]
