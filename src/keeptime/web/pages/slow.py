"""Slow and failed requests of an objective's contract, one by one: how long each took, and with what.

Guarantees: what is listed was kept as it was; of what is not known nothing is said. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from keeptime.contract.terms import Objective
from keeptime.explain.stacks.profile import did
from keeptime.model.exemplar import Exemplar
from keeptime.model.incident import Incident
from keeptime.model.phases import PHASES
from keeptime.model.sample import Failure
from keeptime.units import speak_duration
from keeptime.web.pages.moments import Moment, moment
from keeptime.web.pages.when import When
from keeptime.web.posted import Refused

MOST, LOOKED_THROUGH = 20, 500
"""Requests that are listed, and the newest ones that they are chosen from."""
NEWEST, SLOWEST = ORDERS = ("newest", "slowest")
MOST_PARTS, MOST_ATTRIBUTES = 3, 8
SHORTEST = 0.005
"""A phase with a smaller share of the request is not worth a word."""


@dataclass(frozen=True, slots=True)
class SlowRow:
    """`said`: how it ended; `parts`: where its time went; `link`: to its trace, "" where none is known."""

    at: Moment
    took: str
    said: str
    failed: bool
    observer: str
    parts: str
    attributes: str
    trace: str
    link: str


def order_of(given: Mapping[str, str]) -> str:
    """Which are listed: the newest, or the slowest. Raises Refused."""
    order = given.get("requests", NEWEST)
    if order not in ORDERS:
        raise Refused(f"requests={order[:40]}: expected {NEWEST} or {SLOWEST}")
    return order


def slow_rows(
    objective: Objective, found: Sequence[Exemplar], incidents: Sequence[Incident], order: str, when: When
) -> list[SlowRow]:
    """Of those found the ones that are bad by the objective's own terms."""
    under = None if objective.under is None else round(objective.under * 1e9)
    slow = [each for each in _as_one(found) if each.bad(under, objective.of)]
    slow.sort(key=lambda each: each.at_ns if order == NEWEST else _took(objective, each), reverse=True)
    return [_row(objective, each, incidents, when) for each in slow[:MOST]]


def _as_one(found: Sequence[Exemplar]) -> list[Exemplar]:
    """What two observers saw of the same request, such as a probe and the model's middleware, is one: as whoever
    waited longest has it, with what the other knows. Several of one observer in a trace are several requests."""
    groups: dict[object, list[Exemplar]] = {}
    for place, each in enumerate(found):
        groups.setdefault(each.trace or place, []).append(each)
    joined: list[Exemplar] = []
    for group in groups.values():
        alone = len({each.observer for each in group}) < len(group)
        joined += group if alone else [_joined(sorted(group, key=lambda each: -each.latency_ns))]
    return joined


def _joined(group: Sequence[Exemplar]) -> Exemplar:
    """The first one, and of the others what it does not know."""
    whole = group[0]
    for each in group[1:]:
        whole = replace(
            whole,
            observer=f"{whole.observer}, {each.observer}",
            timings={**each.timings, **whole.timings},
            attributes={**whole.attributes, **each.attributes, **whole.attributes},
            stacks=whole.stacks or each.stacks,
        )
    return whole


def _took(objective: Objective, one: Exemplar) -> int:
    """Nanoseconds of what the objective is about; of a request that failed before that, of all of it."""
    return one.signals.get(objective.of.value, one.latency_ns)


def _row(objective: Objective, one: Exemplar, incidents: Sequence[Incident], when: When) -> SlowRow:
    incident = next((each.id for each in incidents if _within(each, one.at_ns / 1e9)), "")
    shown = list(one.attributes.items())[:MOST_ATTRIBUTES]
    return SlowRow(
        at=moment(when, one.at_ns / 1e9),
        took=speak_duration(_took(objective, one) / 1e9),
        said=_ended(one),
        failed=bool(one.failure),
        observer=one.observer,
        parts=_parts(one),
        attributes=", ".join(f"{name} {value}" for name, value in shown),
        trace=one.trace,
        link=f"/incidents/{quote(incident)}/traces?trace={quote(one.trace)}" if incident and one.trace else "",
    )


def _ended(one: Exemplar) -> str:
    """ "status 200", "failed: status 500", "failed: too large, status 200", "failed: timeout", or "slow"."""
    status = "" if one.status is None else f"status {one.status}"
    if not one.failure:
        return status or "slow"
    failure = "" if one.failure == Failure.STATUS and status else one.failure.replace("_", " ")
    return f"failed: {', '.join(filter(None, [failure, status]))}"


def _within(one: Incident, at: float) -> bool:
    return one.started - 60.0 <= at and (one.ended is None or at <= one.ended)


def _parts(one: Exemplar) -> str:
    """ "wait 480 ms, connect 3 ms; on the server: queue 300 ms": the longest ones; and where it mostly stood."""
    own = _longest(one.phases, one.latency_ns)
    server = _longest(one.timings, one.latency_ns)
    said = [own, f"on the server: {server}" if server else "", _stood(one)]
    return "; ".join(filter(None, said))


def _stood(one: Exemplar) -> str:
    """ "it stood in predict (serve.py:98) [waiting]": where it was seen most, and what it did there."""
    if not one.stacks:
        return ""
    frames = max(one.stacks, key=lambda each: each[1])[0].split(";")
    place = max((nth for nth, each in enumerate(frames) if not did(each)), default=0)
    return f"it stood in {' '.join(frames[place:])}"


def _longest(spent: Mapping[str, int], whole: int) -> str:
    """The longest ones, in the order in which they follow one another where that is known."""
    worth = [(name, took) for name, took in spent.items() if took > whole * SHORTEST]
    longest = sorted(worth, key=lambda each: each[1], reverse=True)[:MOST_PARTS]
    longest.sort(key=lambda each: PHASES.index(each[0]) if each[0] in PHASES else len(PHASES))
    return ", ".join(f"{name} {speak_duration(took / 1e9)}" for name, took in longest)
