"""Everything that reads what keeptime did not write, as functions of bytes that raise nothing on any bytes.

What a parser may raise, and what its result must be, is said here. The quick tests and the soak run the same ones.
"""

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from keeptime.cli.ledger_sources import exported
from keeptime.clock import SystemClock
from keeptime.consumer.inbox import Inbox
from keeptime.consumer.signing import key_of
from keeptime.consumer.verify import Verifier
from keeptime.contract.importing.found import Settings
from keeptime.contract.importing.reading import import_files
from keeptime.contract.importing.sums import Unsayable, read, read_ratio
from keeptime.contract.load import load_text
from keeptime.contract.presets.matchers import Matchers
from keeptime.contract.presets.preset import Kind, Metric
from keeptime.contract.promql import is_selector, wrong_matchers, wrong_vector
from keeptime.contract.traffic.otlp import Otlp as OtlpTerms
from keeptime.contract.traffic.otlp import Take
from keeptime.errors import DeliveryError, KeeptimeError, MessageRefused, SecretError, SourceError
from keeptime.model.key import Signal
from keeptime.model.ledger import LedgerHead
from keeptime.model.reach import OWN, Reach, host_refusal
from keeptime.observe.answer import Answer, Broken, TooLarge
from keeptime.observe.attributes import declared
from keeptime.observe.count import Counter
from keeptime.observe.intake.line import Line
from keeptime.observe.intake.push import Posted, Pushes
from keeptime.observe.intake.refusing import IntakeRefused
from keeptime.observe.otlp.receive import Otlps
from keeptime.observe.scrape.growing import Asked, Growing
from keeptime.observe.scrape.protobuf import ProtobufPages
from keeptime.observe.scrape.text import TextPages
from keeptime.observe.series import api
from keeptime.redaction import Redactor
from keeptime.store.chain import verified
from keeptime.tell.receivers.alertmanager import known_of
from keeptime.tell.receivers.http import place_of, retry_after
from keeptime.units import parse_duration, parse_percent, parse_rate, parse_size
from tests.consumer.given import NOW, SECRET, signed
from tests.contract.given import BASE
from tests.fuzz.posting import posted
from tests.fuzz.streaming import WORDS as OF_STREAMS
from tests.fuzz.streaming import streamed
from tests.observe.intake.given import contract as taking

Target = Callable[[bytes], None]
_FILE = Path(tempfile.mkdtemp(prefix="keeptime-fuzz-")) / "given"


def contract(data: bytes) -> None:
    """The loader: contracts or problems, each with a place, and no traceback."""
    result = load_text(data, "contract.yaml")
    assert result.contracts or result.problems
    assert all(problem.line >= 1 and "\n" not in str(problem) for problem in result.problems)


def _within(line: str) -> Callable[[str], None]:
    """One text put into a contract at {}, as YAML has it."""
    assert "{}" in line

    def put(text: str) -> None:
        quoted = json.dumps("".join(c for c in text if c.isprintable()))
        contract((BASE + line.replace("{}", quoted) + "\n").encode("utf-8", "replace"))

    return put


_TELL = _within("consumers: [{name: c, tell: [{}]}]")
_REPEAT = _within("maintenance: [{start: 2026-11-01T02:00, lasts: 2h, repeat: {}, reason: r, author: a}]")
_ALLOW = _within("addresses: {allow: [{}]}")
_PROMISE = _within("objectives: [{}]")


def receivers(data: bytes) -> None:
    """The short forms of receivers."""
    _TELL(_text(data))


def recurrence(data: bytes) -> None:
    _REPEAT(_text(data))


def networks(data: bytes) -> None:
    _ALLOW(_text(data))


def promises(data: bytes) -> None:
    """Objectives as sentences."""
    _PROMISE(_text(data))


def figures(data: bytes) -> None:
    """Durations, percentages, sizes and rates."""
    for parse in (parse_duration, parse_percent, parse_size, parse_rate):
        with suppress(ValueError):
            assert parse(_text(data)) is not None  # type: ignore[operator]


