"""How delivering to one receiver stands, in the words of the first page."""

from dataclasses import dataclass

from keeptime.app.view import DeliveryView
from keeptime.web.describe import shown_receiver
from keeptime.web.figures import shown_age


@dataclass(frozen=True, slots=True)
class ReceiverRow:
    audience: str
    receiver: str
    delivered: str
    waiting: str
    last_error: str


def receiver_row(view: DeliveryView) -> ReceiverRow:
    age = f", oldest for {shown_age(view.oldest_waiting_seconds)}" if view.waiting else ""
    waiting = f"{view.waiting:,} waiting{age}" if view.waiting else "none waiting"
    return ReceiverRow(
        audience=view.audience,
        receiver=shown_receiver(view.address).rstrip(":"),
        delivered=f"{view.delivered:,} delivered",
        waiting=waiting + _muted(view) + _dead(view),
        last_error=view.last_error if view.waiting and view.last_error else view.dead_reason,
    )


def _muted(view: DeliveryView) -> str:
    return f", {view.muted:,} muted" if view.muted else ""


def _dead(view: DeliveryView) -> str:
    if not view.dead_letters:
        return ""
    return f", {view.dead_letters:,} dead letter{'' if view.dead_letters == 1 else 's'}"
