"""The rule `buckets` in PromQL: what is in each bucket, when it fires, and when that is over.

Guarantees: the terms are those of the judge, and so is every step. Levels are bad requests in whole multiples of
2⁻²⁴, as in the judge, which a double holds exactly up to 5·10⁸; so sums and comparisons are exact. Only the
logarithms of evidence may differ in their last digit. What must outlive a restart reads its own last value.
"""

from collections.abc import Iterator, Sequence

from keeptime.export.prometheus.names import (
    BAD_NOW,
    BUCKET_BAD,
    BUCKET_BEFORE,
    BUCKET_CLEARING,
    BUCKET_EVIDENCE,
    BUCKET_LEVEL,
    BUCKET_LIMIT,
    BUCKET_REQUESTS,
    BUCKET_ROOM,
    BUCKET_ROOM_LEFT,
    EXPECTED,
    LONGEST_DOWN,
    REQUESTS_NOW,
    TIER,
    Chosen,
)
from keeptime.export.prometheus.rules import Recording
from keeptime.judge.cusum import LEAST_EVIDENCE, ROUNDS, drain, log_odds, raised_by
from keeptime.judge.rules.filling import BLOCKS_TO_FIRE, UNIT, Bucket, share_limits
from keeptime.judge.rules.rule import TierTerms
from keeptime.judge.standing import STANDING
from keeptime.model.verdict import Severity

DAY = 86_400


def buckets(chosen: Chosen, tiers: Sequence[TierTerms], own: str, interval: int) -> Iterator[Recording]:
    """All rules of these tiers, which stand in the labels `tier` and `severity`. `own`: the objective's window."""
    every = [(tier, tier.bucket) for tier in tiers if tier.bucket is not None]
    for tier, bucket in every:
        yield Recording(BUCKET_EVIDENCE, _evidence(chosen, bucket, own), _labels(tier))
    for tier, bucket in every:
        yield Recording(BUCKET_LIMIT, _limit(chosen, tier, bucket, own), _labels(tier))
    (_, alike), *_ = every
    yield Recording(BUCKET_ROOM, _room(chosen, alike.block * interval, interval))
    for tier, bucket in every:
        yield Recording(BUCKET_ROOM_LEFT, _room_left(chosen, tier, bucket), _labels(tier))
    yield Recording(BUCKET_BEFORE, f"{_last(chosen, BUCKET_LEVEL)}\nor {_none(chosen)}")
    for total, now in ((BUCKET_REQUESTS, REQUESTS_NOW), (BUCKET_BAD, BAD_NOW)):
        begun = f"({_last(chosen, total)} and {chosen.of(BUCKET_BEFORE)} > 0 or {_none(chosen)})"
        yield Recording(total, f"{begun}\n+ on (slo) group_left () {chosen.of(now)}")
    yield Recording(BUCKET_CLEARING, _clearing(chosen, alike))
    yield Recording(BUCKET_LEVEL, _level(chosen, alike))
    yield Recording(TIER, _standing(chosen, tiers))


def _labels(tier: TierTerms) -> dict[str, str]:
    return {"tier": tier.name, "severity": str(tier.severity)}


def _last(chosen: Chosen, name: str) -> str:
    return f"last_over_time({chosen.of(name)}[{LONGEST_DOWN}])"


def _none(chosen: Chosen) -> str:
    """0 for every bucket."""
    return f"0 * {chosen.of(BUCKET_LIMIT)}"


def _rounded_up(bad: str) -> str:
    """To whole 1/UNIT of a bad request."""
    return f"ceil({bad} * {UNIT}) / {UNIT}"


def _evidence(chosen: Chosen, bucket: Bucket, own: str) -> str:
    """What chance would need: h = ln(1 + h + A), by as many repetitions as in `keeptime.judge.cusum.evidence`."""
    b, p = bucket.budget, bucket.looks_for
    per_request = log_odds(b, p) * (drain(b, p) - b) * (DAY / bucket.period_seconds) * bucket.days
    wanted = f"1 + {per_request!r} * {chosen.of(EXPECTED, own)}"
    raised = f"ln({wanted})"
    for _ in range(ROUNDS):
        raised = f"ln({wanted}\n + {raised})"
    height = f"{raised} / {log_odds(b, p)!r} - {raised_by(b)!r}"
    return f"sum without (window) ({_rounded_up(f'clamp_min({height}, {LEAST_EVIDENCE:g})')})"


