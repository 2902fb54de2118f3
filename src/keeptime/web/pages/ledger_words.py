"""A row of the ledger as a sentence.

Guarantees: says no more than the row does; a row that has not the fields of its kind is shown field by field. Knows
nothing of HTML.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from keeptime.model.ledger import Json, LedgerKind, LedgerRow

KINDS = {each.value: each.value.replace("_", " ") for each in LedgerKind}
HASH = 64

Fields = Mapping[str, Json]


def sentence(row: LedgerRow) -> str:
    """What it says."""
    made = SENTENCES.get(row.kind)
    try:
        return plain(row.fields) if made is None else made(row.fields)
    except (KeyError, TypeError, ValueError):
        return plain(row.fields)


def plain(fields: Fields) -> str:
    """ "epoch: 01J…, row: 4"; of long hashes the beginning."""
    return ", ".join(f"{name}: {_short(value)}" for name, value in fields.items() if value not in (None, ""))


def whole(fields: Fields) -> list[tuple[str, str]]:
    """Every field and all of its value, for who wants to see it."""
    return [(name, _shown(value)) for name, value in fields.items()]


def _decision(said: Fields) -> str:
    told = said["audiences"] or ["nobody"]
    assert isinstance(told, Sequence)
    muted = f"; silence {said['muted_by_silence']} keeps it from operators" if "muted_by_silence" in said else ""
    topic = str(said["topic"]).replace("_", " ")
    reason = f": {said['reason']}" if said.get("reason") else ""
    return f"{said['objective']} {topic}{reason} (told: {', '.join(map(str, told))}{muted})"


def _delivery(said: Fields) -> str:
    return f"{said['audience']} took a message by {said['receiver']}, and answered: {said['answer'] or 'nothing'}"


def _dead(said: Fields) -> str:
    return f"a message for {said['audience']} by {said['receiver']} was given up: {said['error'] or 'no answer'}"


def _replayed(said: Fields) -> str:
    return f"a message for {said['audience']} by {said['receiver']} is sent again"


def _discarded(said: Fields) -> str:
    return f"{said['author']} discarded a message for {said['audience']} by {said['receiver']}: {said['reason']}"


def _silence(said: Fields) -> str:
    of = said["objective"] or "the whole contract"
    until = f"until {_instant(said['ends'])} (silence {said['silence']})"
    return f"{said['author']} silenced the operators of {of} {until}: {said['reason']}"


def _silence_ended(said: Fields) -> str:
    by = f", by {said['author']}" if said["author"] else ""
    why = f": {said['reason']}" if said["reason"] else ""
    return f"silence {said['silence']} is over ({said['how']}){by}{why}"


def _ack(said: Fields) -> str:
    note = f": {said['note']}" if said.get("note") else ""
    return f"{said['author']} took on the alert of {said['objective']}{note}"


def _event(said: Fields) -> str:
    text = ", ".join(str(said[name]) for name in ("version", "text") if said.get(name))
    return f"{said['kind']} at {_instant(said['at'])}, says {said['author']}{': ' if text else ''}{text}"


def _exclusion(said: Fields) -> str:
    reasons = said["reasons"]
    assert isinstance(reasons, Sequence)
    parts = [f"{each['events']:,} for {each['reason']}" for each in reasons if isinstance(each, Mapping)]
    return f"{said['objective']}: on {said['day']} did not count {'; '.join(parts)}"


def _declared(said: Fields) -> str:
    of = said["objective"] or "the whole contract"
    span = f"from {_instant(said['from'])} until {_instant(said['until'])} (exclusion {said['exclusion']})"
    return f"{said['author']} declared that what is due of {of} does not count {span}: {said['reason']}"


def _undeclared(said: Fields) -> str:
    why = f": {said['reason']}" if said["reason"] else ""
    return f"exclusion {said['exclusion']} ends at {_instant(said['until'])}, says {said['author']}{why}"


def _contract(said: Fields) -> str:
    before = f"; before: {said['before']}" if said.get("before") else ""
    version = f", version {said['version']}" if said.get("version") else ""
    return f"{said['change']}{version}{before}"


def _escalation(said: Fields) -> str:
    to = said["to"]
    if not isinstance(to, Mapping):
        return f"message {said['id']} is passed on to nobody: {said['reason']}"
    return f"message {said['id']} goes on to {to['audience']} by {to['receiver']}: {said['reason']}"


def _epoch(said: Fields) -> str:
    return "keeptime started on this store" if said["epoch"] else plain(said)


def _access(said: Fields) -> str:
    who = f"token {said['token']}" if said["token"] else f"somebody at {said['client']}"
    what = f"{said['method']} {said['path']}"
    return f"{who} was let in: {what}" if not said["status"] else f"{who} was refused ({said['reason']}): {what}"


SENTENCES: Mapping[str, Callable[[Fields], str]] = {
    LedgerKind.DECISION: _decision,
    LedgerKind.WITHDRAWN: _decision,
    LedgerKind.DELIVERY: _delivery,
    LedgerKind.DEAD_LETTER: _dead,
    LedgerKind.REPLAYED: _replayed,
    LedgerKind.DISCARDED: _discarded,
    LedgerKind.SILENCE: _silence,
    LedgerKind.SILENCE_ENDED: _silence_ended,
    LedgerKind.ACK: _ack,
    LedgerKind.EVENT: _event,
    LedgerKind.EXCLUSION: _exclusion,
    LedgerKind.EXCLUSION_DECLARED: _declared,
    LedgerKind.EXCLUSION_ENDED: _undeclared,
    LedgerKind.CONTRACT: _contract,
    LedgerKind.ESCALATION: _escalation,
    LedgerKind.EPOCH: _epoch,
    LedgerKind.ACCESS: _access,
}
"""By kind; whoever adds a kind adds its sentence, which a test holds."""


def _instant(value: Json) -> str:
    """In UTC, as it stands in the judge's sentences."""
    if not isinstance(value, int | float):
        raise TypeError("no instant")
    return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _short(value: Json) -> str:
    text = _shown(value)
    return f"{text[:8]}…" if len(text) == HASH and " " not in text else text


def _shown(value: Json) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_shown(each)}" for name, each in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_shown, value))
    return "–" if value is None else str(value)
