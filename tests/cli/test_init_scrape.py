"""`keeptime init --scrape` on what real servers serve, and its refusals."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from keeptime.contract.load import load_files
from keeptime.contract.presets import library
from keeptime.contract.starter import label
from keeptime.contract.terms import Contract
from keeptime.contract.traffic.scrape import Scrape
from keeptime.model.key import Signal
from tests.presets.expositions import EVERY, page

from .commands import run

QUICK = ("--for", "10ms")


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.seen.append(dict(self.headers))  # type: ignore[attr-defined]
        pages = self.server.pages  # type: ignore[attr-defined]
        body = pages.pop(0) if len(pages) > 1 else pages[0]
        self.send_response(200)
        self.send_header("Content-Type", self.server.kind)  # type: ignore[attr-defined]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def _serving(*pages: bytes, kind: str = "text/plain; version=0.0.4") -> Iterator[tuple[str, list[dict[str, str]]]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.pages, server.kind, server.seen = list(pages), kind, []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/metrics", server.seen  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _written(output: Path) -> Contract:
    result = load_files([output])
    assert [str(each) for each in result.problems] == []
    (contract,) = result.contracts
    return contract


@pytest.mark.parametrize("name", EVERY)
def test_every_server_is_recognised_and_its_contract_can_be_judged(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "contract.yaml"
    with _serving(page(name)) as (url, _):
        assert run("init", "--scrape", url, *QUICK, "-o", str(output), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    contract, preset = _written(output), library.preset(name)
    assert preset is not None
    assert found["preset"] == name
    assert contract.name == label(found["models"][0] if len(found["models"]) == 1 else name)
    for each in contract.traffic:
        assert isinstance(each, Scrape)
        assert (each.url, each.preset) == (url, name)
    assert bool(contract.traffic) is not bool(contract.probes)
    assert len(found["objectives"]) == len(contract.objectives) or contract.probes
    assert all(0 <= each["seen"] <= 1 for each in found["objectives"])


def test_thresholds_are_bounds_beyond_what_was_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "contract.yaml"
    with _serving(page("bentoml")) as (url, _):
        assert run("init", "--scrape", url, *QUICK, "-o", str(output)) == 0
    out, err = capsys.readouterr()
    assert f"was written for BentoML. Next: keeptime check {output}" in out
    assert "BentoML; 9 of requests since it began" in err
    contract = _written(output)
    assert [(each.of, each.under) for each in contract.objectives] == [
        (Signal.REQUESTS, 1.0),
        (Signal.REQUESTS, 0.01),
    ]
    text = output.read_text("utf-8")
    assert "100.00% of 9 requests within 1s" in text
    assert "one whose caller went away is nowhere" in text


def _grown(count: int) -> bytes:
    """A server whose requests since the look before took less than 100 ms, and all before them 20 s."""
    lines = [
        f'bentoml_service_request_duration_seconds_bucket{{http_response_code="200",le="{le}"}} {n}'
        for le, n in (
            ("0.1", count),
            ("0.25", count),
            ("10.0", count),
            ("30.0", count + 500),
            ("+Inf", count + 500),
        )
    ]
    return "\n".join(
        [*lines, f'bentoml_service_request_duration_seconds_count{{http_response_code="200"}} {count + 500}', ""]
    ).encode()


def test_what_came_while_it_looked_counts_more_than_all_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "contract.yaml"
    with _serving(_grown(0), _grown(100)) as (url, _):
        assert run("init", "--scrape", url, *QUICK, "-o", str(output), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["since"] == "in 0.01 s"
    assert [each["threshold_seconds"] for each in found["objectives"]] == [0.25]
    with _serving(_grown(0), _grown(99)) as (url, _):
        assert run("init", "--scrape", url, *QUICK, "-o", "-", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["since"], found["objectives"][0]["threshold_seconds"]) == ("since it began", 30.0)


def test_before_the_first_request_the_thresholds_are_said_to_be_guesses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with _serving(b"vllm:num_requests_running 0\n") as (url, _):
        assert run("init", "--scrape", url, *QUICK, "-o", "-") == 0
    out, err = capsys.readouterr()
    assert "these are guesses" in out
    assert "preset: vllm" in out
    assert "measuring" not in err


def test_a_server_without_latencies_gets_a_contract_that_probes_it(capsys: pytest.CaptureFixture[str]) -> None:
    with _serving(page("torchserve")) as (url, _):
        assert run("init", "--scrape", url, *QUICK, "-o", "-") == 0
    out = capsys.readouterr().out
    assert "From what was counted no threshold can be told: these are guesses" in out
    assert "percentiles cannot come from TorchServe's counters" in out
    assert "url: http://127.0.0.1:8080/predictions/model" in out


def test_a_url_without_a_path_means_the_usual_one(capsys: pytest.CaptureFixture[str]) -> None:
    with _serving(page("mlserver")) as (url, _):
        assert run("init", "--scrape", url.removesuffix("/metrics"), *QUICK, "-o", "-") == 0
    assert f"url: {url}\n" in capsys.readouterr().out


def test_headers_and_the_preset_are_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPTIME_TEST_TOKEN", "hunter2")
    output = tmp_path / "contract.yaml"
    with _serving(page("otel-http") + page("otel-http-client")) as (url, seen):
        header = ("--header", "Authorization: env:KEEPTIME_TEST_TOKEN")
        given = ("--preset", "otel-http-client", "--name", "mine", *header, *QUICK, "-o", str(output))
        assert run("init", "--scrape", url, *given) == 0
    assert seen[0]["Authorization"] == "hunter2"
    contract = _written(output)
    assert contract.name == "mine"
    assert "env:KEEPTIME_TEST_TOKEN" in output.read_text("utf-8")
    assert "hunter2" not in output.read_text("utf-8")


def test_what_cannot_be_read_of_a_page_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = 'bentoml_service_request_duration_seconds_bucket{http_response_code="201",le="0.1"} many\n'
    with _serving(page("bentoml") + wrong.encode()) as (url, _):
        assert run("init", "--scrape", url, *QUICK, "-o", "-") == 0
    out, err = capsys.readouterr()
    assert "warning: line" in err
    assert "of 9 requests" in out


REFUSED = {
    "nobody-knows": (
        b"my_latency_seconds_count 3\nup 1\n",
        (),
        "no server is recognised by its metrics; 2 metrics",
    ),
    "another": (page("bentoml"), ("--preset", "vllm"), "they look like those of bentoml"),
    "empty": (b"", (), "0 metrics are there\n"),
}


@pytest.mark.parametrize(("body", "more", "why"), REFUSED.values(), ids=list(REFUSED))
def test_a_server_that_is_not_recognised_is_said_to_be_none(
    body: bytes, more: tuple[str, ...], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "contract.yaml"
    with _serving(body) as (url, _):
        assert run("init", "--scrape", url, *more, *QUICK, "-o", str(output)) == 1
    err = capsys.readouterr().err
    assert why in err
    assert "Nothing was written" in err
    assert not output.exists()


def test_a_page_that_is_no_metrics_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with _serving(b"<html>", kind="text/html") as (url, _):
        assert run("init", "--scrape", url, "-o", "-") == 1
    assert "expected metrics" in capsys.readouterr().err


WRONG = {
    "no-url": ((), "expected a URL, or --scrape URL"),
    "both": (("http://127.0.0.1:1/x", "--scrape", "http://127.0.0.1:1/metrics"), "URL beside --scrape"),
    "unknown": (("--scrape", "http://127.0.0.1:1/metrics", "--preset", "vlm"), "did you mean 'vllm'"),
    "alone": (("http://127.0.0.1:1/x", "--preset", "vllm"), "--preset without --scrape"),
    "no-http": (("--scrape", "ftp://127.0.0.1/metrics"), "http"),
    "literal": (("--scrape", "http://127.0.0.1:1/m", "--header", "Authorization: secret"), "env:NAME"),
}


@pytest.mark.parametrize(("words", "why"), WRONG.values(), ids=list(WRONG))
def test_wrong_usage_is_said(words: tuple[str, ...], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", *words, "-o", "-") == 2
    assert why in capsys.readouterr().err
