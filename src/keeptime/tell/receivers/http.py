"""One HTTP request to a receiver: 2xx, or a DeliveryError that says why without quoting anything secret.

Guarantees: a fresh connection each time, to an address that was checked; no proxies from the environment, no
cookies, no redirects followed, TLS verified; at most ANSWER_LIMIT bytes of the answer are read; the whole exchange
ends within the timeout.
"""

import asyncio
import os
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractCookieJar, AbstractResolver
from yarl import URL

from keeptime.errors import DeliveryError
from keeptime.model.reach import Reach
from keeptime.tell.receivers.names import Names, Reachable, check_host

ANSWER_LIMIT = 65_536
"""Bytes of an answer's body that are read at most."""

TIMEOUT = 10.0
"""Seconds for the whole exchange: look-up, connect, TLS, request and answer."""

Refused = Callable[[int, bytes, float | None, float | None], DeliveryError]
"""The error for an answer that is not 2xx: from its status, its body (cut), the Retry-After in seconds, and the
Date in Unix seconds.
"""


class Poster:
    """Posts bodies. Opens nothing before the first `post`. `names`: who looks host names up, its own from here on.

    `reach`: which addresses may be connected to; there is one session for each.
    """

    def __init__(self, timeout: float = TIMEOUT, names: AbstractResolver | None = None) -> None:
        self._timeout = timeout
        self._names = Names() if names is None else names
        self._sessions: dict[Reach, aiohttp.ClientSession] = {}

    async def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        now: float,
        reach: Reach,
        refused: Refused | None = None,
    ) -> str:
        """Post once; returns the status of a 2xx ("204"). `now`: Unix seconds, to read a Retry-After date.

        Raises DeliveryError for anything else: another status, a timeout, no connection, no URL. `refused` says
        more of another status than its number, from the answer's body; without it that body is not read.
        """
        status, _ = await self._ask("POST", url, body, headers, now, reach, refused)
        return status

    async def get(self, url: str, now: float, reach: Reach) -> bytes:
        """The answer's body, cut at ANSWER_LIMIT. Raises DeliveryError as `post` does."""
        _, answer = await self._ask("GET", url, None, {}, now, reach)
        return answer

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()
        await self._names.close()

    async def _ask(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        now: float,
        reach: Reach,
        refused: Refused | None = None,
    ) -> tuple[str, bytes]:
        whole = refused is not None
        try:
            place = place_of(url, reach)
            async with asyncio.timeout(self._timeout):
                status, said, answer = await self._exchange(method, place, body, headers, reach, whole)
        except TimeoutError:
            raise DeliveryError(f"no answer within {self._timeout:g} s") from None
        except (aiohttp.ClientError, ValueError, OSError) as error:
            raise DeliveryError(_sentence(error)) from None
        if 200 <= status < 300:
            return str(status), answer
        after = retry_after(said, now)
        if refused is not None:
            raise refused(status, answer, after, _date(said))
        raise DeliveryError(refusal(status), after=after, gone=status == HTTPStatus.GONE)

    async def _exchange(
        self,
        method: str,
        url: URL,
        body: bytes | None,
        headers: Mapping[str, str],
        reach: Reach,
        whole: bool,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """The answer's status, its headers, and its body; the body of a refusal only if `whole`."""
        session = self._open(reach)
        sent = {"user-agent": "keeptime", **headers}
        async with session.request(method, url, data=body, headers=sent, allow_redirects=False) as response:
            taken = 200 <= response.status < 300
            answer = await _read(response) if taken or whole else b""
            return response.status, response.headers, answer

    def _open(self, reach: Reach) -> aiohttp.ClientSession:
        if reach not in self._sessions:
            reachable = Reachable(self._names, reach)
            self._sessions[reach] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, force_close=True, resolver=reachable, use_dns_cache=False),
                cookie_jar=_no_cookies(),
                trust_env=False,
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._sessions[reach]


def place_of(url: str, reach: Reach) -> URL:
    """A URL that can be asked, read as it will be used. Raises DeliveryError for a host that is refused, else
    InvalidURL or ValueError, whose text nobody sees.
    """
    parts = URL(url)
    if parts.scheme not in ("http", "https") or not parts.raw_host:
        raise aiohttp.InvalidURL(url)
    check_host(parts.raw_host, reach, urlsplit(url).hostname)
    return parts


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110 §10.2.3: seconds or a date); None without one."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError, OSError):
        return None


def _date(headers: Mapping[str, str]) -> float | None:
    """When the receiver's clock says that it answered; None where it does not say."""
    try:
        return parsedate_to_datetime(headers.get("Date", "").strip()).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The answer's body up to the limit. The request was taken already: a body that breaks off changes nothing."""
    answer = bytearray()
    try:
        while chunk := await response.content.read(ANSWER_LIMIT - len(answer)):
            answer += chunk
    except aiohttp.ClientError:
        pass
    return bytes(answer)


def _no_cookies() -> AbstractCookieJar:
    return aiohttp.DummyCookieJar()


def refusal(status: int) -> str:
    """What a status that is not 2xx means, as a sentence."""
    if 300 <= status < 400:
        return f"it answered {status}, a redirect, which is not followed; expected 2xx"
    try:
        return f"it answered {status} {HTTPStatus(status).phrase}; expected 2xx"
    except ValueError:
        return f"it answered {status}; expected 2xx"


def _sentence(error: Exception) -> str:
    """What went wrong. Never the library's own text: it quotes the URL, which may hold a secret."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "the name of its host was not found"
        case aiohttp.ClientConnectorCertificateError():
            return "its TLS certificate is not valid"
        case aiohttp.ClientSSLError():
            return "TLS failed"
        case aiohttp.ClientConnectorError():
            return f"no connection: {_strerror(error.errno)}"
        case aiohttp.ServerDisconnectedError():
            return "it closed the connection before it answered"
        case aiohttp.ClientResponseError():
            return "it answered what is not HTTP"
        case ValueError():  # after TLS, whose errors are ValueErrors too
            return "its address is no URL; expected http:// or https://"
        case OSError():
            return f"the connection broke: {_strerror(error.errno)}"
        case _:
            return f"it cannot be reached ({type(error).__name__})"


def _strerror(number: int | None) -> str:
    return os.strerror(number) if number else "no reason given"
