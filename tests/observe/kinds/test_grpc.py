"""Probes of kind grpc on real servers: health, methods that are learned, inference; and servers that misbehave."""

import json
import time
from pathlib import Path

import grpc
import pytest
from google.protobuf.message import Message

from keeptime.cli.main import main
from keeptime.model.sample import Failure
from tests.nobody import nobody_listening
from tests.observe.servers import Authority, answers, serving, silent

from .given import once, text
from .grpc_servers import (
    ANSWERS,
    DATA,
    GOAWAY,
    INFER,
    IS_SERVING,
    OK_TRAILERS,
    RST,
    SETTINGS,
    SHOP,
    frame,
    headers,
    saying,
    serving_grpc,
    v1,
)

BUY = "kind: grpc, method: shop.Shop/Buy, request: {item_name: tea, count: 2}"


def at(port: int, more: str = "") -> str:
    return f"{{url: 'http://127.0.0.1:{port}'{more}}}"


def test_health() -> None:
    with serving_grpc() as port:
        whole, part = once(at(port), "kind: grpc"), once(at(port), "kind: grpc, service: shop.Shop")
        unknown = once(at(port), "kind: grpc, service: shop.Nothing")
        stamped = any(once(at(port), "kind: grpc").stamped for _ in range(10))
    assert (whole.failure, whole.status, whole.attributes) == (None, 200, {"grpc_status": "OK"})
    assert stamped, "one may be unstamped: the kernel begins late, or a busy machine leaves a stamp in doubt"
    assert part.failure is None
    assert (unknown.failure, unknown.attributes) == (Failure.STATUS, {"grpc_status": "NOT_FOUND"})
    assert unknown.detail.startswith("NOT_FOUND")


def test_a_server_that_says_it_is_not_well() -> None:
    with serving_grpc(healthy=False) as port:
        found = once(at(port), "kind: grpc")
    assert (found.failure, found.detail) == (Failure.EXPECTATION, "its health is NOT_SERVING; expected SERVING")


def test_a_method_is_learned_and_called() -> None:
    probe = BUY + ", attributes: {item: 'json:$.item_name', region: eu}"
    with serving_grpc() as port:
        good = once(at(port, ", expect: {json: {$.count: 2, $.item_name: TEA}}"), probe)
        other = once(at(port, ", expect: {json: {$.count: 3}}"), probe)
    assert (good.failure, good.attributes) == (None, {"item": "TEA", "region": "eu", "grpc_status": "OK"})
    assert (other.failure, other.detail) == (Failure.EXPECTATION, "$.count: 2; expected 3")


def test_what_is_learned_first_is_no_part_of_the_latency() -> None:
    """The second connection carries the call alone, so the answer's delay is once in it."""

    def slow(asked: Message, _context: grpc.ServicerContext) -> Message:
        time.sleep(0.05)
        return SHOP["Goods"]()

    with serving_grpc(buy=slow) as port:
        found = once(at(port), BUY)
    assert found.latency_ns >= 50_000_000
    assert found.phases.wait >= 50_000_000  # SETTINGS are no part of the answer


@pytest.mark.parametrize(
    ("probe", "detail"),
    [
        (BUY.replace("shop.Shop", "shop.Nothing"), "reflection does not know shop.Nothing"),
        (BUY.replace("Buy", "Sell"), "shop.Shop has no method Sell"),
        (BUY.replace("Buy", "Watch"), "shop.Shop/Watch is no unary method; streams cannot be probed"),
        (BUY.replace("count: 2", "colour: red"), "the request is no shop.Wish: "),
    ],
)
def test_what_cannot_be_asked_says_why(probe: str, detail: str) -> None:
    with serving_grpc() as port:
        found = once(at(port), probe)
    assert (found.failure, found.detail[: len(detail)]) == (Failure.PROTOCOL, detail)


def test_a_server_without_reflection() -> None:
    with serving_grpc(reflecting=False) as port:
        found = once(at(port), BUY)
    assert found.failure is Failure.PROTOCOL
    assert found.detail == "the server has no reflection, which alone tells what shop.Shop is"


def test_reflection_v1_that_gives_one_file_at_a_time() -> None:
    with serving_grpc(reflecting=False, more=[v1()]) as port:
        good = once(at(port, ", expect: {json: {$.item_name: TEA}}"), BUY)
    with serving_grpc(reflecting=False, more=[v1(lost=frozenset({"shop/words.proto"}))]) as port:
        lost = once(at(port), BUY)
    assert good.failure is None
    assert (lost.failure, lost.detail) == (
        Failure.PROTOCOL,
        "reflection does not know shop.Shop: shop/words.proto is not here",
    )


