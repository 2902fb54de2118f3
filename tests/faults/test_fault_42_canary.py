"""Fault 42: a canary in every place where a secret can be → in no log, API answer, traceback, metric, page or file.

A real `keeptime run`: the model and the Prometheus send back what they were sent, every receiver fails and answers
with all it was told, the prober has a bug that quotes the secrets, and a reload is refused.
"""

import base64
import html
import json
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, quote_plus

from keeptime.web.access import ACCESS
from tests.e2e.keeping import Keeptime, keeping, until

CANARIES = {
    "PLACE_USER": "canary1user0f1e2d",
    "PLACE_WORD": "canary2word/3c4b+5a",
    "PLACE_QUERY": "canary3query69788",
    "PLACE_PATH": "canary4path0badc0de",
    "TOKEN": "canary5token9f8e7d",
    "SIGNING": "Y2FuYXJ5NnNpZ25pbmctOTA4MDcw",
    "MAIL": "canary7mail5b4a39",
    "KEY": "canary8key2c3d4e5f",
    "BASIC": "canary9basic7a6b5c",
}
TERMS = """\
contract: kept
endpoint:
  url: "{url}"
  method: POST
  json: {{data: 1}}
  headers: {{Authorization: env:MODEL_TOKEN, X-Basic: env:MODEL_BASIC}}
  expect: {{json: {{$.echo: nothing}}}}
observe:
  - probe: {{every: 200ms, timeout: 1s}}
objectives:
  - 90% of requests under 200ms over 10s
policy:
  burn-rate:
    tiers: [{{severity: page, long: 3s, short: 1s, factor: 2}}]
consumers:
  - name: checkout
    tell:
      - {{webhook: {{url: "env:HOOK", secret: "env:SIGNING"}}}}
      - slack:env:SLACK
operators:
  tell:
    - alertmanager:env:ALERTS
    - {{pagerduty: {{key: "env:KEY", url: "env:EVENTS"}}}}
    - email: {{to: a@b.example, server: "{mail}", tls: none, user: env:MAIL_USER, password: env:MAIL}}
  ping: env:PING
---
contract: read
observe:
  - prometheus: {{url: "{url}", every: 1s, headers: {{Authorization: env:MODEL_TOKEN}},
      counters: {{good: up, total: up}}}}
objectives:
  - 90% of requests succeed over 1h
"""
BUG = """\
import os
from keeptime.observe.count import Counter
count, seen = Counter.add, []
def add(self, outcome):
    seen.append(outcome)
    if len(seen) % 5 == 0:
        names = ("HOOK", "MODEL_TOKEN", "MAIL", "KEY")
        raise ValueError("a bug that quotes " + " ".join(os.environ[each] for each in names))
    count(self, outcome)
Counter.add = add
"""


@contextmanager
def echoing() -> Iterator[str]:
    """A server that refuses, and says in every way what it was sent."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode("utf-8", "replace")
            said = f"{self.path} {dict(self.headers)} {body}"
            told = self.headers.get("Authorization", "")
            answer = json.dumps({"echo": told, "status": "error", "errorType": told, "error": told + said}).encode()
            self.send_response(200 if self.path == "/predict" else 400, "Said")
            self.send_header("X-Echo", told)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def refusing_mail() -> Iterator[str]:
    """A mail server that offers a log-in, and quotes it when it refuses."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with client, client.makefile("rwb", buffering=0) as file:
                file.write(b"220 mail\r\n")
                for line in file:
                    if line.upper().startswith(b"EHLO"):
                        file.write(b"250-mail\r\n250 AUTH PLAIN LOGIN\r\n")
                    else:
                        file.write(b"535 5.7.8 no: " + line.strip() + b"\r\n")

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.close()


def places(host: str) -> dict[str, str]:
    """The environment: every reference of the contracts."""
    word = quote(CANARIES["PLACE_WORD"], safe="")
    place = (
        f"http://{CANARIES['PLACE_USER']}:{word}@{host}/hook/{CANARIES['PLACE_PATH']}?key={CANARIES['PLACE_QUERY']}"
    )
    return {
        "HOOK": place,
        "SLACK": place,
        "ALERTS": f"http://{CANARIES['PLACE_USER']}:{word}@{host}",
        "EVENTS": place,
        "PING": f"http://{host}/ping/{CANARIES['PLACE_PATH']}",
        "SIGNING": f"whsec_{CANARIES['SIGNING']}",
        "KEY": CANARIES["KEY"],
        "MAIL_USER": "keeptime",
        "MAIL": CANARIES["MAIL"],
        "MODEL_TOKEN": f"Bearer {CANARIES['TOKEN']}",
        "MODEL_BASIC": "Basic " + base64.b64encode(f"user:{CANARIES['BASIC']}".encode()).decode(),
    }


def written(canary: str) -> set[bytes]:
    texts = {
        canary,
        quote(canary, safe=""),
        quote_plus(canary),
        html.escape(canary),
        json.dumps(canary)[1:-1],
        canary[:12],
    }
    for ahead in ("", "u", "us"):
        told = base64.b64encode((ahead + canary).encode()).decode()
        texts.add(told[4 : len(told) - 4])
    return {each.encode() for each in texts}


def found_in(text: bytes) -> list[str]:
    return [name for name, canary in CANARIES.items() if any(each in text for each in written(canary))]


def shown(one: Keeptime) -> dict[str, bytes]:
    """All that it says: every route that is read, its log, and every file of its store."""
    endless = "/api/v1/live"  # says when, and nothing else
    paths = [row.path for row in ACCESS if row.method == "GET" and "{" not in row.path and row.path != endless]
    queries = [
        "/contracts/kept",
        "/probe?contract=kept",
        "/api/v1/periods?contract=kept",
        "/api/v1/outbox?state=all",
    ]
    out = {path: one.get(path) for path in [*paths, *queries]}
    out |= {str(file): file.read_bytes() for file in one.data.rglob("*") if file.is_file()}
    return out | {"log": one.log.encode()}


def test_fault_42_a_canary_is_nowhere(tmp_path: Path) -> None:
    bugs = tmp_path / "bugs"
    bugs.mkdir()
    (bugs / "sitecustomize.py").write_text(BUG)
    with echoing() as host, refusing_mail() as mail:
        text = TERMS.format(url=f"http://{host}/predict", mail=mail)
        with keeping(tmp_path / "kept", text, **places(host), PYTHONPATH=str(bugs)) as one:
            one.start()
            until(lambda: b"Traceback" in one.log.encode(), 30, "the bug")
            until(lambda: failed(one) >= 5, 40, f"five receivers to fail {one.get('/api/v1/outbox')!r}")
            one.write(text.replace("env:SLACK", "env:NOWHERE"))
            one.signal(signal.SIGHUP)
            until(lambda: "NOWHERE" in one.log, 20, "the refused reload")
            said = shown(one)
            assert one.end() == 0
        said |= {f"{file} at the end": file.read_bytes() for file in one.data.rglob("*") if file.is_file()}
        said["the log at the end"] = one.log.encode()
    assert {name: found for name, each in said.items() if (found := found_in(each))} == {}
    assert b"a bug that quotes" in said["log"]
    assert b"expected 'nothing'" in said["/probe?contract=kept"] or b"***" in said["log"]


def failed(one: Keeptime) -> int:
    """Receivers that have failed, as its store has it."""
    return int(str(one.rows("SELECT count(*) FROM route WHERE failed > 0")[0][0]))
