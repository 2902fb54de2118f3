"""What people have done about an objective: silenced its operators, taken its alert on; as JSON and in words.

Guarantees: of silences the one that lasts longest is shown, and only while it mutes. Knows nothing of HTTP.
"""

from keeptime.app.view import Snapshot
from keeptime.model.ack import Ack
from keeptime.model.key import ObjectiveKey
from keeptime.model.silence import Silence
from keeptime.web.figures import shown_instant
from keeptime.web.kept import Json


def marks_json(snapshot: Snapshot, key: ObjectiveKey) -> dict[str, Json]:
    """`silence` and `acknowledged` of an objective; null where there is none."""
    silence, ack = silence_of(snapshot, key), snapshot.acks.get(key)
    return {
        "silence": None if silence is None else _silence(silence),
        "acknowledged": None if ack is None else {"author": ack.author, "note": ack.note or None, "at": ack.at},
    }


def silence_of(snapshot: Snapshot, key: ObjectiveKey) -> Silence | None:
    """The silence that mutes this objective's operators now."""
    found = [each for each in snapshot.silences if each.covers(key) and each.active(snapshot.at)]
    return max(found, key=lambda each: each.ends, default=None)


def shown_marks(snapshot: Snapshot, key: ObjectiveKey) -> tuple[tuple[str, str], ...]:
    """(kind, words) of each: "acknowledged", "by ann since 14:02:00 UTC: on it"."""
    silence, ack = silence_of(snapshot, key), snapshot.acks.get(key)
    found = []
    if ack is not None:
        found.append(("acknowledged", _taken(ack, snapshot.at)))
    if silence is not None:
        until = shown_instant(silence.ends, snapshot.at)
        found.append(("operators silenced", f"by {silence.author} until {until}: {silence.reason}"))
    return tuple(found)


def _taken(ack: Ack, now: float) -> str:
    note = f": {ack.note}" if ack.note else ""
    return f"by {ack.author} since {shown_instant(ack.at, now)}{note}"


def _silence(one: Silence) -> dict[str, Json]:
    return {"id": one.id, "author": one.author, "reason": one.reason, "ends": one.ends}