def promql(data: bytes) -> None:
    text = _text(data)
    wrong_matchers(text)
    assert wrong_vector(text) or is_selector(text) in (True, False)
    for understand in (read, read_ratio):
        with suppress(Unsayable):
            understand(text)


def imported(data: bytes) -> None:
    """OpenSLO, Sloth and Pyrra: whatever is written loads again."""
    _FILE.write_bytes(data)
    for kind in ("openslo", "sloth", "pyrra"):
        found = import_files(kind, [str(_FILE)], Settings(), "contracts.yaml")
        assert found.names or found.problems
        assert not found.names or load_text(found.text.encode(), "contracts.yaml").valid


def webhook(data: bytes) -> None:
    """The verifier: a body that is genuine and odd; a body and headers that are neither."""
    inbox = Inbox(Verifier([SECRET]), lambda _: None)
    name = "0b0c9a8e-6f7d-5a4b-9c3d-2e1f0a9b8c7d"
    with suppress(UnicodeDecodeError):
        data.decode()
        inbox.take(signed(data, name), data, NOW)
    head, _, body = data.partition(b"\n")
    fields = head.decode("latin-1").split("|")
    names = ("webhook-id", "webhook-timestamp", "webhook-signature", "Webhook-Signature")
    forged = dict(zip(names, fields, strict=False))
    with suppress(MessageRefused):
        Verifier([SECRET]).verify(forged, body, NOW)
        raise AssertionError("nobody knows the secret")
    with suppress(SecretError):
        key_of(_text(data))


def answer(data: bytes) -> None:
    """An endpoint's answer: the same in one piece and byte by byte, and never more than is allowed."""
    for method in ("GET", "HEAD"):
        assert _answered(method, [data]) == _answered(method, [data[n : n + 1] for n in range(len(data))])


def _answered(method: str, pieces: list[bytes]) -> object:
    found = Answer(method, 1000)
    try:
        for piece in pieces:
            if found.feed(piece):
                break
        else:
            found.end()
    except (Broken, TooLarge) as error:
        return type(error)
    assert len(found.body) <= 1000
    return found.status, found.body


_DECLARED = declared((("a", "header:x-a"), ("b", "json:$.a.b"), ("c", "json:$..c"), ("d", "json:$[?@.x == 1].y")))


def attributes(data: bytes) -> None:
    """What is known of an answer."""
    found = _DECLARED.of({b"x-a": data}, data)
    assert all(isinstance(value, str) and len(value) <= 200 for value in found.values())


def series(data: bytes) -> None:
    """A Prometheus' answer."""
    with suppress(SourceError):
        for line in api.read(200, data, "up"):
            assert hash(line.labels) is not None


_WANTED = {"took": Kind.HISTOGRAM, "asked_total": Kind.COUNTER, "said": Kind.SUMMARY}
_SCRAPED = Asked(
    "c",
    "scrape",
    (Metric(Signal.REQUESTS, Kind.HISTOGRAM, ("took",)), Metric(Signal.FIRST_TOKEN, Kind.SUMMARY, ("said",))),
    {"model": "a"},
    Matchers(),
)


def scraped(data: bytes) -> None:
    """A server's metrics, twice: what came between the two is counted, or refused."""
    first, _, second = data.partition(b"\x01")
    text, growing = TextPages(_WANTED), Growing(_SCRAPED)
    for at, body in enumerate((first, second, data, second + b"\n# EOF\n"), 1):
        for read_page in (partial(text.read, openmetrics=at == 4), ProtobufPages(_WANTED).read):
            with suppress(SourceError):
                grown = growing.advance(read_page(body), at * 10**10, {Signal.REQUESTS: (0.5,)})
                for batch in grown.batches:
                    assert sum(batch.sides(500_000_000)) + batch.failed == batch.count


