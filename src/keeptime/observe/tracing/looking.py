"""Looks a trace up by its id, in the Jaeger or the Tempo that a contract names.

Guarantees: what is asked for is an id of 32 hex digits below the contract's own URL, and nothing else; an answer is
whole and within its bounds, or a SourceError says what was wrong without repeating the URL or a header; no redirect
is followed, no proxy taken from the environment, no address connected to that keeptime never connects to.
"""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver

from keeptime.contract.traced import TraceStore, Tracing
from keeptime.errors import SecretError, SourceError
from keeptime.model.reach import host_refusal
from keeptime.model.trace import TraceSpan
from keeptime.observe.outbound import session, value_of, whole, why_not
from keeptime.observe.tracing import jaeger, tempo

LARGEST_ANSWER = 8 * 1024 * 1024
"""Bytes of one trace."""
_ID = re.compile("[0-9a-f]{32}")
_READ = {TraceStore.JAEGER: jaeger.spans, TraceStore.TEMPO: tempo.spans}
_ACCEPT = {TraceStore.JAEGER: "application/json", TraceStore.TEMPO: "application/protobuf"}


class TraceLooker:
    """Opens nothing before the first look. `names`: who looks hosts up; None: the system."""

    def __init__(self, names: AbstractResolver | None = None) -> None:
        self._names = names
        self._session: aiohttp.ClientSession | None = None

    async def look(self, where: Tracing, trace: str) -> Sequence[TraceSpan]:
        """Its spans; none where it is not known there. Raises SourceError."""
        if _ID.fullmatch(trace) is None:
            raise ValueError(f"{trace[:40]!r} is no trace id")
        whom = where.kind.value.capitalize()
        try:
            status, body = await self._exchange(where, whom, trace)
        except SecretError as error:
            raise SourceError(f"a header for {whom} has no value: {error}") from None
        except TimeoutError:
            raise SourceError(f"{whom} did not answer within {where.timeout:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise SourceError(f"{whom} cannot be reached: {why_not(error)}") from None
        if status == 404:
            return ()
        if status != 200:
            raise SourceError(f"{whom} answered {status}; expected 200")
        return _READ[where.kind](body)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _exchange(self, where: Tracing, whom: str, trace: str) -> tuple[int, bytes]:
        if refusal := host_refusal(urlsplit(where.url).hostname or ""):
            raise SourceError(f"{whom} cannot be reached: {refusal}")
        headers = {
            "User-Agent": "keeptime",
            "Accept": _ACCEPT[where.kind],
            **{name: value_of(each) for name, each in where.headers.items()},
        }
        if self._session is None:
            self._session = session("what keeps the traces", self._names)
        timeout = aiohttp.ClientTimeout(total=where.timeout)
        url = f"{where.url.rstrip('/')}/api/traces/{trace}"
        async with self._session.get(url, headers=headers, timeout=timeout, allow_redirects=False) as response:
            return response.status, await whole(response, LARGEST_ANSWER, f"a trace of {whom}")
