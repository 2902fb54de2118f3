"""The real OpenTelemetry SDK in two processes whose spans are one trace: what slow requests waited for is said."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from tests.e2e.keeping import DIRECT, keeping, until

TERMS = """\
contract: served
observe:
  - otlp: {service: gateway, take: traces}
objectives:
  - 99% of requests under 100ms over 10m
policy:
  burn-rate:
    tiers: [{severity: page, long: 3s, short: 1s, factor: 2}]
"""
MODEL = '''
"""The model's process: continues the trace that it is called with."""
import sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

provider = TracerProvider(resource=Resource.create({"service.name": "model"}))
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(sys.argv[1] + "/v1/traces")))
tracer = provider.get_tracer("model")

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        headers = {name.lower(): value for name, value in self.headers.items()}
        with tracer.start_as_current_span("infer", TraceContextTextMapPropagator().extract(headers)):
            with tracer.start_as_current_span("tokenizer"):
                time.sleep(0.002)
            with tracer.start_as_current_span("queue"):
                time.sleep(0.15 if self.path == "/slow" else 0.001)
            with tracer.start_as_current_span("forward"):
                time.sleep(0.01)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
'''
GATEWAY = '''
"""The gateway's process: each request of its own calls the model."""
import sys, urllib.request
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

provider = TracerProvider(resource=Resource.create({"service.name": "gateway"}))
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(sys.argv[1] + "/v1/traces")))
tracer = provider.get_tracer("gateway")
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
for kind in ["usual"] * 3 + ["slow"] * 6:
    with tracer.start_as_current_span("GET /predict", kind=SpanKind.SERVER):
        headers = {}
        TraceContextTextMapPropagator().inject(headers)
        opener.open(urllib.request.Request(f"http://127.0.0.1:{sys.argv[2]}/{kind}", headers=headers)).read()
provider.shutdown()
'''


def found(url: str, path: str) -> Any:
    with DIRECT.open(urllib.request.Request(f"{url}{path}"), timeout=10) as answer:
        return json.loads(answer.read())


def test_two_processes_one_trace_and_what_it_waited_for(tmp_path: Path) -> None:
    with keeping(tmp_path, TERMS) as kept:
        kept.start()
        model = subprocess.Popen([sys.executable, "-c", MODEL, kept.url], stdout=subprocess.PIPE, text=True)
        assert model.stdout is not None
        try:
            port = model.stdout.readline().strip()
            subprocess.run([sys.executable, "-c", GATEWAY, kept.url, port], check=True, timeout=60)
            until(lambda: found(kept.url, "/api/v1/incidents")["incidents"], 20, "an incident")
        finally:
            model.terminate()
            model.wait(10)
            model.stdout.close()
        incident = found(kept.url, "/api/v1/incidents")["incidents"][0]["id"]
        said = found(kept.url, f"/api/v1/incidents/{incident}/traces")
        slow = [each for each in said["traces"] if each["why"] == "slow"]
        assert len(slow) >= 6
        assert {span["service"] for span in slow[0]["spans"]} == {"gateway", "model"}
        assert {span["name"] for span in slow[0]["spans"]} >= {"GET /predict", "infer", "tokenizer", "queue"}
        most = said["compared"]["work"][0]
        assert (most["service"], most["name"]) == ("model", "queue")
        assert 0.05 < most["more_seconds"] < 2
        assert said["compared"]["sentence"].startswith("model: queue +")
        assert kept.end() == 0
