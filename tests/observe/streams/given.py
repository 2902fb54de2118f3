"""The scripted server of examples/llm_server, and probes of it."""

import json
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keeptime.contract.probed import Endpoint, Kind, Probe
from keeptime.contract.probing.streams import StreamTerms
from keeptime.model.sample import Sample
from keeptime.observe.once import probe_once
from tests.observe.given import sound
from tests.servers import DIRECT, running

FOLDER = Path(__file__).parents[3] / "examples" / "llm_server"
PATHS = {Kind.OPENAI: "/v1/chat/completions", Kind.SSE: "/sse", Kind.NDJSON: "/ndjson"}


@contextmanager
def scripted(log: Path) -> Iterator[str]:
    with running([sys.executable, str(FOLDER / "serve.py"), "--port", "0"], log, "/sent") as server:
        yield server.url


def probe(
    url: str, script: str, kind: Kind = Kind.OPENAI, *, path: str = "", timeout: float = 10.0, **terms: object
) -> Sample:
    """One probe of the scripted server; whatever happens, the sample keeps its promises."""
    where = Endpoint(f"{url}{path or PATHS[kind]}?{script}", body=None if kind is Kind.OPENAI else b"{}")
    asked = Probe(10.0, timeout, kind=kind, terms=StreamTerms(model="m", **terms))  # type: ignore[arg-type]
    found = probe_once(where, asked, contract="c")
    sound(found, timeout)
    return found


def clear(url: str, script: str, kind: Kind = Kind.OPENAI, *, path: str = "") -> Sample:
    """A probe during which this machine was not so busy that pieces were read together."""
    for _ in range(10):
        found = probe(url, script, kind, path=path)
        if found.stream is None or not found.stream.merged:
            break
    return found


def sent(url: str, name: str) -> list[dict[str, object]]:
    """When the server sent what it was asked for by this name."""
    request = urllib.request.Request(f"{url}/sent?name={name}")
    with DIRECT.open(request, timeout=10) as answer:
        found: list[dict[str, object]] = json.load(answer)["streams"]
    return found
