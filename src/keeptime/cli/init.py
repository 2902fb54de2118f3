"""`keeptime init`: measure an endpoint, or read a server's own metrics, and write a first contract for it.

Exit code 0: the contract was written; 1: the endpoint cannot be measured, or the file is there already, and
nothing was written; 2: wrong usage.
"""

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from keeptime.cli.init_tokens import probe_of, tokens_of
from keeptime.cli.starting import contract_name, duration
from keeptime.cli.starting import headers as header_nodes
from keeptime.cli.writing import Refused, write_whole
from keeptime.errors import ProbeError, SecretError, SourceError, UsageError

if TYPE_CHECKING:
    from keeptime.contract.probed import Endpoint, Probe, SecretRef
    from keeptime.contract.starter import Thresholds
    from keeptime.model.sample import Sample

EXAMPLES = """\
examples:
  keeptime init http://127.0.0.1:5000/predict --json-body '{"data": "sample_input"}'
  keeptime init https://models.example.com/score --json-body @body.json --header 'Authorization: env:TOKEN'
  keeptime init http://127.0.0.1:5000/health --for 30s --every 1s -o contracts/health.yaml
  keeptime init http://127.0.0.1:8001/v1/chat/completions --kind openai --model llama
  keeptime init --scrape http://127.0.0.1:8000/metrics -o contracts/llm.yaml

exit codes:
  0  the contract was written
  1  the endpoint cannot be measured, the server is not recognised, or the file is there already; nothing was
     written
  2  the command was called wrongly
"""
TIMEOUT = 30.0
"""Seconds that a measured request may take."""

MOST_REQUESTS = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be measured. `body`: the JSON value, or `...` for none."""

    name: str
    endpoint: "Endpoint"
    headers: "dict[str, str | SecretRef]"
    body: object
    seconds: float
    probe: "Probe"
    output: str


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Measure an endpoint for a short while, or with --scrape read a model server's own metrics; propose "
        "thresholds, and write a commented contract."
    )
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("url", metavar="URL", nargs="?", help="where requests go")
    parser.add_argument("--scrape", metavar="URL", help="read a model server's own metrics there instead")
    parser.add_argument(
        "--preset", metavar="NAME", help="whose metrics they are (recognised; see keeptime presets)"
    )
    parser.add_argument("--json-body", metavar="JSON", help="a JSON body to send, or @FILE that holds it")
    parser.add_argument("--method", help="the HTTP method (POST with a body, else GET)")
    parser.add_argument(
        "--header", action="append", default=[], metavar="'NAME: VALUE'", help="a header; secrets as env:NAME"
    )
    parser.add_argument(
        "--kind",
        choices=("http", "openai"),
        default="http",
        help="openai: completions of a language model, streamed",
    )
    parser.add_argument("--model", metavar="NAME", help="of --kind openai: the model that is asked for")
    parser.add_argument("--for", dest="seconds", default="10s", metavar="TIME", help="how long to measure (10s)")
    parser.add_argument("--every", default="500ms", metavar="TIME", help="time between requests (500ms)")
    parser.add_argument("--name", help="the contract's name (made from the URL)")
    parser.add_argument("-o", "--output", default="contract.yaml", metavar="FILE", help="where to (contract.yaml)")
    parser.add_argument("--force", action="store_true", help="overwrite the file")
    parser.add_argument("--json", action="store_true", help="print one JSON object about what was measured")


def run(args: argparse.Namespace) -> int:
    try:
        if args.scrape is not None:
            return _scraped(args)
        asked = _asked(args)
        _refuse_overwriting(asked.output, args.force)
        return _conclude(asked, _samples(asked), args)
    except UsageError as error:
        print(f"keeptime init: {error}", file=sys.stderr)
        return 2
    except (Refused, SecretError, ProbeError, SourceError) as error:
        print(f"keeptime init: {error}\nNothing was written.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nkeeptime init: interrupted. Nothing was written.", file=sys.stderr)
        return 1


def _scraped(args: argparse.Namespace) -> int:
    from keeptime.cli import init_scrape

    requests = {"URL": args.url, "--json-body": args.json_body, "--method": args.method}
    if given := [name for name, value in requests.items() if value is not None]:
        raise UsageError(
            f"{', '.join(given)} beside --scrape; metrics are read, and no request is sent to the model"
        )
    seconds = duration(args.seconds, "--for")
    _refuse_overwriting(args.output, args.force)
    return init_scrape.run(args, seconds)


def _asked(args: argparse.Namespace) -> Asked:
    """Arguments as values. Raises UsageError with every mistake that the contract's own rules find."""
    from urllib.parse import urlsplit

    if args.url is None:
        raise UsageError("nothing to measure; expected a URL, or --scrape URL")
    if args.url.lower().startswith("tcp:"):
        raise UsageError(
            "init measures http and https; a tcp endpoint needs a contract of few lines: docs/probe-kinds.md"
        )
    if args.preset is not None:
        raise UsageError("--preset without --scrape; expected the URL of metrics with it")
    body = _body(args.json_body)
    seconds, every = duration(args.seconds, "--for"), duration(args.every, "--every")
    if seconds / every > MOST_REQUESTS:
        raise UsageError(f"--for {args.seconds} --every {args.every}: more than {MOST_REQUESTS} requests")
    endpoint, headers = _endpoint(args, body)
    last = urlsplit(endpoint.url).path.rstrip("/").rpartition("/")[2]
    name = contract_name(args.name, endpoint.url, last)
    probe = probe_of(args.kind, args.model, name, every, TIMEOUT)
    return Asked(name, endpoint, headers, body, seconds, probe, args.output)