_TAKING = [
    replace(taking(), name="c"),
    replace(taking(OtlpTerms("otlp")), name="metrics"),
    replace(taking(OtlpTerms("otlp", take=Take.TRACES)), name="traces"),
]
_COUNTER = Counter(_TAKING, 10.0, start_ns=0)
_PUSHES = Pushes(_TAKING, _COUNTER, Line(), SystemClock(), 10.0)
_OTLPS = Otlps(_TAKING, _COUNTER, Line(), SystemClock(), 10.0)


def pushed(data: bytes) -> None:
    """Requests, or totals, that a program posts: each is counted, or refused with a sentence."""
    for lines in (False, True):
        with suppress(IntakeRefused):
            taken = _PUSHES._take(Posted("c", data, lines))
            assert all(why for _, why in taken.first)
            assert taken.refused >= len(taken.first)


def exports(data: bytes) -> None:
    """OTLP, as protobuf and as JSON."""
    for take in (_OTLPS._metrics, _OTLPS._traces):
        for as_json in (False, True):
            with suppress(IntakeRefused):
                said = take(data, as_json)
                assert bool(said.message) or not said.rejected
    assert _OTLPS.kept("traces") is not None


def alerts(data: bytes) -> None:
    """What an Alertmanager lists."""
    with suppress(DeliveryError):
        for alert in known_of(data):
            assert alert["startsAt"]


def retry(data: bytes) -> None:
    seconds = retry_after({"Retry-After": data.decode("latin-1")}, NOW)
    assert seconds is None or seconds >= 0


def addresses(data: bytes) -> None:
    """URLs and hosts, and what they stand for."""
    text = _text(data)
    host, _, address = text.partition(" ")
    host_refusal(host)
    for reach in (Reach(), OWN):
        reach.refusal(host, address)
    with suppress(Exception):  # InvalidURL, ValueError and DeliveryError are a sentence each to `Poster`
        place = place_of(f"http://{host}/", Reach())
        assert place.raw_host
        assert host_refusal(place.raw_host) == ""


def redaction(data: bytes) -> None:
    """Any text is a secret, and a text that holds it."""
    text = _text(data)
    known = Redactor()
    known.remember(text)
    assert len(text.strip()) < 3 or text.strip() not in known.redact(f"<{text}>") or text.strip() in "<***>"


def ledger(data: bytes) -> None:
    """A ledger that somebody exported, and an anchor."""
    _FILE.write_bytes(data)
    with suppress(KeeptimeError):
        assert verified(exported(_FILE)).rows >= 0
    with suppress(ValueError):
        assert str(LedgerHead.read(_text(data)))


def asked(data: bytes) -> None:
    """What is posted to the API, and the headers that come with it."""
    asyncio.run(posted(data))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


TARGETS: Mapping[str, Target] = {
    each.__name__: each
    for each in (
        *(contract, receivers, recurrence, networks, promises, figures, promql, imported),
        *(webhook, answer, attributes, series, alerts, retry, addresses, redaction, ledger, asked, scraped),
        *(pushed, exports, streamed),
    )
}


def words(name: str) -> Iterator[bytes]:
    """Bits that get past a target's door."""
    yield from WORDS.get(name, ())
    yield from COMMON


