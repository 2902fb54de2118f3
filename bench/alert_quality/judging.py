"""Streams through keeptime's judge: when did each rule alert?

Guarantees: one call of `advance` per rule and batch, whatever the rule. An alert is a run of ticks in which the
rule demands `at_risk` or worse, page or ticket alike; what began before anything is counted is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.alert_quality.rules import Recording, Rival
from bench.alert_quality.streams import DAY, FIRST_TICK, OVER_DAYS, TICK, Stream
from keeptime.contract.probed import Endpoint, Probe
from keeptime.contract.terms import Contract, Objective, Rolling
from keeptime.judge.advance import advance
from keeptime.judge.plan import Plan
from keeptime.judge.standing import Codes, Standing
from keeptime.judge.state import State


@dataclass(frozen=True, slots=True)
class Alert:
    """Ticks [start, end) of a stream; `page`: it paged at some time; `steps`: how often its severity rose."""

    start: int
    end: int
    page: bool
    steps: int = 1


def alerts(rival: Rival, streams: Sequence[Stream]) -> list[list[Alert]]:
    """Per stream, in order of time. All streams must be of one length and one target, lived alike."""
    recording = Recording(rival.rule)
    plan = Plan.compile(
        [_contract(rival, stream, place) for place, stream in enumerate(streams)], TICK, {rival.kind: recording}
    )
    good, bad = (np.stack([getattr(each, name) for each in streams]) for name in ("good", "bad"))
    state = State.fresh(plan, FIRST_TICK)
    advance(plan, state, FIRST_TICK, good, bad, np.zeros_like(good), streams[0].lived)
    assert len(plan.groups) == 1, "streams of a batch have one target"
    demanded = np.concatenate(recording.demanded)
    return [_runs(demanded[:, place], stream.counted) for place, stream in enumerate(streams)]


def _contract(rival: Rival, stream: Stream, place: int) -> Contract:
    promise = Objective("o", stream.target, 0.5, Rolling(OVER_DAYS * DAY), rival.policy)
    probes = (Probe(1 / stream.traffic.rate, 5.0),) if stream.traffic.probe else ()
    return Contract(
        f"c{place}", "p", "m", Endpoint("http://127.0.0.1/"), probes, (promise,), (), (), 180.0, "v", "c.yaml"
    )


def _runs(demand: Codes, counted: int) -> list[Alert]:
    firing = np.concatenate([[False], demand >= Standing.TICKET, [False]])
    edges = np.flatnonzero(firing[1:] != firing[:-1])
    found = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        own = demand[start:end].astype(np.int64)
        if start >= counted:
            rises = 1 + int((np.diff(own) > 0).sum())
            found.append(Alert(start, end, bool((own >= Standing.PAGE).any()), rises))
    return found
