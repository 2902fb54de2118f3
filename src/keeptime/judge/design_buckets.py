"""What a bucket can notice, how soon, and how often chance fires it.

Guarantees: closed forms, checked in the tests against the rule itself: the walk of a bucket as a diffusion with
drift p − κ and variance p(1 − p) per event, its first passage inverse-Gaussian (E. Schrödinger, "Zur Theorie der
Fall- und Steigversuche an Teilchen mit Brownscher Bewegung", Physikalische Zeitschrift 16, 1915), the threshold
raised by half a bad request's step for the overshoot. At total failure the count is exact.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtr

from keeptime.judge.cusum import run_length
from keeptime.judge.design_figures import MONTH, Figure, Known, Needs, Reals, events_in
from keeptime.judge.rules.buckets import thresholds
from keeptime.judge.rules.filling import UNIT, Bucket
from keeptime.judge.rules.rule import TierTerms
from keeptime.model.verdict import Severity

BLOCKS = 3
"""A bucket needs so many blocks, for in each it rises by at most a third of its threshold."""
MOST_SHARE = 1 - 1e-9
"""Above it the walk has no spread left, and the count of total failure holds."""


@dataclass(frozen=True, slots=True)
class Walk:
    """A bucket at a known rate. It rises by at most `cap` in each `block` events; no cap where `block` is 0."""

    drain: float
    threshold: float
    block: float = 0.0
    cap: float = math.inf

    def events_of_total_failure(self) -> int:
        return math.ceil(self.threshold / (1 - self.drain) - 1e-9)

    def passage(self, bad_share: Reals, events: int) -> Reals:
        """The chance that it reaches its threshold within so many events, from empty."""
        p = np.minimum(bad_share, MOST_SHARE)
        height = self.threshold + (1 - self.drain) / 2
        mean, variance = self._moments(p)
        spread = np.sqrt(variance * max(events, 1))
        direct = ndtr((mean * events - height) / spread)
        mirrored = 2 * mean * height / variance + log_ndtr(-(height + mean * events) / spread)
        passed = np.minimum(1.0, direct + np.exp(np.minimum(0.0, mirrored)))
        total = float(events >= self.events_of_total_failure())
        chance: Reals = np.where(bad_share > MOST_SHARE, total, passed)
        return chance if events else np.zeros_like(p)

    def _moments(self, p: Reals) -> tuple[Reals, Reals]:
        """Mean and variance per event: of the walk, or of min(rise of a block, cap) where the cap may matter.

        For X normal with mean m and deviation s, and z = (c − m)/s: E min(X, c) = m − s·(φ(z) − z·Φ(−z)).
        """
        mean, variance = p - self.drain, p * (1 - p)
        if not self.block:
            return mean, variance
        m, s = mean * self.block, np.sqrt(variance * self.block)
        z = (self.cap - m) / s
        density, above = np.exp(-z * z / 2) / math.sqrt(2 * math.pi), ndtr(-z)
        lost = s * (density - z * above)
        lost_squared = variance * self.block * ((1 + z * z) * above - z * density)
        # With Y = (X − c)+: Var(X − Y) = Var X + Var Y − 2 Cov(X, Y), and Cov(X, Y) = Var(X)·P(X > c).
        capped = variance * self.block * (1 - 2 * above) + np.maximum(0.0, lost_squared - lost * lost)
        least = variance * self.block * 1e-6
        return (m - lost) / self.block, np.maximum(capped, least) / self.block


@dataclass(frozen=True, slots=True)
class BucketDetector:
    """One tier of the rule `buckets` at one rate of events. `total_failure`: seconds in which that is noticed,
    wherever in a block it begins."""

    tier: TierTerms
    bucket: Bucket
    events_per_second: float
    tick_seconds: float
    total_failure: float

    @property
    def name(self) -> str:
        return self.tier.name

    @property
    def severity(self) -> Severity:
        return self.tier.severity

    @property
    def block_seconds(self) -> float:
        return self.bucket.block * self.tick_seconds

    def chance(self, bad_share: Reals, seconds: float) -> Reals:
        total = np.where(bad_share > MOST_SHARE, float(seconds >= self.total_failure), 0.0)
        if seconds < BLOCKS * self.block_seconds:
            return total
        return np.maximum(total, self._walk().passage(bad_share, events_in(seconds, self.events_per_second)))

    def false_alarms(self) -> Figure:
        """Events of a month over the mean run length to the threshold, which is the greater one of the two."""
        threshold = self.needs().threshold
        assert threshold is not None
        with np.errstate(over="ignore"):
            mean = run_length(self.bucket.budget, self.bucket.looks_for, min(threshold, self._highest()))
        return Known(self.events_per_second * MONTH / mean)

    def needs(self) -> Needs:
        expected = np.array([[self.events_per_second * self.bucket.period_seconds]])
        least, evidence = (float(each[0, 0]) / UNIT for each in thresholds(self.bucket, expected))
        return Needs(self.bucket.drain / UNIT, evidence, least, max(least, evidence))

    def _walk(self) -> Walk:
        needs = self.needs()
        assert needs.threshold is not None
        block = self.events_per_second * self.block_seconds
        return Walk(self.bucket.drain / UNIT, needs.threshold, block, needs.threshold / BLOCKS)

    def _highest(self) -> float:
        """The height whose run length is still a number: beyond it chance fires never."""
        b, p = self.bucket.budget, self.bucket.looks_for
        return 700.0 / math.log(p * (1 - b) / (b * (1 - p))) - 10.0
