"""When the tiers of an objective's policy fired: a strip for each, on the time axis of the charts.

Guarantees: a span is what was told of an incident's changes, and nothing is decided anew; where keeptime did not
run there is a gap. That a tier was pending is not kept: of that there is the present alone. Pure.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from keeptime.model.incident import Incident
from keeptime.model.series import Series
from keeptime.model.verdict import TierState, Verdict
from keeptime.units import speak_duration
from keeptime.web.charts.plot import Plot
from keeptime.web.pages.when import When

NARROWEST = 3.0
NOW = 120.0
"""Seconds before now that a range may end at which shows how the tiers stand."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a strip: `kind` is firing, pending, or watched (neither)."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Strip:
    """`said`: the same in words."""

    name: str
    said: str
    blocks: tuple[Block, ...]


def strips_of(
    verdict: Verdict | None, incidents: Sequence[Incident], counts: Series, when: When, second: float
) -> list[Strip]:
    """One for each tier of the policy as it is, and for those of former terms that fired in this time."""
    fired = list(_fired(incidents, when))
    tiers = {} if verdict is None else {tier.name: tier for tier in verdict.tiers}
    names = [*tiers, *sorted({name for name, *_ in fired} - tiers.keys())]
    watched = _blocks("watched", _lived(counts, second), when)
    strips = []
    for name in names:
        spans = [
            (start, end) for each, start, end in fired if each == name and start < when.end and end > when.start
        ]
        tier = tiers.get(name)
        state = "" if tier is None or when.end < when.now - NOW else tier.state.value
        now = _blocks("pending", [(when.now, when.now)], when) if state == TierState.PENDING else ()
        label = name if tier is None or name.startswith((tier.severity, "below")) else f"{name} ({tier.severity})"
        strips.append(Strip(label, _said(spans, state, when), (*watched, *_blocks("firing", spans, when), *now)))
    return strips


def _said(spans: Sequence[tuple[float, float]], state: str, when: When) -> str:
    inside = sum(min(end, when.end) - max(start, when.start) for start, end in spans)
    times = f"fired {len(spans)} time{'' if len(spans) == 1 else 's'}, {speak_duration(inside)} in all"
    said = times if spans else "did not fire"
    return f"{said}; now {state}" if state else said


def _fired(incidents: Sequence[Incident], when: When) -> Iterator[tuple[str, float, float]]:
    """Tier, from, until: from the change of which it was told to the next one of which it was not."""
    for one in incidents:
        over = when.now if one.ended is None else one.ended
        since: dict[str, float] = {}
        for nth, step in enumerate(one.steps):
            for name in step.tiers:
                since.setdefault(name, step.at)
            following = one.steps[nth + 1] if nth + 1 < len(one.steps) else None
            end, still = (over, ()) if following is None else (following.at, following.tiers)
            for name in [each for each in since if each not in still]:
                yield name, since.pop(name), end


def _lived(counts: Series, second: float) -> Iterator[tuple[float, float]]:
    """Stretches that were observed, run into one another."""
    start = end = None
    for each in counts:
        if each.lived and end == each.start:
            end = each.end
        elif each.lived:
            if start is not None and end is not None:
                yield start * second, end * second
            start, end = each.start, each.end
    if start is not None and end is not None:
        yield start * second, end * second


def _blocks(kind: str, spans: Iterable[tuple[float, float]], when: When) -> tuple[Block, ...]:
    plot = Plot(when.start, when.end, 0, 1)
    found = []
    for start, end in spans:
        if end >= when.start and start <= when.end:
            x, until = plot.x(start), plot.x(end)
            width = max(NARROWEST, until - x)
            found.append(Block(kind, min(x, plot.x(when.end) - width), width))
    return tuple(found)
