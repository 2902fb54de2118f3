"""Puts together what is known of an incident, and says what stands out.

Guarantees: pure; where nothing is planted one in twenty or fewer explanations names a cause (the levels below add
up to less, and each is held against all that was tried); the cause that tells the most comes first: who is slow
(attributes), what goes along with it (load), what was changed, and then where the time went (phases).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keeptime.explain import words
from keeptime.explain.along import Along, moved
from keeptime.explain.attributes import ranked
from keeptime.explain.changing import Counts, Stretch, changed
from keeptime.explain.evidence import COLLECTION, Evidence, thinned
from keeptime.explain.near import near
from keeptime.explain.phases import grown, phase_times
from keeptime.explain.shares import excess
from keeptime.explain.stacks import drawn, profile_of
from keeptime.model.event import Event
from keeptime.model.exemplar import Exemplar
from keeptime.model.explanation import Cause, CauseKind, Changed, Explanation, Looked, Share

ATTRIBUTE_LEVEL, PAIR_LEVEL, ALONG_LEVEL, EVENT_LEVEL, PHASE_LEVEL = 0.008, 0.004, 0.008, 0.05, 0.008
"""An event is looked for only where a change stands out, which it does by chance in one of a hundred."""
LEAST_SHARE = 0.05
"""A cause accounts for at least this part of the bad requests, surely."""
LEAST_ALONG = 0.3
"""What goes up and down with many things is held to more."""
ENOUGH_GOOD, ENOUGH_BAD = 30, 20
"""Requests within the stretch that is worse; of fewer, all of the time is looked at."""
MOST_CAUSES = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """`at`: Unix seconds; `evidence`, `counts`: of the time that is looked at; `events`: those of the contract,
    known from `events_since` on; `series`: what may go along, in the bins of `counts`; `late`: requests of
    whose code it was seen where they stood; `paused`: requests whose server says how long it collected garbage
    meanwhile, with that and all else as their phases."""

    incident: str
    at: float
    evidence: Evidence
    counts: Counts
    events: Sequence[Event] = ()
    events_since: float = 0.0
    series: Sequence[Along] = ()
    late: Sequence[Exemplar] = ()
    paused: Evidence | None = None


def explain(asked: Asked) -> Explanation:
    """What stands out, or that nothing does."""
    stretch = changed(asked.counts)
    evidence = thinned(asked.evidence)
    when = None if stretch is None else _when(asked.counts, stretch)
    during, before = _split(evidence, when)
    causes = [
        *_attributes(during),
        *_moved(asked),
        *_event(asked, stretch, when),
        *_paused(asked, when),
        *_phase(during, before),
    ]
    looked = _looked(asked)
    said = _ordered(causes)[:MOST_CAUSES]
    times = phase_times(during)
    stood = _stood(asked.late)
    lines = _lines(said, when, looked, stood)
    return Explanation(asked.incident, asked.at, lines, tuple(said), when, times, looked, stood)


def _ordered(causes: Sequence[Cause]) -> list[Cause]:
    """As they were found; those that account for less than half of what another one does come last."""
    most = max((each.share.at for each in causes if each.share is not None), default=0.0)
    return sorted(causes, key=lambda each: each.share is not None and each.share.at < most / 2)


def _when(counts: Counts, found: Stretch) -> Changed:
    edges, inside = counts.edges, np.zeros(len(counts.bad), dtype=np.bool_)
    inside[found.first : found.last] = True
    total = counts.total
    return Changed(
        at=float(edges[found.first]),
        earliest=float(edges[found.earliest]),
        latest=float(edges[found.latest]),
        until=None if found.open else float(edges[found.last]),
        before=_part(counts.bad[~inside], total[~inside]),
        during=_part(counts.bad[inside], total[inside]),
    )


def _part(bad: NDArray[np.float64], total: NDArray[np.float64]) -> float:
    return float(bad.sum() / total.sum()) if total.sum() else 0.0


def _split(evidence: Evidence, when: Changed | None) -> tuple[Evidence, Evidence]:
    """While it was worse, and the rest; all of it twice where there is no such time, or too little of it."""
    if when is None:
        return evidence, evidence
    inside = evidence.at >= when.at
    if when.until is not None:
        inside &= evidence.at < when.until
    during, before = evidence.where(inside), evidence.where(~inside)
    if during.bad.sum() < ENOUGH_BAD or not len(before):
        return evidence, evidence
    if (~during.bad).sum() < ENOUGH_GOOD:
        return evidence.where(inside | ~evidence.bad), before
    return during, before


def _attributes(during: Evidence) -> list[Cause]:
    found, sides = ranked(during)
    causes: list[Cause] = []
    for each in found:
        level = PAIR_LEVEL if len(each.names) > 1 else ATTRIBUTE_LEVEL
        share = sides.share(each, level)
        if not sides.stands_out(each, level) or share.low < LEAST_SHARE:
            continue
        kind = CauseKind.ATTRIBUTES if len(each.names) > 1 else CauseKind.ATTRIBUTE
        if not any(set(each.names) & set(other.names) for other in causes):
            causes.append(Cause(kind, words.of_attributes(each, share), each.names, share))
        if len(causes) == 3:
            break
    return causes


def _moved(asked: Asked) -> list[Cause]:
    found = moved(asked.counts, asked.series, ALONG_LEVEL)
    if found is None or found.share.low < LEAST_ALONG:
        return []
    name = f"{found.along.name} {found.along.noun} >= {found.cut:g}"
    return [Cause(found.along.kind, words.of_moved(found), (name,), found.share)]


def _event(asked: Asked, stretch: Stretch | None, when: Changed | None) -> list[Cause]:
    if stretch is None or when is None:
        return []
    slack = float(asked.counts.edges[1] - asked.counts.edges[0])
    found = near(when, asked.events, asked.events_since, slack, EVENT_LEVEL)
    share = _during_share(asked.counts, stretch)
    return [
        Cause(CauseKind.EVENT, words.of_event(each), (f"{each.event.kind}={each.event.id}",), share)
        for each in found
    ]


def _during_share(counts: Counts, found: Stretch) -> Share:
    inside = slice(found.first, found.last)
    good = counts.total - counts.bad
    bads = float(counts.bad[inside].sum()), float(counts.bad.sum())
    return excess(*bads, float(good[inside].sum()), float(good.sum()), EVENT_LEVEL)


def _phase(during: Evidence, before: Evidence) -> list[Cause]:
    found = grown(during, before, PHASE_LEVEL)
    if found is None or found.share.low < LEAST_SHARE or found.more <= 0:
        return []
    return [Cause(CauseKind.PHASE, words.of_phase(found), (found.name,), found.share)]


def _paused(asked: Asked, when: Changed | None) -> list[Cause]:
    """Where requests waited for the garbage collector, which phases of a server do not tell."""
    if asked.paused is None or not len(asked.paused):
        return []
    return [each for each in _phase(*_split(asked.paused, when)) if each.names == (COLLECTION,)]


def _looked(asked: Asked) -> Looked:
    evidence, edges = asked.evidence, asked.counts.edges
    bad = int(evidence.bad.sum())
    seen = bad, len(evidence) - bad, float(edges[0]), float(edges[-1])
    return Looked(*seen, len(evidence.attributes), len(evidence.phases), len(asked.events), len(asked.series))


def _stood(late: Sequence[Exemplar]) -> str:
    flame = drawn(profile_of(late))
    return "" if flame is None else flame.sentence


def _lines(causes: Sequence[Cause], when: Changed | None, looked: Looked, stood: str) -> tuple[str, ...]:
    """The first cause; and what says most beside it: one of another kind, where requests stood, since when."""
    since = "" if when is None else words.of_change(when)
    if not causes:
        return tuple(each for each in (words.nothing(looked), since) if each)
    first = causes[0]
    other = next((each.sentence for each in causes[1:] if each.kind != first.kind), "")
    seen = f"in the code, {stood}" if stood else ""
    second = "; ".join(each for each in (other, seen, since) if each)
    return tuple(each for each in (first.sentence, second) if each)