def test_a_status_that_is_not_ok_has_its_name_and_the_servers_words() -> None:
    def refuses(_asked: Message, context: grpc.ServicerContext) -> Message:
        context.abort(grpc.StatusCode.UNAVAILABLE, "no GPU: 100 %")
        raise AssertionError

    with serving_grpc(buy=refuses) as port:
        found = once(at(port), BUY)
    assert (found.failure, found.detail) == (Failure.STATUS, "UNAVAILABLE: no GPU: 100 %")
    assert found.attributes == {"grpc_status": "UNAVAILABLE"}


def test_the_server_knows_the_deadline_and_metadata() -> None:
    seen: list[object] = []

    def notes(_asked: Message, context: grpc.ServicerContext) -> Message:
        seen.append((context.time_remaining(), dict(context.invocation_metadata()).get("x-caller")))
        return SHOP["Goods"]()

    with serving_grpc(buy=notes) as port:
        assert once(at(port, ", headers: {X-Caller: keeptime, Keep-Alive: never}"), BUY, "3s").failure is None
    ((left, caller),) = seen  # type: ignore[misc]
    assert 0 < left <= 3  # type: ignore[has-type]
    assert caller == "keeptime"  # type: ignore[has-type]


def test_a_server_that_hangs_is_a_timeout() -> None:
    with serving(silent) as port:
        assert once(at(port), "kind: grpc", "500ms").failure is Failure.TIMEOUT
    with serving(silent) as port:
        assert once(at(port), BUY, "500ms").failure is Failure.TIMEOUT
    with nobody_listening() as port:
        assert once(at(port), BUY).failure is Failure.REFUSED


def test_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("model")
    credentials = grpc.ssl_server_credentials([(Path(pair.key).read_bytes(), Path(pair.cert).read_bytes())])
    with serving_grpc(credentials=credentials) as port:
        found = once(f"{{url: 'https://localhost:{port}', tls: {{ca: {authority.file}}}}}", BUY)
    assert found.failure is None
    assert found.phases.tls > 0


def test_large_messages_both_ways() -> None:
    """Larger than any window, so that each side has to make room for the other."""
    item = "x" * 400_000
    with serving_grpc(options=[("grpc.max_receive_message_length", -1)]) as port:
        found = once(at(port), BUY.replace("tea", item))
        capped = once(at(port, ", expect: {max_body: 64KiB}"), BUY.replace("tea", item))
    assert found.failure is None
    assert found.size > 400_000
    assert capped.failure is Failure.TOO_LARGE


def test_compressed_answers() -> None:
    with serving_grpc(compression=grpc.Compression.Gzip) as port:
        found = once(
            at(port, ", expect: {json: {$.item_name: '" + "A" * 5000 + "'}}"), BUY.replace("tea", "a" * 5000)
        )
    assert found.failure is None


def infers(asked: Message, _context: grpc.ServicerContext) -> Message:
    (given,) = asked.inputs  # type: ignore[attr-defined]
    if asked.model_name == "empty":  # type: ignore[attr-defined]
        return INFER["ModelInferResponse"]()
    contents = given.contents
    values = [
        *contents.fp32_contents,
        *contents.int_contents,
        *contents.bool_contents,
        *map(len, contents.bytes_contents),
    ]
    output = {"name": "sum", "datatype": "FP32", "shape": [1], "contents": {"fp32_contents": [sum(values)]}}
    return INFER["ModelInferResponse"](model_name=asked.model_name, outputs=[output])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("given", "total"),
    [
        ("datatype: FP32, data: [1.5, 2]", 3.5),
        ("datatype: INT8, data: [-1, 3]", 2.0),
        ("datatype: BOOL, data: [true, true]", 2.0),
        ("datatype: BYTES, data: [tea, é]", 5.0),
    ],
)
def test_inference_needs_no_reflection(given: str, total: float) -> None:
    probe = f"kind: grpc, model: m, inputs: [{{name: x, shape: [2], {given}}}]"
    path = "$.outputs[0].contents.fp32_contents[0]"
    with serving_grpc(infer=infers, reflecting=False) as port:
        found = once(at(port, f", expect: {{json: {{'{path}': {total}}}}}"), probe)
        empty = once(at(port), probe.replace("model: m", "model: empty"))
    assert (found.failure, found.detail) == (None, "")
    assert (empty.failure, empty.detail) == (Failure.EXPECTATION, "the answer holds no outputs")


