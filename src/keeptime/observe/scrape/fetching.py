"""One page of metrics over HTTP, as bytes and their format.

Guarantees: a page is whole and within its bounds, compressed or not, or a SourceError says what was wrong without
repeating the URL or a header; no redirect is followed, no proxy taken from the environment, no address connected to
that keeptime never connects to. Does not read what a page says.
"""

import zlib
from dataclasses import dataclass
from email.message import Message
from enum import Enum, auto
from urllib.parse import urlsplit

import aiohttp

from keeptime.contract.traffic.scrape import Scrape
from keeptime.errors import SecretError, SourceCapped, SourceError
from keeptime.model.reach import host_refusal
from keeptime.observe.outbound import value_of, why_not

LARGEST_PAGE = 32 * 1024 * 1024
"""Bytes of a page, unpacked."""
PIECE = 65_536
ACCEPT = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.9,"
    "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


class Format(Enum):
    """How a page is written."""

    TEXT = auto()
    OPENMETRICS = auto()
    PROTOBUF = auto()


@dataclass(frozen=True, slots=True)
class Fetched:
    body: bytes
    format: Format


async def fetch(session: aiohttp.ClientSession, scrape: Scrape) -> Fetched:
    """Raises SourceError. `session` must not unpack answers itself: here that is bounded."""
    if refusal := host_refusal(urlsplit(scrape.url).hostname or ""):
        raise SourceError(f"the server cannot be reached: {refusal}")
    timeout = aiohttp.ClientTimeout(total=scrape.timeout)
    try:
        headers = _headers(scrape)
        async with session.get(scrape.url, headers=headers, timeout=timeout, allow_redirects=False) as response:
            if response.status != 200:
                raise SourceError(_refused(response.status))
            found = format_of(response.headers.get("Content-Type", ""))
            return Fetched(await _body(response), found)
    except SecretError as error:
        raise SourceError(f"a header has no value: {error}") from None
    except TimeoutError:
        raise SourceError(f"the server did not answer within {scrape.timeout:g} s") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise SourceError(f"the server cannot be reached: {why_not(error)}") from None


def format_of(content_type: str) -> Format:
    """A page that does not say is text. Raises SourceError where it says that it is no page of metrics."""
    said = Message()
    said["Content-Type"] = content_type
    kind = said.get_content_type() if content_type.strip() else "text/plain"
    if kind == "text/plain":
        return Format.TEXT
    if kind == "application/openmetrics-text":
        return Format.OPENMETRICS
    if kind == "application/vnd.google.protobuf" and said.get_param("encoding") in ("delimited", None):
        return Format.PROTOBUF
    raise SourceError(
        f"what answers there is {content_type[:80]!r}; expected metrics: text, OpenMetrics or protobuf"
    )


def _headers(scrape: Scrape) -> dict[str, str]:
    own = {name: value_of(each) for name, each in scrape.headers.items()}
    return {"User-Agent": "keeptime", "Accept": ACCEPT, "Accept-Encoding": "gzip", **own}


def _refused(status: int) -> str:
    if 300 <= status < 400:
        return f"the server answered {status}, a redirect, which is not followed; does the path end with /, or not?"
    hint = {
        401: "; expected 'headers' with a token",
        403: "; expected 'headers' with a token",
        404: "; is the path right?",
    }
    return f"the server answered {status}{hint.get(status, '')}"


async def _body(response: aiohttp.ClientResponse) -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise SourceError(f"the page is packed as {encoding[:40]!r}; expected gzip, or none")
    unpack = _Gzip() if encoding == "gzip" else None
    body = bytearray()
    async for chunk in response.content.iter_chunked(PIECE):
        body += chunk if unpack is None else unpack.more(chunk, LARGEST_PAGE + 1 - len(body))
        if len(body) > LARGEST_PAGE:
            raise SourceCapped(f"the page is larger than {LARGEST_PAGE // 1024**2} MiB")
    if unpack is not None and not unpack.whole:
        raise SourceError("the page is cut off: its gzip data does not end")
    return bytes(body)


class _Gzip:
    """Unpacks piece by piece, never more than is asked for."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def whole(self) -> bool:
        return self._inner.eof

    def more(self, chunk: bytes, most: int) -> bytes:
        """At most `most` bytes; what would be beyond is not unpacked. Raises SourceError."""
        try:
            return self._inner.decompress(chunk, most)
        except zlib.error:
            raise SourceError("the page is not the gzip data that it says it is") from None