def _body(given: str | None) -> object:
    if given is None:
        return ...
    try:
        text = Path(given[1:]).read_text("utf-8") if given.startswith("@") else given
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--json-body {given}: the file cannot be read ({error})") from None
    try:
        value: object = json.loads(text)
        json.dumps(value)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"--json-body: no JSON ({error}); expected JSON such as '{{\"data\": 1}}', or @FILE"
        ) from None
    return value


def _endpoint(args: argparse.Namespace, body: object) -> "tuple[Endpoint, dict[str, str | SecretRef]]":
    """The endpoint by the contract's own reader, so that what is measured is what will be written."""
    from keeptime.contract.endpoint import ENDPOINT_TABLE
    from keeptime.contract.nodes import Entry, Mapped, Place, Scalar
    from keeptime.contract.report import Report, Spoiled

    place = Place(1, 1)

    def entry(key: str, value: str) -> Entry:
        return Entry(Scalar(key, False, place), Scalar(value, False, place))

    entries = [entry("url", args.url), Entry(Scalar("headers", False, place), header_nodes(args.header))]
    if args.method:
        entries.append(entry("method", args.method.upper()))
    if body is not ...:
        entries.append(entry("json", ""))
    report = Report("", Path.cwd())
    try:
        endpoint = ENDPOINT_TABLE.read(Mapped(tuple(entries), place), report, "")
    except Spoiled:
        raise UsageError("; ".join(problem.message for problem in report.problems)) from None
    for problem in report.problems:
        print(f"keeptime init: {problem.severity}: {problem.message}", file=sys.stderr)
    return _with_body(endpoint, body), {name: endpoint.headers[name] for name in _names(args.header)}


def _names(given: list[str]) -> list[str]:
    return [each.partition(":")[0].strip() for each in given]


def _with_body(endpoint: "Endpoint", body: object) -> "Endpoint":
    from dataclasses import replace

    if body is ...:
        return endpoint
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return replace(endpoint, body=content.encode("utf-8", "surrogatepass"))


def _refuse_overwriting(output: str, force: bool) -> None:
    if output != "-" and not force and os.path.lexists(output):
        raise Refused(f"{output} is there already; choose another file with -o, or overwrite it with --force")