def test_whether_a_model_is_ready_needs_no_reflection_either() -> None:
    probe = "kind: grpc, method: inference.GRPCInferenceService/ModelReady, request: {name: m}"
    with serving_grpc(infer=infers, reflecting=False) as port:
        well = once(at(port, ", expect: {json: {$.ready: true}}"), probe)
        other = once(at(port, ", expect: {json: {$.ready: true}}"), probe.replace("name: m", "name: n"))
    assert well.failure is None
    assert (other.failure, other.detail) == (Failure.EXPECTATION, "$.ready: False; expected True")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "c.yaml"
    with serving_grpc(healthy=False) as port:
        file.write_text(text(at(port), "kind: grpc"))
        assert main(["probe", "--json", str(file)]) == 1
        found = json.loads(capsys.readouterr().out)
        assert main(["probe", str(file)]) == 1
    assert (found["success"], found["status"], found["failure"]) == (False, 200, "expectation")
    shown = capsys.readouterr().out
    assert shown.startswith(f"c: grpc.health.v1.Health/Check at http://127.0.0.1:{port}\n")
    assert "its health is NOT_SERVING" in shown


def number(value: int) -> bytes:
    return value.to_bytes(4, "big")


GOOD = [SETTINGS, ANSWERS, frame(DATA, 0, 1, IS_SERVING), OK_TRAILERS]


@pytest.mark.parametrize(
    ("frames", "failure", "detail"),
    [
        (GOOD, None, ""),
        ([SETTINGS, frame(GOAWAY, 0, 0, number(0x7FFFFFFF) + number(0)), *GOOD[1:]], None, ""),
        ([SETTINGS, frame(GOAWAY, 0, 0, number(0) + number(0))], Failure.PROTOCOL, "the server went away before"),
        ([SETTINGS, frame(GOAWAY, 0, 0, number(1) + number(11))], Failure.PROTOCOL, "the server went away before"),
        ([SETTINGS, frame(RST, 0, 1, number(7))], Failure.PROTOCOL, "the call was reset: REFUSED_STREAM"),
        ([SETTINGS, frame(RST, 0, 1, number(999))], Failure.PROTOCOL, "the call was reset: error 999"),
        (
            [SETTINGS, headers(5, (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "14"))],
            Failure.STATUS,
            "UNAVAILABLE",
        ),
        (
            [SETTINGS, headers(5, (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "77"))],
            Failure.STATUS,
            "CODE_77",
        ),
        ([SETTINGS, headers(5, (":status", "503"))], Failure.STATUS, "HTTP status 503"),
        (
            [SETTINGS, headers(5, (":status", "200"), ("content-type", "text/html"))],
            Failure.PROTOCOL,
            "the content type",
        ),
        (
            [SETTINGS, ANSWERS, frame(DATA, 1, 1, IS_SERVING)],
            Failure.PROTOCOL,
            "the answer ends without a grpc-status",
        ),
        ([SETTINGS, ANSWERS, OK_TRAILERS], Failure.PROTOCOL, "0 messages; expected one"),
        ([*GOOD[:3], frame(DATA, 0, 1, IS_SERVING), OK_TRAILERS], Failure.PROTOCOL, "2 messages; expected one"),
        (
            [*GOOD[:2], frame(DATA, 0, 1, IS_SERVING[:6]), OK_TRAILERS],
            Failure.PROTOCOL,
            "0 messages, the last one cut",
        ),
        (
            [*GOOD[:2], frame(DATA, 0, 1, b"\2" + IS_SERVING[1:])],
            Failure.PROTOCOL,
            "a message begins with the byte 2",
        ),
        ([*GOOD[:2], frame(DATA, 0, 1, b"\1" + IS_SERVING[1:])], Failure.PROTOCOL, "a message is compressed by"),
        ([*GOOD[:2], frame(DATA, 0, 1, b"\0\x7f\0\0\0")], Failure.TOO_LARGE, "the message has"),
        (
            [*GOOD[:2], frame(DATA, 0, 1, b"\0\0\0\0\x02\x08\xff"), OK_TRAILERS],
            Failure.PROTOCOL,
            "the answer is no grpc",
        ),
        ([SETTINGS, frame(DATA, 0, 1, IS_SERVING)], Failure.PROTOCOL, "no HTTP/2 as it should be"),
        ([b"\0\0\0\xff\xff\xff\xff\xff\xff" * 3, b"\xff" * 50], Failure.PROTOCOL, "a frame of"),
    ],
)
def test_servers_that_misbehave(frames: list[bytes], failure: Failure | None, detail: str) -> None:
    with serving(saying(*frames)) as port:
        found = once(at(port), "kind: grpc", "10s")
    assert (found.failure, found.detail[: len(detail)]) == (failure, detail)


def test_a_server_of_http_1_1() -> None:
    with serving(answers(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")) as port:
        found = once(at(port), "kind: grpc")
    assert (found.failure, found.detail) == (
        Failure.PROTOCOL,
        "it speaks HTTP/1.1; expected HTTP/2, which gRPC needs",
    )
