"""What did not come: messages that are missing between two, and a provider that has gone silent.

Guarantees: a gap is `certain` only where the sender numbers its messages; without numbers a change that was not
heard of is named as what it is, for it may never have been meant for this receiver. Memory is bounded. No clock.
"""

from collections import OrderedDict
from dataclasses import dataclass

from keeptime.consumer.heartbeat import Heartbeat
from keeptime.consumer.notice import Notice
from keeptime.errors import UsageError
from keeptime.model.key import ObjectiveKey
from keeptime.model.verdict import Condition, Severity
from keeptime.units import speak_duration

MOST = 10_000
"""Contracts, and objectives, whose last message is remembered."""

Standing = tuple[Condition, Severity | None]


@dataclass(frozen=True, slots=True)
class Gap:
    """Before this message something did not come here. `missing`: how many messages; None: nobody can tell."""

    certain: bool
    missing: int | None
    text: str


class Course:
    """The last message of each contract and objective that was taken."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._numbers: OrderedDict[str, tuple[str | None, int]] = OrderedDict()
        self._standings: OrderedDict[ObjectiveKey, Standing] = OrderedDict()

    def gap(self, notice: Notice) -> Gap | None:
        """What is missing before `notice`; None: nothing that can be known. Changes nothing."""
        if notice.sequence is not None:
            return self._by_number(notice, notice.sequence)
        return self._by_condition(notice)

    def move(self, notice: Notice) -> None:
        """`notice` was taken: the next is compared with it."""
        if notice.sequence is not None:
            epoch, last = self._numbers.pop(notice.contract, (notice.epoch, -1))
            highest = notice.sequence if epoch != notice.epoch else max(last, notice.sequence)
            self._numbers[notice.contract] = (notice.epoch, highest)
        self._standings.pop(notice.key, None)
        self._standings[notice.key] = (notice.condition, notice.severity)
        for kept in (self._numbers, self._standings):
            while len(kept) > self._most:
                kept.popitem(last=False)

    def tail(self, beat: Heartbeat) -> Gap | None:
        """What this receiver took by the sender's word, and never came here; None: nothing that can be known."""
        last = self._numbers.get(beat.contract)
        if beat.sequence is None or last is None or last[0] != beat.epoch or beat.sequence <= last[1]:
            return None
        missing = beat.sequence - last[1]
        text = f"the last {missing} of {beat.contract} missing: number {beat.sequence} was taken, {last[1]} came"
        return Gap(True, missing, text)

    def move_to(self, beat: Heartbeat) -> None:
        """What a sign of life says is where the numbers stand: a lost tail is told once."""
        if beat.sequence is not None:
            epoch, last = self._numbers.pop(beat.contract, (beat.epoch, -1))
            highest = beat.sequence if epoch != beat.epoch else max(last, beat.sequence)
            self._numbers[beat.contract] = (beat.epoch, highest)
            while len(self._numbers) > self._most:
                self._numbers.popitem(last=False)

    def _by_number(self, notice: Notice, number: int) -> Gap | None:
        last = self._numbers.get(notice.contract)
        if last is None or last[0] != notice.epoch or number <= last[1] + 1:
            return None
        missing = number - last[1] - 1
        return Gap(True, missing, f"{missing} of {notice.contract} missing between number {last[1]} and {number}")

    def _by_condition(self, notice: Notice) -> Gap | None:
        last, before = self._standings.get(notice.key), (notice.previous_condition, notice.previous_severity)
        if last is None or last == before:
            return None
        text = (
            f"{notice.key} was {_spoken(last)} in the message before and {_spoken(before)} before this one: "
            "a message was lost, or was not meant for this receiver"
        )
        return Gap(False, None, text)


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
