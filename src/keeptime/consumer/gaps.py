"""What did not come: messages that are missing between two, and a provider that has gone silent.

Guarantees: a gap is `certain` only where the sender numbers its messages; without numbers a change that was not
heard of is named as what it is, for it may never have been meant for this receiver. Memory is bounded. No clock.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from keeptime.consumer.course import Course, Found, look, moved
from keeptime.consumer.heartbeat import Heartbeat
from keeptime.consumer.notice import Notice
from keeptime.consumer.numbers import Numbers, Route
from keeptime.errors import UsageError
from keeptime.model.key import ObjectiveKey
from keeptime.model.verdict import Condition, Severity
from keeptime.units import speak_duration

MOST = 10_000
"""Routes, and objectives, whose last message is remembered."""

Standing = tuple[Condition, Severity | None]
Seen = Callable[[str], bool]
"""Was the message of this id taken, ever?"""


@dataclass(frozen=True, slots=True)
class Gap:
    """Before this message something did not come here. `missing`: how many messages; None: nobody can tell.

    `declared`: ids of what the sender itself says that it gave up; it may come yet, where it is sent again.
    """

    certain: bool
    missing: int | None
    text: str
    declared: tuple[str, ...] = ()


class Courses:
    """The last message of each route and objective that was taken."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._routes: OrderedDict[Route, Course] = OrderedDict()
        self._standings: OrderedDict[ObjectiveKey, Standing] = OrderedDict()

    def look(self, numbers: Numbers | None, notice: Notice | None, seen: Seen) -> tuple[Gap | None, str]:
        """What is missing before a message (None: nothing that can be known), and what else its numbers show as a
        sentence, or "". Changes nothing.
        """
        if numbers is None:
            return (None if notice is None else self._by_condition(notice)), ""
        last = self._routes.get(numbers.route)
        found = look(last, numbers, seen)
        return _gap(last, numbers, found), _remark(last, numbers, found)

    def move(self, message_id: str, numbers: Numbers | None, notice: Notice | None, seen: Seen) -> None:
        """It was taken, now or before: the next is compared with it."""
        if numbers is not None:
            last = self._routes.pop(numbers.route, None)
            self._routes[numbers.route] = moved(last, numbers, look(last, numbers, seen), message_id)
        if notice is not None:
            self._standings.pop(notice.key, None)
            self._standings[notice.key] = (notice.condition, notice.severity)
        self._forget()

    def tail(self, beat: Heartbeat, seen: Seen) -> Gap | None:
        """What this receiver took by the sender's word, and never came here; None: nothing that can be known."""
        last = self._routes.get(Route(beat.contract, beat.consumer))
        if beat.sequence is None or last is None or beat.sequence <= last.sequence:
            return None
        if beat.epoch != last.epoch if beat.last_id is None else seen(beat.last_id):
            return None
        missing = beat.sequence - last.sequence
        text = (
            f"the last {missing} of {beat.contract} missing: number {beat.sequence} was taken, {last.sequence} came"
        )
        return Gap(True, missing, text)

    def move_to(self, beat: Heartbeat) -> None:
        """What a sign of life says is where the numbers stand: a lost tail is told once."""
        if beat.sequence is None:
            return
        route = Route(beat.contract, beat.consumer)
        last = self._routes.pop(route, None)
        if last is None or beat.sequence > last.sequence:
            known = Course("", 0, None) if last is None else last
            holes = known.holes if last is None else (*known.holes, (last.sequence + 1, beat.sequence))
            epochs = dict.fromkeys((*known.epochs, beat.epoch))
            last = Course(beat.last_id or "", beat.sequence, beat.epoch, tuple(epochs), holes)
        self._routes[route] = last
        self._forget()

    def _forget(self) -> None:
        for kept in (self._routes, self._standings):
            while len(kept) > self._most:
                kept.popitem(last=False)

    def _by_condition(self, notice: Notice) -> Gap | None:
        last, before = self._standings.get(notice.key), (notice.previous_condition, notice.previous_severity)
        if last is None or last == before:
            return None
        text = (
            f"{notice.key} was {_spoken(last)} in the message before and {_spoken(before)} before this one: "
            "a message was lost, or was not meant for this receiver"
        )
        return Gap(False, None, text)


def _gap(last: Course | None, numbers: Numbers, found: Found) -> Gap | None:
    contract, said = numbers.route.contract, []
    if found.lost is None:
        said.append(
            f"something of {contract} is missing before number {numbers.sequence}: "
            f"the message before it, {numbers.previous_id}, never came"
        )
    elif found.lost and last is not None:
        between = f"between number {last.sequence} and {numbers.sequence}"
        said.append(f"{found.lost} of {contract} missing {between}")
    if found.given_up:
        named = f": {', '.join(found.declared)}" if found.declared else ""
        said.append(f"the sender gave up {found.given_up} of {contract} before this one{named}")
    if not said:
        return None
    missing = found.given_up if found.lost == 0 else found.lost
    return Gap(True, missing, "; ".join(said), found.declared)


def _remark(last: Course | None, numbers: Numbers, found: Found) -> str:
    if last is None or not (found.back or found.late):
        return ""
    contract, number = numbers.route.contract, numbers.sequence
    if found.back:
        return (
            f"the numbers of {contract} went back from {last.sequence} to {number} in a new epoch: the sender goes "
            "on from an older backup, and what it had decided since and not delivered is lost"
        )
    if not found.fills:
        return f"late: number {number} of {contract}, after number {last.sequence}"
    still = sum(until - first + 1 for first, until in moved(last, numbers, found, "").holes)
    rest = f"; {still} are still missing" if still else "; nothing is missing any more"
    return f"late: number {number} of {contract}, which was missing{rest}"


def silence(last_heard: float, now: float, within: float) -> str | None:
    """The sentence that a provider has been silent for more than `within` seconds, or None. Times: Unix seconds."""
    if not within > 0:
        raise UsageError(f"within {within:g} s: expected more than 0")
    quiet = now - last_heard
    if quiet <= within:
        return None
    return f"nothing heard for {speak_duration(quiet)}; expected something every {speak_duration(within)}"


def _spoken(standing: Standing) -> str:
    condition, severity = standing
    return condition if severity is None else f"{condition} ({severity})"
