"""Is a refusal of a webhook about clocks? Signatures bear a time, so a receiver whose clock is off refuses all.

Guarantees: pure; recognised by the Date of the answer (RFC 9110 §6.6.1) being far from our time, or by words
about a time stamp; the sentence names both clocks, for nobody can tell from here which one is wrong. Nothing of the
answer's body is repeated.
"""

import re
from http import HTTPStatus

from keeptime.errors import DeliveryError
from keeptime.tell.receivers.http import refusal
from keeptime.units import speak_duration

FAR = 60.0
"""Seconds between two clocks from which on they are said to differ: Date has whole ones, and messages travel."""

REFUSING = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY)
"""What verifiers answer to a message that they do not believe."""

_OLD = re.compile(rb"(?i)time ?stamp (is )?too old|sent .{1,40} ago by its sender's clock")
_NEW = re.compile(rb"(?i)time ?stamp (is )?too new|sent .{1,40} in the future")


def refused(now: float, status: int, body: bytes, after: float | None, date: float | None) -> DeliveryError:
    """The error of an answer that is not 2xx. `now`: Unix seconds by our clock; `date`: by the receiver's."""
    clock = _clock(now, body, date) if status in REFUSING else ""
    said = f"{refusal(status)}; {clock}" if clock else refusal(status)
    return DeliveryError(said, after=after, gone=status == HTTPStatus.GONE, clock=clock)


def _clock(now: float, body: bytes, date: float | None) -> str:
    """A sentence about two clocks; "" where they agree, or nothing is known."""
    if date is not None and abs(date - now) > FAR:
        way = "ahead of" if date > now else "behind"
        return f"its clock is {speak_duration(abs(date - now))} {way} ours, by its Date: one of the two is wrong"
    if _OLD.search(body):
        return "it takes the message for too old: its clock is ahead of ours, and one of the two is wrong"
    if _NEW.search(body):
        return "it takes the message for sent in the future: its clock is behind ours, and one of the two is wrong"
    return ""
