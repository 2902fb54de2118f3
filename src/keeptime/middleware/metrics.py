"""`/metrics` of a model server: what its workers counted, in the format that a scraper asks for.

Guarantees: every worker answers for all of them; GET and HEAD alone; nothing is served unless a path was given or
the application mounted. Knows no framework.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

from keeptime.middleware import text
from keeptime.middleware.exposition import families
from keeptime.middleware.protobuf import protobuf
from keeptime.middleware.recorder import Recorder
from keeptime.middleware.totals import totals

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
PROTOBUF = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Exposed(NamedTuple):
    """A body and its `Content-Type`."""

    content_type: str
    body: bytes


def expose(recorder: Recorder, accept: str = "") -> Exposed:
    """What the recorder's workers counted, in the format that this `Accept` header likes best of those there
    are."""
    counted = totals(recorder.memory)
    found = families(counted)
    content_type = preferred(accept)
    if content_type == PROTOBUF:
        return Exposed(PROTOBUF, protobuf(found, counted.started))
    if content_type == OPEN_METRICS:
        return Exposed(OPEN_METRICS, text.open_metrics(found).encode())
    return Exposed(PROMETHEUS, text.prometheus(found).encode())


_KNOWN = {"application/vnd.google.protobuf": PROTOBUF, "application/openmetrics-text": OPEN_METRICS}


def preferred(accept: str) -> str:
    """The format that a scraper gives the highest weight, the first where several have it (RFC 9110 §12.5.1)."""
    best, weight = PROMETHEUS, 0.0
    for each in accept[:2000].split(","):
        name, *parameters = (part.strip().lower() for part in each.split(";"))
        given = dict(part.partition("=")[::2] for part in parameters)
        if name == "application/vnd.google.protobuf" and given.get("encoding") != "delimited":
            continue
        found = PROMETHEUS if name in ("text/plain", "*/*", "text/*") else _KNOWN.get(name)
        if found is not None and (wished := _weight(given.get("q", "1"))) > weight:
            best, weight = found, wished
    return best


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


class Metrics:
    """The same as an ASGI application, to be mounted or given a path of the middleware."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def __call__(self, scope: Message, _: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["method"] not in ("GET", "HEAD"):
            await _give(send, 405, Exposed(PROMETHEUS, b"GET\n"), [(b"allow", b"GET, HEAD")])
            return
        accept = ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"accept")
        given = await _aside(lambda: expose(self._recorder, accept))
        await _give(send, 200, given, [], nothing=scope["method"] == "HEAD")


async def _aside(work: Callable[[], Exposed]) -> Exposed:
    """In a thread, so that requests are not held up by a scrape; on another loop than asyncio's, here."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return work()
    return await loop.run_in_executor(None, work)


async def _give(
    send: Send, status: int, given: Exposed, more: list[tuple[bytes, bytes]], *, nothing: bool = False
) -> None:
    headers = [(b"content-type", given.content_type.encode()), (b"content-length", b"%d" % len(given.body)), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if nothing else given.body})