COMMON = (
    b"",
    b"0",
    b"-1",
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"\n",
    b" ",
    b"\\",
    b"\x00",
    b"\xff",
    b"\xe2\x80\xa8",
)
_JSON = (b'{"', b'":', b"null", b"true", b"1e999", b"9" * 400, b"[" * 2000, b'"\\ud800"', b"NaN")
WORDS: Mapping[str, tuple[bytes, ...]] = {
    "streamed": (*OF_STREAMS, *_JSON),
    "contract": (
        b"&a ",
        b"*a",
        b"!!python/object:os.system ",
        b"<<: ",
        b"? ",
        b"| ",
        b"---\n",
        b"contract: x\n",
        b"- ",
    ),
    "scraped": (
        b'took_bucket{a="',
        b'",le="+Inf"} ',
        b'took_bucket{le="0.5"} 3\n',
        b'took_bucket{le="+Inf"} 7\n',
        b'took_bucket{le="1"} NaN\n',
        b"took_created 1e9\n",
        b"# TYPE took ",
        b"process_start_time_seconds 5\n",
        b"\x0a\x04took\x18\x04\x22",
        b"\x3a\x0c\x08\x05\x62\x04\x08\x02\x10\x01\x6a\x01\x04",
        b"\x01",
    ),
    "pushed": (
        b'{"latency_seconds": ',
        b'"at": ',
        b'"gaps": [[',
        b'{"instance": "a", "series": [{',
        b'"count": 3',
        *_JSON,
    ),
    "exports": (
        b'{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{',
        b'"name": "http.server.request.duration", "histogram": {"aggregationTemporality": 1, "dataPoints": [{',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "',
        b"\x0a\x10\x12\x0e\x12\x0c\x0a\x0a",
        b"http.server.request.duration",
        *_JSON,
    ),
    "receivers": (
        b"webhook:",
        b"email:",
        b"a@b.c via h:25",
        b"slack:env:X",
        b"http://",
        b"[::1]",
        b"@",
        b"127.1",
        b"log:",
    ),
    "recurrence": (b"FREQ=WEEKLY", b";", b"BYDAY=SU", b"BYMONTHDAY=31", b"COUNT=9999999", b"UNTIL=", b"INTERVAL=0"),
    "networks": (b"10.0.0.0/8", b"/", b"fd00::/8", b"private", b"::ffff:0:0/96", b"/33"),
    "promises": (b"99%", b" of requests under ", b"500ms", b" over ", b"28d", b"calendar month", b" succeed"),
    "figures": (b"1h", b"500ms", b"99.9%", b"1MiB", b"30/s", b".", b"9" * 400, b"\xd9\xa3"),
    "promql": (
        b"sum(",
        b"rate(",
        b"[5m]",
        b")",
        b'{job="a"}',
        b"/",
        b"histogram_quantile(",
        b"(" * 500,
        b" or vector(0)",
    ),
    "imported": (
        b"apiVersion: openslo/v1\n",
        b"kind: SLO\n",
        b"version: prometheus/v1\n",
        b"spec:\n  ",
        b"slos:\n  - ",
    ),
    "webhook": (*_JSON, b"|", b"v1,", b"v1a,", b"whsec_", b"1800000000", b'{"type":"keeptime.', b'"objective":{'),
    "answer": (
        b"HTTP/1.1 200 OK\r\n",
        b"\r\n",
        b"content-length: ",
        b"transfer-encoding: chunked\r\n",
        b"5\r\nhello\r\n",
    ),
    "attributes": (*_JSON, b'{"a":{"b":', b'"c":'),
    "series": (
        *_JSON,
        b'{"status":"success","data":{"resultType":"vector","result":[',
        b'{"metric":{',
        b'"value":[1,"1"]}',
    ),
    "alerts": (*_JSON, b'[{"labels":{', b'"startsAt":"2026-01-01T00:00:00Z"', b"}]"),
    "retry": (b"Wed, 21 Oct 2026 07:28:00 GMT", b"120", b"9" * 400, b" +9999"),
    "addresses": (b"127.", b"0x7f", b"[::ffff:", b"64:ff9b::", b"%25eth0", b"2130706433", b".", b"@", b"localhost"),
    "redaction": (b"http://u:p@h/", b"Basic dTpw", b"Bearer ", b"whsec_", b"?k=v", b"%41"),
    "ledger": (
        *_JSON,
        b'{"seq":1,"at":1.0,"kind":"decision","contract":"c","fields":{},"previous":"',
        b'","hash":"',
    ),
    "asked": (
        *_JSON,
        b'{"ids":[',
        b'{"all":true}',
        b'{"contract":"',
        b"\n",
        b"Bearer kt_",
        b"Basic ",
        b"10.0.0.1, ",
    ),
}
