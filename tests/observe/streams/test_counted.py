"""Streams in the engine and on the command line: what objectives count of them, and what a budget leaves out."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeptime.cli.main import main
from keeptime.clock import wall_ns
from keeptime.contract.load import load_text
from keeptime.contract.terms import Contract
from keeptime.contract.written import terms
from keeptime.model.sample import Connection, Sample, Skipped
from keeptime.model.tally import Tally
from keeptime.observe.count import Counter
from keeptime.observe.engine import Engine
from tests.observe.streams.given import scripted

TEXT = """\
contract: chat
model: m
token_basis: completion tokens
endpoint: {{url: "{url}/v1/chat/completions?{script}"}}
observe:
  - probe: {{every: {every}, timeout: 5s, kind: openai, max_tokens: 6{more}}}
objectives:
  - {{name: first, of: first_token, target: 90%, under: 4s, over: 28d}}
  - {{name: fast, of: first_token, target: 90%, under: 20ms, over: 28d}}
  - {{name: between, of: inter_token, target: 90%, under: 4s, over: 28d}}
  - {{name: each, of: output_token, target: 90%, under: 1ms, over: 28d}}
  - {{name: rate, of: token_rate, target: 90%, at_least: 1/s, over: 28d}}
  - {{name: none, of: first_token, target: 90%, under: 4s, over: 28d, where: {{cache: warm}}}}
operators: {{tell: ["log:"]}}
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with scripted(tmp_path_factory.mktemp("llm") / "log") as where:
        yield where


def text(url: str, script: str, every: str = "100ms", more: str = "") -> str:
    return TEXT.format(url=url, script=script, every=every, more=more)


def loaded(said: str) -> Contract:
    found = load_text(said.encode(), "c.yaml").contracts
    assert len(found) == 1
    return found[0]


def observed(contract: Contract, samples: int) -> tuple[list[Sample], list[Skipped], dict[str, Tally]]:
    """Probe until there are so many samples; the outcomes, and what the objectives count of them."""
    outcomes: list[Sample | Skipped] = []
    counter = Counter([contract], 10.0, start_ns=wall_ns())

    def sink(outcome: Sample | Skipped) -> None:
        counter.add(outcome)
        outcomes.append(outcome)

    engine = Engine([contract], sink, overdue=counter.overdue)
    engine.start()
    until = time.monotonic() + 20
    while len(outcomes) < samples and time.monotonic() < until:
        time.sleep(0.02)
    engine.stop()
    tallies: dict[str, Tally] = {}
    for record in counter.finish(wall_ns()):
        for key, tally in record.tallies.items():
            before = tallies.get(key.objective, Tally())
            tallies[key.objective] = Tally(
                before.good + tally.good, before.bad + tally.bad, before.skipped + tally.skipped
            )
    return (
        [each for each in outcomes if isinstance(each, Sample)],
        [each for each in outcomes if isinstance(each, Skipped)],
        tallies,
    )


def gaps(samples: list[Sample]) -> int:
    """Tokens after the first ones: usually all but one, fewer where a busy machine read several at once."""
    streams = [each.stream for each in samples if each.stream is not None]
    assert len(streams) == len(samples)
    return sum(tokens for each in streams for _, tokens in each.gaps)


def test_what_objectives_count(url: str) -> None:
    samples, skipped, tallies = observed(loaded(text(url, "ttft_ms=40&gap_ms=40&tokens=99", "400ms")), 3)
    count = len(samples)
    assert count >= 3
    assert not skipped
    assert all((each.failure, each.tokens) == (None, 6) for each in samples)
    assert tallies["first"] == Tally(count, 0)
    assert tallies["fast"] == Tally(0, count)
    assert tallies["between"] == Tally(gaps(samples), 0)
    assert tallies["each"] == Tally(0, count)
    assert tallies["rate"] == Tally(count, 0)
    assert "none" not in tallies  # with a nonce nothing is warm


def test_a_stream_that_fails_is_bad_for_every_signal(url: str) -> None:
    samples, _, tallies = observed(loaded(text(url, "ttft_ms=5&gap_ms=1&error_after=3")), 2)
    count = len(samples)
    for name in ("first", "fast", "each", "rate"):
        assert tallies[name] == Tally(0, count)
    assert tallies["between"] == Tally(gaps(samples), count)


