"""How far one route has come here, and what a message's numbers say that did not come.

Guarantees: pure. A gap is certain: the sender says which message comes before this one, and that one never came. A
message that comes late is told from a sender whose numbers went back. Memory of a route is bounded.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from keeptime.consumer.numbers import Numbers

MOST_HOLES = 100
"""Gaps of a route that are remembered, so that who fills one is known; the newest."""

MOST_EPOCHS = 20

Hole = tuple[int, int]
"""The first and the last number that is missing."""


@dataclass(frozen=True, slots=True)
class Course:
    """The newest message of a route that was taken. `epochs`: those that were heard of, oldest first."""

    id: str
    sequence: int
    epoch: str | None
    epochs: tuple[str | None, ...] = ()
    holes: tuple[Hole, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What a message's numbers show. `lost`: messages between the last one and this (None: some, nobody knows how
    many; 0: none). `declared`: those of the ids that the sender gave up which did not come; `given_up`: how many it
    gave up. `late`: it is older than what came before it; `fills`: a gap that was known. `back`: the sender's
    numbers went back.
    """

    lost: int | None = 0
    declared: tuple[str, ...] = ()
    given_up: int = 0
    late: bool = False
    fills: bool = False
    back: bool = False


def look(last: Course | None, numbers: Numbers, seen: Callable[[str], bool]) -> Found:
    """Before a message is taken. `last`: None where nothing of its route came yet, and nothing can be missed."""
    declared = tuple(name for name in numbers.missing_ids if not seen(name))
    given_up = numbers.missing - len(numbers.missing_ids) + len(declared)
    found = Found(declared=declared, given_up=given_up)
    if last is None:
        return found
    # Right after the last one it is no step back: it comes by another receiver, which has numbers of its own.
    back = _newer_epoch(last, numbers) and numbers.previous_id != last.id
    if numbers.sequence <= last.sequence and not back:
        return replace(found, late=True, fills=_filled(last.holes, numbers.sequence) != last.holes)
    found = replace(found, back=back and numbers.sequence <= last.sequence)
    return replace(found, lost=_lost(last, numbers, seen))


def moved(last: Course | None, numbers: Numbers, found: Found, message_id: str) -> Course:
    """After a message was taken."""
    if last is None:
        return Course(message_id, numbers.sequence, numbers.epoch, (numbers.epoch,))
    epochs = last.epochs if numbers.epoch in last.epochs else (*last.epochs, numbers.epoch)[-MOST_EPOCHS:]
    if found.late:
        return replace(last, epochs=epochs, holes=_filled(last.holes, numbers.sequence))
    holes = last.holes
    if found.back:
        holes = tuple(hole for hole in holes if hole[1] < numbers.sequence)
    elif found.lost and numbers.sequence > last.sequence + 1:
        holes = (*holes, (last.sequence + 1, numbers.sequence - 1))[-MOST_HOLES:]
    return Course(message_id, numbers.sequence, numbers.epoch, epochs, holes)


def _newer_epoch(last: Course, numbers: Numbers) -> bool:
    """An epoch that was never heard of, and later than the last: names of epochs sort by time."""
    return numbers.epoch not in last.epochs and (numbers.epoch or "") > (last.epoch or "")


def _lost(last: Course, numbers: Numbers, seen: Callable[[str], bool]) -> int | None:
    """How many are missing right before this message."""
    between = numbers.sequence - last.sequence - 1
    if numbers.previous_id is None:
        return max(0, between) if numbers.epoch == last.epoch else 0
    if numbers.previous_id == last.id or seen(numbers.previous_id):
        return 0
    return between if between > 0 else None


def _filled(holes: tuple[Hole, ...], number: int) -> tuple[Hole, ...]:
    """Without this number."""
    rest: list[Hole] = []
    for first, last in holes:
        if first <= number <= last:
            rest += [each for each in ((first, number - 1), (number + 1, last)) if each[0] <= each[1]]
        else:
            rest.append((first, last))
    return tuple(rest)
