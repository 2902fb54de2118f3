"""Is this message from who promised, unchanged, and sent just now?

Guarantees: a pure function of headers, body, keys and `now`; whatever is given, the result is `Genuine` or the
error is `MessageRefused`. Nothing of a body is read before its signature is right. Knows not what was seen
before.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NoReturn, Protocol

from keeptime.consumer.signing import Key, key_of
from keeptime.errors import MessageRefused, UsageError
from keeptime.units import speak_duration

LARGEST = 65_536
"""Bytes of a body."""

TOLERANCE = 300.0
"""Seconds between sender's and consumer's clock, the way of the message included."""

_ID = re.compile(r"[!-~]{1,256}")
_TIMESTAMP = re.compile(r"0|[1-9][0-9]{0,10}")
_LONGEST_SIGNATURE = 4096
_NEEDED = ("webhook-id", "webhook-timestamp")
_SIGNATURE = "webhook-signature"


class Headers(Protocol):
    """The headers of a request, as Flask, Starlette, http.server and a plain dict have them; any case."""

    def items(self) -> Iterable[tuple[str, str]]: ...


@dataclass(frozen=True, slots=True)
class Genuine:
    """A message that is believed. `sent`: Unix seconds of this attempt; `fields`: the body."""

    id: str
    sent: int
    fields: Mapping[str, object]

    @property
    def type(self) -> str:
        """Its `type`; "" where it has none."""
        found = self.fields.get("type")
        return found if isinstance(found, str) else ""


class Verifier:
    """Checks messages against one or several keys (several while a secret is being changed)."""

    def __init__(
        self,
        keys: Iterable[str | Key],
        *,
        tolerance: float = TOLERANCE,
        largest: int = LARGEST,
        unsigned: bool = False,
    ) -> None:
        """`keys`: secrets or public keys (`whpk_…`) as text, or keys.

        `unsigned`: having no key is no error; then anyone is believed.

        Raises SecretError where a text is no secret, UsageError.
        """
        given = [keys] if isinstance(keys, str) else list(keys)
        self._keys = tuple(key_of(each) if isinstance(each, str) else each for each in given)
        if not self._keys and not unsigned:
            raise UsageError("a verifier without a secret believes anyone; give one, or say unsigned=True")
        if not tolerance > 0:
            raise UsageError(f"tolerance {tolerance:g} s: expected more than 0")
        self._tolerance = tolerance
        self.largest = largest

    def verify(self, headers: Headers, body: bytes, now: float) -> Genuine:
        """The message. `body`: the raw bytes as they came; `now`: Unix seconds. Raises MessageRefused."""
        found = _ours(headers)
        message_id, timestamp = _id(found), _timestamp(found)
        text = self._text(body)
        if self._keys:
            self._check_signature(message_id, timestamp, text, found.get(_SIGNATURE, ""))
        self._check_age(timestamp, now)
        fields = _object(text)
        if fields.get("id", message_id) != message_id:
            raise MessageRefused("malformed", "the body's id is not the header's webhook-id")
        return Genuine(message_id, timestamp, fields)

    def _text(self, body: bytes) -> str:
        if not isinstance(body, bytes):
            raise MessageRefused("malformed", "the body is no bytes; give it as it came, before any parsing")
        if len(body) > self.largest:
            raise MessageRefused("too_large", f"{len(body):,} bytes; expected at most {self.largest:,}")
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            raise MessageRefused("malformed", "the body is not UTF-8") from None

    def _check_signature(self, message_id: str, timestamp: int, text: str, header: str) -> None:
        if not header:
            raise MessageRefused("signature", "it has no webhook-signature, and a secret is set here")
        if len(header) > _LONGEST_SIGNATURE:
            raise MessageRefused("malformed", "the webhook-signature is longer than 4,096 characters")
        given = [each.partition(",") for each in header.split(" ")]
        known = {key.scheme for key in self._keys}
        if not any(scheme in known for scheme, _, _ in given):
            raise MessageRefused(
                "signature", f"no signature is of a scheme known here ({', '.join(sorted(known))})"
            )
        for key in self._keys:
            for scheme, _, signature in given:
                if scheme == key.scheme and key.signs(message_id, timestamp, text, signature):
                    return
        raise MessageRefused("signature", "not signed by who knows our secret, or changed on its way")

    def _check_age(self, timestamp: int, now: float) -> None:
        """Last, so that only who knows the secret can make us doubt our clock."""
        if not math.isfinite(now):
            raise MessageRefused("stale", f"this machine's time is {now}, so the message's age is not known")
        age = now - timestamp
        if abs(age) <= self._tolerance:
            return
        off, limit = speak_duration(abs(age)), speak_duration(self._tolerance)
        if age > 0:
            raise MessageRefused(
                "stale", f"sent {off} ago by its sender's clock, more than {limit}: a replay, or this clock is fast"
            )
        raise MessageRefused(
            "stale",
            f"sent {off} in the future, more than {limit}: this machine's clock is slow, or the sender's fast",
        )


def _ours(headers: Headers) -> dict[str, str]:
    """The headers of Standard Webhooks, names in lower case."""
    found: dict[str, str] = {}
    for name, value in headers.items():
        lower = name.lower() if isinstance(name, str) else ""
        if lower not in (*_NEEDED, _SIGNATURE):
            continue
        if lower in found or not isinstance(value, str):
            raise MessageRefused("malformed", f"{lower} is there twice, or is no text")
        found[lower] = value
    for name in _NEEDED:
        if name not in found:
            raise MessageRefused("malformed", f"it has no {name}; expected the headers of Standard Webhooks")
    return found


def _id(found: Mapping[str, str]) -> str:
    if not _ID.fullmatch(found["webhook-id"]):
        raise MessageRefused("malformed", "webhook-id: expected 1 to 256 printable ASCII characters")
    return found["webhook-id"]


def _timestamp(found: Mapping[str, str]) -> int:
    if not _TIMESTAMP.fullmatch(found["webhook-timestamp"]):
        raise MessageRefused("malformed", "webhook-timestamp: expected Unix seconds")
    return int(found["webhook-timestamp"])


def _object(text: str) -> Mapping[str, object]:
    try:
        found = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise MessageRefused("malformed", "the body is not JSON") from None
    if not isinstance(found, dict):
        raise MessageRefused("malformed", "the body is no JSON object")
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