def test_a_stream_whose_last_token_was_in_time_is_counted_once(url: str) -> None:
    """Also where the answer itself ends after the threshold: until then nobody can tell which token is the last."""
    said = text(url, "ttft_ms=5&gap_ms=5&end_ms=150", "400ms").replace(
        "objectives:", "objectives:\n  - {name: whole, target: 90%, under: 100ms, over: 28d}"
    )
    samples, _, tallies = observed(loaded(said), 2)
    assert all(each.stream is not None and (each.stream.closed_ns or 0) > 150e6 for each in samples)
    under_way = tallies["whole"].good + tallies["whole"].bad - len(samples)
    slow = sum(each.latency_ns > 100e6 for each in samples)  # by a busy machine, on which one may not have ended
    assert 0 <= under_way <= 1
    assert tallies["whole"].bad == slow + under_way


def test_kept_connections_are_used_again(url: str) -> None:
    samples, _, _ = observed(loaded(text(url, "ttft_ms=2&gap_ms=2", more=", connection: reuse")), 4)
    assert {each.failure for each in samples} == {None}
    assert {each.tokens for each in samples} == {6}
    assert [each.connection for each in samples].count(Connection.FRESH) < len(samples)


def test_a_spent_budget_skips_with_its_reason(url: str) -> None:
    samples, skipped, tallies = observed(loaded(text(url, "ttft_ms=1&gap_ms=1", more=", tokens_per_hour: 30")), 5)
    assert len(samples) == 2  # 14 tokens each: a third might have cost six more than are left
    assert {each.reason for each in skipped} == {"30 tokens an hour are spent"}
    assert tallies["first"].skipped == len(skipped) >= 1


def test_a_contract_is_written_as_it_was_read(url: str) -> None:
    more = ", stall: 2s, prompts: [a, b], nonce: false, usage: false, first_token: answer, model: x"
    one = loaded(text(url, "", more=more))
    assert loaded(json.dumps(terms(one), default=str)).probes == one.probes


def test_init_proposes_promises_of_tokens(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "c.yaml"
    where = f"{url}/v1/chat/completions?ttft_ms=40&gap_ms=2"
    asking = ["init", where, "--kind", "openai", "--model", "llama 3", "--for", "300ms", "--every", "100ms"]
    assert main([*asking, "-o", str(file)]) == 0
    (found,) = load_text(file.read_bytes(), "c.yaml").contracts
    assert (found.model, found.probes[0].kind) == ("llama 3", "openai")
    under = {str(each.of): each.under for each in found.objectives if each.of != "requests"}
    assert under.keys() == {"first_token", "inter_token"}
    assert (under["first_token"] or 0) >= 0.08
    assert main(["check", str(file)]) == 0
    assert "0 errors, 0 warnings" in capsys.readouterr().out
    assert main(["init", url, "--model", "x", "-o", "-"]) == 2
    assert "--kind openai" in capsys.readouterr().err
    assert main(["init", f"{url}/embeddings", "--kind", "openai", "--for", "100ms", "-o", "-"]) == 1
    assert "expected one that ends with" in capsys.readouterr().err


def test_the_command(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(text(url, "ttft_ms=40&gap_ms=40", "10s"))
    assert main(["probe", "--json", str(file)]) == 0
    found = json.loads(capsys.readouterr().out)
    stream = found["stream"]
    assert stream["tokens"] == 6
    assert 0.04 <= stream["first_token_seconds"] <= found["latency_seconds"] <= stream["closed_seconds"]
    assert stream["inter_token"]["p50"] <= stream["inter_token"]["p99"] <= stream["inter_token"]["max"]
    assert stream["tokens_per_second"] == pytest.approx(6 / found["latency_seconds"])
    assert main(["probe", str(file)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert max(map(len, shown)) <= 80
    assert any(line.startswith("  first token after ") and "6 tokens" in line for line in shown)
    assert any(line.startswith("  between tokens p50 ") for line in shown)
    assert shown[0].startswith("chat: POST http://")
    assert "  bad      fast: under 20ms" in shown
    file.write_text(text(url, "ttft_ms=1&error_after=1", "10s"))
    assert main(["probe", str(file)]) == 1
    assert "failed: stream" in capsys.readouterr().out
