"""Services with a planted cause of their slow requests, or without one, as `bench.explain` asks about them.

An hour of requests in bins of ten seconds, with nine attributes (region and device depend on the replica), seven
phases, a neighbour on the same host whose load comes in bursts, and changes that were made at random times. A
fraction f of the traffic is affected by the cause; of the affected requests some are slow.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from keeptime.explain.along import Along
from keeptime.explain.cause import Asked
from keeptime.explain.changing import Counts
from keeptime.explain.evidence import Column, Evidence
from keeptime.model.event import Event, EventKind
from keeptime.model.explanation import Cause, CauseKind

BINS, BIN = 360, 10.0
BEGAN = 1_790_000_000.0
WEEK = 7 * 86_400.0
KEPT_GOOD = 5
"""Other requests that are kept of each bin."""
PHASES: Mapping[str, tuple[float, float]] = {
    "dns": (0.001, 0.3),
    "connect": (0.002, 0.3),
    "write": (0.0005, 0.2),
    "queue": (0.008, 0.8),
    "tokenize": (0.004, 0.3),
    "forward": (0.09, 0.25),
    "transfer": (0.003, 0.5),
}
"""Median in seconds, and the spread of its logarithm."""
UNDER = 0.5
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass
class World:
    """What a service is asked about, before its slow requests are chosen. `labels`: of each attribute, by code."""

    rng: np.random.Generator
    bin_of: NDArray[np.int64]
    codes: dict[str, NDArray[np.int64]]
    labels: dict[str, tuple[str, ...]]
    load: Floats
    since: int
    events: list[Event] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.bin_of)

    @property
    def late(self) -> Flags:
        """After the cause began to work."""
        return np.asarray(self.bin_of >= self.since)

    def at(self, bins: NDArray[np.int64]) -> Floats:
        return BEGAN + (bins + self.rng.random(len(bins))) * BIN


@dataclass(frozen=True)
class Plant:
    """`affected`: requests that the cause can make slow; `phase`: "" where all phases grow alike; `true`: is this
    the cause that was planted? `spills`: the part of the time lost that is lost in other phases, held up by it."""

    affected: Flags
    phase: str
    true: Callable[[Cause], bool]
    spills: float = 0.0


def world(rng: np.random.Generator, requests: int) -> World:
    """An hour of so many requests, and when something may go wrong."""
    bin_of = np.sort(rng.integers(0, BINS, requests))
    replicas = int(rng.integers(4, 9))
    replica = rng.choice(replicas, requests, p=rng.dirichlet(np.full(replicas, 8.0)))
    size = np.round(np.exp(rng.normal(6, 1.2, requests))).astype(np.int64)
    sizes, size_code = np.unique(size, return_inverse=True)
    codes = {
        "replica": replica,
        "region": replica % 2,
        "device": (replica // 2) % 2,
        "model_version": (rng.random(requests) < rng.uniform(0.1, 0.6)).astype(np.int64),
        "input_size": size_code,
        "batch_size": rng.integers(0, 6, requests),
        "consumer": rng.choice(5, requests, p=[0.4, 0.3, 0.15, 0.1, 0.05]),
        "cache": (rng.random(requests) < 0.3).astype(np.int64),
        "connection": (rng.random(requests) < 0.5).astype(np.int64),
    }
    labels = {
        name: tuple(f"{name[0]}{each}" for each in range(int(code.max()) + 1)) for name, code in codes.items()
    }
    labels["input_size"] = tuple(map(str, sizes))
    events = [
        _event(rng, number, BEGAN - WEEK + rng.uniform(0, WEEK + BINS * BIN))
        for number in range(int(rng.poisson(rng.uniform(0, 20))))
    ]
    return World(rng, bin_of, codes, labels, _load(rng), int(rng.integers(BINS // 3, BINS - 40)), events)


def _load(rng: np.random.Generator) -> Floats:
    """Of the neighbour: quiet, with bursts of half a minute to five minutes."""
    load, at = rng.poisson(20, BINS).astype(np.float64), 0
    while at < BINS:
        at += int(rng.integers(12, 60))
        long = int(rng.integers(3, 30))
        load[at : at + long] += rng.poisson(150, len(load[at : at + long]))
        at += long
    return load


def _event(rng: np.random.Generator, number: int, at: float) -> Event:
    kind = (EventKind.DEPLOY, EventKind.CONFIG)[int(rng.integers(2))]
    return Event(number, kind, at, ("bench",), "ci", f"v{number}", noted=at)


def share_of(rng: np.random.Generator) -> float:
    """Of the traffic: 2 % to 50 %, as often small as large."""
    return float(np.exp(rng.uniform(np.log(0.02), np.log(0.5))))


def asked(made: World, plant: Plant | None, bad_part: float, background: float, *, rises: bool = False) -> Asked:
    """`bad_part`: of the affected requests; `background`: of all of them; `rises`: nobody knows why, by six times
    from some instant on."""
    rng, n = made.rng, len(made)
    usual = np.where(made.late, 6 * background, background) if rises else np.full(n, background)
    slow = rng.random(n) < usual
    phases = {name: np.exp(rng.normal(np.log(at), spread, n)) for name, (at, spread) in PHASES.items()}
    _grow(phases, slow & np.ones(n, dtype=np.bool_), "", rng)
    if plant is not None:
        planted = plant.affected & ~slow & (rng.random(n) < bad_part)
        _grow(phases, planted, plant.phase, rng, plant.spills)
    latency = np.sum(list(phases.values()), axis=0)
    bad = latency > UNDER
    return Asked(
        "bench", BEGAN + BINS * BIN, _kept(made, phases, bad), _counts(made, latency, bad), made.events,
        BEGAN - WEEK, (Along(CauseKind.NEIGHBOUR, "neighbour", "requests", made.load), _own(made)),
    )  # fmt: skip


def _grow(
    phases: dict[str, Floats], which: Flags, phase: str, rng: np.random.Generator, spills: float = 0.0
) -> None:
    """Make these slow: 0.52 s to 1.5 s, in one phase (a part of it in others, as chance has it) or in all alike."""
    many = int(which.sum())
    wanted = rng.uniform(0.52, 1.5, many)
    total = np.sum([each[which] for each in phases.values()], axis=0)
    if phase:
        lost = np.maximum(0.0, wanted - total)
        phases[phase][which] += lost * (1 - spills)
        others = [name for name in phases if name != phase]
        parts = rng.dirichlet(np.ones(len(others)), many) if spills else np.zeros((many, len(others)))
        for name, part in zip(others, parts.T, strict=True):
            phases[name][which] += lost * spills * part
        return
    for each in phases.values():
        each[which] *= np.maximum(1.0, wanted / total) * np.exp(rng.normal(0, 0.1, many))


def _kept(made: World, phases: dict[str, Floats], bad: Flags) -> Evidence:
    """All bad requests, and a few others of each bin, each with what it stands for."""
    draws = made.rng.random(len(made))
    order = np.lexsort((draws, made.bin_of, bad))
    goods = order[: int((~bad).sum())]
    counts = np.bincount(made.bin_of[goods], minlength=BINS)
    rank = np.arange(len(goods)) - np.repeat(np.cumsum(counts) - counts, counts)
    few = goods[rank < KEPT_GOOD]
    chosen = np.sort(np.concatenate([few, np.flatnonzero(bad)]))
    stands = np.maximum(1.0, counts / KEPT_GOOD)[made.bin_of[chosen]]
    weight = np.where(bad[chosen], 1.0, stands)
    return Evidence(
        made.at(made.bin_of[chosen]),
        weight,
        bad[chosen],
        columns(made, chosen),
        {name: each[chosen] for name, each in phases.items()},
    )


def columns(made: World, chosen: NDArray[np.int64] | slice) -> dict[str, Column]:
    numbers = np.array(made.labels["input_size"], dtype=np.float64)
    return {
        name: Column(code[chosen].astype(np.int32), made.labels[name], numbers if name == "input_size" else None)
        for name, code in made.codes.items()
    }


def _counts(made: World, latency: Floats, bad: Flags) -> Counts:
    edges = np.array([0.08, 0.1, 0.12, 0.15, 0.2, UNDER, 0.8])
    classes = np.zeros((BINS, len(edges) + 1))
    np.add.at(classes, (made.bin_of, np.searchsorted(edges, latency)), 1.0)
    return Counts(
        BEGAN + np.arange(BINS + 1) * BIN, classes, np.bincount(made.bin_of[bad], minlength=BINS).astype(np.float64)
    )


def _own(made: World) -> Along:
    counts = np.bincount(made.bin_of, minlength=BINS).astype(np.float64)
    return Along(CauseKind.TRAFFIC, "bench", "requests", counts)
