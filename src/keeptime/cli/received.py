"""One received message as text: for people, or as one line of JSON.

Guarantees: no control character of a message reaches the terminal. Knows nothing of how it came.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime

from keeptime.consumer.gaps import Gap
from keeptime.consumer.inbox import Received
from keeptime.consumer.notice import Notice
from keeptime.consumer.pulse import Silent
from keeptime.units import speak_duration


def as_json(received: Received) -> str:
    """The stable JSON of one message, on one line; `message` is the body as it came, `sent` is Unix seconds."""
    gap = received.gap
    told = {
        "id": received.id,
        "type": received.type,
        "sent": received.sent,
        "gap": None if gap is None else _gap(gap),
        "remark": received.remark or None,
        "message": dict(received.fields),
    }
    return json.dumps(told)


def silence_json(silent: Silent, *, over: bool = False) -> str:
    """One line of the same form about heartbeats that stopped, or came back: nobody sent it, so it has no id."""
    said = {"contract": silent.contract, "since": silent.since, "every_seconds": silent.every_seconds}
    told = {"id": None, "type": "heard" if over else "silent", "sent": None, "gap": None, "remark": None}
    return json.dumps(told | {"message": said | {"text": silent.text}})


def picture(received: Received) -> str:
    """Some lines: what happened, why, what was promised, since when, what is left, what comes next."""
    lines = list(_other(received) if received.notice is None else _lines(received.notice))
    if received.gap is not None:
        lines.append(f"  gap       {received.gap.text}")
    if received.remark:
        lines.append(f"  remark    {received.remark}")
    return "\n".join(map(clean, lines))


def clean(text: str) -> str:
    """`text` on one line, with a mark in the place of each character that does not print."""
    return "".join(each if each.isprintable() else "�" for each in text)


def _gap(gap: Gap) -> Mapping[str, object]:
    return {"certain": gap.certain, "missing": gap.missing, "text": gap.text, "declared": gap.declared}


def _other(received: Received) -> Iterator[str]:
    """A message that is about no objective: a test, or one that is newer than this program."""
    yield f"{received.type or 'a message without a type'}  {received.id}"
    reason = received.fields.get("reason")
    if isinstance(reason, str):
        yield f"  {reason}"


def _lines(notice: Notice) -> Iterator[str]:
    severity = f" ({notice.severity})" if notice.severity else ""
    yield f"{_at(notice.at)}  {notice.topic}{severity}  {notice.key}"
    yield f"  {notice.reason}"
    yield f"  promised  {notice.promise.text}"
    yield f"  since     {_at(notice.since)}; before that {notice.previous_condition}"
    yield f"  budget    {_budget(notice)}"
    yield f"  next      {notice.next}"
    for name, link in notice.links.items():
        yield f"  {name:<9} {link}"


def _budget(notice: Notice) -> str:
    budget = notice.budget
    text = f"{budget.left:,.0f} of {budget.total:,.0f} bad requests left"
    if notice.exhausted_in is not None and budget.left > 0:
        text += f"; at this pace gone in {speak_duration(notice.exhausted_in)}"
    return text


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
