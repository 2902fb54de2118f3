"""What a line says → a request that is counted, or why it is none.

Guarantees: a request that failed says how; a latency that a line does not say is never invented; of each
attribute a bounded number of values is told apart. Takes `now`, reads no clock.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from keeptime.contract.eligibility import fits
from keeptime.contract.traffic.log import Log
from keeptime.contract.traffic.log_fields import Moment
from keeptime.model.sample import Connection, Failure, Phases, Sample, Stream
from keeptime.observe.log.parsing import MOST_OF_A_VALUE, Said
from keeptime.observe.log.values import NANOSECONDS, instant_ns, latency_ns, path_of, status_of

BAD_LATENCY, BAD_STATUS, BAD_TIME = "bad_latency", "bad_status", "bad_time"
LATE, AHEAD, UNMATCHED = "late", "ahead", "unmatched"

LATEST_NS = AHEAD_NS = 600 * 10**9
"""A line that is older than this, or from so far in the future, is not counted."""

MOST_VALUES = 100
MOST_KEPT = 4096
"""Different requests whose attributes, and ends, are known without thinking."""
LONGEST_KEPT = 500
"""Characters of such a request; a longer one is thought of each time."""

OTHER = "other"
_COUNT = re.compile(r"\d{1,9}", re.ASCII)
CLIENT_CLOSED = 499
"""nginx: the client has closed the connection before the answer was there."""

_FLAGS = {
    "DC": Failure.DISCONNECTED,
    "DR": Failure.DISCONNECTED,
    "UT": Failure.TIMEOUT,
    "SI": Failure.TIMEOUT,
    "DT": Failure.TIMEOUT,
    "UMSDR": Failure.TIMEOUT,
    "UH": Failure.REFUSED,
    "UF": Failure.REFUSED,
    "UC": Failure.PROTOCOL,
    "UR": Failure.PROTOCOL,
    "LR": Failure.PROTOCOL,
    "UPE": Failure.PROTOCOL,
}
"""Envoy's response flags that say that no whole answer came. Others leave it to the status."""


class Requests:
    """Of one log of one contract."""

    def __init__(self, contract: str, log: Log) -> None:
        self._contract, self._log = contract, log
        self._per_unit = NANOSECONDS[log.fields.unit]
        self._starts = log.fields.time_of is Moment.START
        self._seen: dict[str, set[str]] = {}
        self._names = tuple(name for name, _ in log.attributes)
        self._known: dict[tuple[str, str, str, str, tuple[str, ...]], Mapping[str, str]] = {}
        self._ends: dict[tuple[str, str], tuple[int, Failure | None, str]] = {}

    def of(self, said: Said, now_ns: int) -> Sample | str:
        """`now_ns`: Unix nanoseconds."""
        ended = self._ends.get((said.status, said.flags)) or self._end(said.status, said.flags)
        if ended is None:
            return BAD_STATUS
        status, failure, detail = ended
        attributes = self._attributes(said)
        if self._log.match and not fits(self._log.match, {**attributes, "status": str(status)}):
            return UNMATCHED
        took = latency_ns(said.latency, self._per_unit) if said.latency else None
        if took is None and (failure is None or said.latency):
            return BAD_LATENCY
        stream = self._stream(said, took or 0) if said.first_token else None
        if stream is None and said.first_token and failure is None:
            return BAD_LATENCY
        found = self._sample(said, now_ns, took or 0, status, failure, detail, attributes)
        return replace(found, stream=stream) if stream is not None and isinstance(found, Sample) else found

    def _stream(self, said: Said, took: int) -> Stream | None:
        """None where the first token is said to have come before the request, or after its end."""
        first = latency_ns(said.first_token, self._per_unit)
        if first is None or first > took:
            return None
        tokens = int(said.tokens) if _COUNT.fullmatch(said.tokens) else 0
        return Stream(first, took, tokens=tokens)

    def _sample(
        self,
        said: Said,
        now_ns: int,
        took: int,
        status: int,
        failure: Failure | None,
        detail: str,
        attributes: Mapping[str, str],
    ) -> Sample | str:
        at = instant_ns(said.time) if said.time else now_ns
        if at is None:
            return BAD_TIME
        done = at + took if self._starts and said.time else at
        if not now_ns - LATEST_NS <= done <= now_ns + AHEAD_NS:
            return LATE if done < now_ns else AHEAD
        done = min(done, now_ns)
        sent = done - took
        return Sample(
            self._contract,
            sent,
            sent,
            done,
            Phases(wait=took),
            failure,
            status or None,
            0,
            Connection.FRESH,
            False,
            0,
            detail,
            attributes,
            observer=self._log.kind,
        )

    def _end(self, said: str, flags: str) -> tuple[int, Failure | None, str] | None:
        """Status and failure; None where there is no such status. Few occur, so each is thought of once."""
        status = status_of(said or "-")
        if status is None:
            return None
        found = (status, *self._failure(status, flags))
        if len(flags) <= LONGEST_KEPT and len(self._ends) < MOST_KEPT:
            self._ends[said, flags] = found
        return found

    def _failure(self, status: int, flags: str) -> tuple[Failure | None, str]:
        if flags:
            for flag in flags.split(","):
                if flag in _FLAGS:
                    return _FLAGS[flag], f"response flag {flag}"
        if status == CLIENT_CLOSED:
            return Failure.DISCONNECTED, "the client went away (status 499)"
        if any(low <= status <= high for low, high in self._log.failed):
            return Failure.STATUS, f"status {status}"
        return (None, "") if status else (Failure.PROTOCOL, "there was no answer")

    def _attributes(self, said: Said) -> Mapping[str, str]:
        """Lines that are alike share one mapping, which nobody changes."""
        path = said.path.partition("?")[0]
        key = (said.method, path, said.upstream, said.flags, said.attributes)
        known = self._known.get(key)
        if known is not None:
            return known
        found = {
            "method": said.method,
            "path": path_of(path) if path else "",
            "upstream": said.upstream,
            "flags": said.flags,
        }
        if self._names:
            found |= zip(self._names, said.attributes, strict=True)
        told = {name: self._capped(name, value) for name, value in found.items() if value}
        size = len(path) + sum(map(len, said.attributes)) + len(said.method) + len(said.upstream) + len(said.flags)
        if size <= LONGEST_KEPT and len(self._known) < MOST_KEPT:
            self._known[key] = told
        return told

    def _capped(self, name: str, value: str) -> str:
        seen = self._seen.get(name)
        if seen is None:
            seen = self._seen[name] = set()
        if value in seen:
            return value
        value = value[:MOST_OF_A_VALUE]
        if value not in seen:
            if len(seen) >= MOST_VALUES:
                return OTHER
            seen.add(value)
        return value
