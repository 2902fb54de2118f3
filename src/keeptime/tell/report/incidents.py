"""Incidents of the past, read from the ledger: what was decided, who was told, and what became of each message.

Guarantees: an incident begins with the first message of an alert and ends with `recovered` or `withdrawn`; of a
receiver there is its kind, never its address or what it answered. Knows no database and no format.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from keeptime.model.alert import ENDINGS, OPERATORS
from keeptime.model.ledger import Json, LedgerKind, LedgerRow
from keeptime.tell.report.values import Incident, Sent, Told

_DECIDED = frozenset({LedgerKind.DECISION, LedgerKind.WITHDRAWN})
_STATES = {
    LedgerKind.DELIVERY: "delivered",
    LedgerKind.DEAD_LETTER: "given up",
    LedgerKind.REPLAYED: "replayed",
    LedgerKind.DISCARDED: "discarded",
}


def incidents(rows: Sequence[LedgerRow], consumer: str = "") -> Mapping[str, Sequence[Incident]]:
    """By objective, oldest first. With a consumer: only what that one was told."""
    sent = _sent(rows)
    told: defaultdict[str, list[Told]] = defaultdict(list)
    for row in rows:
        if row.kind in _DECIDED and (found := _told(row, sent, consumer)) is not None:
            told[_text(row.fields, "objective")].append(found)
    return {name: tuple(_alerts(each)) for name, each in told.items()}


def _sent(rows: Iterable[LedgerRow]) -> Mapping[tuple[str, str], Sequence[Sent]]:
    """By message and audience."""
    found: defaultdict[tuple[str, str], list[Sent]] = defaultdict(list)
    for row in rows:
        if row.kind in _STATES:
            audience = _text(row.fields, "audience")
            state = _STATES[LedgerKind(row.kind)]
            each = Sent(audience, _text(row.fields, "receiver"), state, row.at)
            found[_text(row.fields, "id"), audience].append(each)
    return found


def _told(row: LedgerRow, sent: Mapping[tuple[str, str], Sequence[Sent]], consumer: str) -> Told | None:
    """None of what this consumer was not told."""
    given = row.fields.get("audiences")
    audiences = [each for each in given if isinstance(each, str)] if isinstance(given, list) else []
    if consumer:
        audiences = [each for each in audiences if each == consumer]
        if not audiences:
            return None
    message = _text(row.fields, "id")
    muted = "muted_by_silence" in row.fields
    ways = [way for each in audiences for way in sent.get((message, each)) or [_nowhere(each, muted)]]
    return Told(message, row.at, _text(row.fields, "topic"), _text(row.fields, "reason"), tuple(ways))


def _nowhere(audience: str, muted: bool) -> Sent:
    return Sent(audience, "", "muted" if muted and audience == OPERATORS else "waiting", None)


def _alerts(told: Iterable[Told]) -> Iterator[Incident]:
    open_: list[Told] = []
    for each in told:
        if each.topic not in ENDINGS:
            open_.append(each)
        elif open_:  # an end without a beginning is of an alert before there was a ledger
            yield Incident(open_[0].at, each.at, (*open_, each))
            open_ = []
    if open_:
        yield Incident(open_[0].at, None, tuple(open_))


def _text(fields: Mapping[str, Json], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