def _limit(chosen: Chosen, tier: TierTerms, bucket: Bucket, own: str) -> str:
    """The greater of a share of the window's budget and of what chance would need."""
    share = f"{bucket.least_share * bucket.budget!r} * {chosen.of(EXPECTED, own)}"
    needed = chosen.of(BUCKET_EVIDENCE, tier=tier.name)
    least = f"sum without (window) ({_rounded_up(share)})"
    return f"{least} > ignoring (tier, severity) {needed}\nor ignoring (tier, severity) {needed}"


def _room(chosen: Chosen, block: int, interval: int) -> str:
    """What a bucket may still rise in the present block of time: at first a third of its limit."""
    whole = f"ceil({chosen.of(BUCKET_LIMIT)} * {UNIT} / {BLOCKS_TO_FIRE}) / {UNIT}"
    if block == interval:
        return whole
    left = chosen.of(BUCKET_ROOM_LEFT)
    present = f"{left} and timestamp({left}) >= time() - (time() - {interval}) % {block}"
    return f"({present}) < {whole}\nor {whole}"


def _room_left(chosen: Chosen, tier: TierTerms, bucket: Bucket) -> str:
    added = f"({chosen.of(BAD_NOW)} - {bucket.drain / UNIT!r} * {chosen.of(REQUESTS_NOW)})"
    return f"clamp_min({chosen.of(BUCKET_ROOM, tier=tier.name)} - ignoring (tier, severity) {added}, 0)"


def _clearing(chosen: Chosen, bucket: Bucket) -> str:
    """While it fires: evidence, in nats, that requests keep the promise again rather than go on as they did. Else
    −1, and so still in the evaluation in which it fires."""
    b, (least, most) = bucket.budget, share_limits(bucket.budget)
    incident = f"clamp({chosen.of(BUCKET_BAD)} / {chosen.of(BUCKET_REQUESTS)}, {least!r}, {most!r})"
    bad, good = chosen.of(BAD_NOW), f"({chosen.of(REQUESTS_NOW)} - {chosen.of(BAD_NOW)})"
    nats = (
        f"ln({b!r} / {incident}) * on (slo) group_left () {bad}\n"
        f"  + ln({1 - b!r} / (1 - {incident})) * on (slo) group_left () {good}"
    )
    gained = f"clamp_max(round(({nats}) * {UNIT}) / {UNIT}, {bucket.clear_step / UNIT!r})"
    total = f"clamp_min(clamp_min({_last(chosen, BUCKET_CLEARING)}, 0)\n + {gained}, 0)"
    return f"{total}\nand {_last(chosen, TIER)} > 0\nor {_none(chosen)} - 1"


def _level(chosen: Chosen, bucket: Bucket) -> str:
    """Empty when the incident is over; as it was while it fires; else filled, and drained."""
    clearing, before = chosen.of(BUCKET_CLEARING), chosen.of(BUCKET_BEFORE)
    rise = f"({chosen.of(BUCKET_ROOM)} - {chosen.of(BUCKET_ROOM_LEFT)})"
    return (
        f"0 * ({clearing} >= {bucket.clear_at / UNIT!r})\n"
        f"or {before} and {clearing} >= 0\n"
        f"or clamp_min({before} + {rise}, 0)"
    )


def _standing(chosen: Chosen, tiers: Sequence[TierTerms]) -> str:
    """A full bucket fires, and goes on firing until it is emptied."""
    lines = []
    for severity in dict.fromkeys(str(tier.severity) for tier in tiers):
        level, limit, clearing = (
            chosen.of(name, severity=severity) for name in (BUCKET_LEVEL, BUCKET_LIMIT, BUCKET_CLEARING)
        )
        fires = f"{level} >= {limit} or ({level} > 0 and {clearing} >= 0)"
        lines.append(f"0 * ({fires}) + {int(STANDING[Severity(severity)])}")
    return "\nor ".join([*lines, _none(chosen)])