def _samples(asked: Asked) -> "list[Sample]":
    from keeptime.cli.measuring import measure
    from keeptime.observe.once import probe_once

    return measure(
        lambda: probe_once(asked.endpoint, asked.probe, contract=asked.name), asked.seconds, asked.probe.every
    )


def _conclude(asked: Asked, samples: "list[Sample]", args: argparse.Namespace) -> int:
    from keeptime.contract.starter import propose

    good = [sample for sample in samples if sample.failure is None]
    failed = [sample for sample in samples if sample.failure is not None]
    if len(good) <= len(failed):
        raise Refused(_why(asked, failed[-1], len(failed), len(samples)))
    thresholds = propose([sample.latency_ns / 1e9 for sample in good])
    text = _text(asked, good, thresholds)
    if asked.output == "-" and not args.json:
        print(text, end="")
    elif asked.output != "-":
        write_whole(asked.output, text, force=args.force)
    if failed:
        why = failed[-1].failure
        print(f"keeptime init: {len(failed)} of {len(samples)} requests failed, the last by {why}", file=sys.stderr)
    if args.json:
        print(json.dumps(_as_json(asked, good, failed, thresholds), indent=2))
    elif asked.output != "-":
        print(f"{asked.output} was written. Next: keeptime check {asked.output}")
    return 0


def _text(asked: Asked, good: "list[Sample]", thresholds: "Thresholds") -> str:
    """The contract, proved valid and to mean the endpoint that was measured."""
    from keeptime.contract.load import load_text
    from keeptime.contract.starter import write

    text = write(
        name=asked.name,
        file=asked.output,
        url=asked.endpoint.url,
        method="POST" if asked.probe.kind == "openai" else asked.endpoint.method,
        headers=asked.headers,
        body=asked.body,
        status=good[0].status or 200,
        count=len(good),
        thresholds=thresholds,
        tokens=tokens_of(asked.probe, good),
    )
    result = load_text(text.encode(), asked.output)
    written = [each.endpoint for each in result.contracts if each.endpoint is not None]
    if not result.valid or written[0].body != asked.endpoint.body:
        why = (
            "; ".join(problem.message for problem in result.problems)
            or "the body cannot be written exactly as YAML"
        )
        raise Refused(f"no valid contract can be written for this: {why}")
    return text


def _why(asked: Asked, last: "Sample", failed: int, count: int) -> str:
    from keeptime.model.sample import Failure

    cures = {
        Failure.DNS: "the host name is not known here; check the URL",
        Failure.REFUSED: "nothing accepts connections there; is the model server running, and is the port right?",
        Failure.TLS: "no secure connection can be made; check the certificate and whether the URL should be http",
        Failure.TIMEOUT: f"no whole answer came within {TIMEOUT:.0f} s; check that it serves requests",
        Failure.STATUS: "it answers, but not with success; check --method, --json-body and --header",
        Failure.EXPECTATION: "it answers something else than expected",
        Failure.TOO_LARGE: "its answer is larger than 1 MiB; choose a request with a smaller answer",
        Failure.PROTOCOL: "what answers there does not speak HTTP/1.1; check the port and http or https",
        Failure.STALLED: "its stream stops before the end; ask the model server's own log",
        Failure.STREAM: "its stream does not end as it should; ask the model server's own log",
    }
    reason = last.failure or Failure.PROTOCOL
    detail = f" ({last.detail})" if last.detail else ""
    return f"{asked.endpoint.url}: {failed} of {count} requests failed: {reason}{detail}\n{cures[reason]}"


def _as_json(
    asked: Asked, good: "list[Sample]", failed: "list[Sample]", thresholds: "Thresholds"
) -> dict[str, object]:
    return {
        "contract": asked.name,
        "file": None if asked.output == "-" else asked.output,
        "requests": len(good) + len(failed),
        "failed": len(failed),
        "p50_seconds": thresholds.p50,
        "p99_seconds": thresholds.p99,
        "thresholds_seconds": {"p50": thresholds.usual, "p99": thresholds.slow},
    }
