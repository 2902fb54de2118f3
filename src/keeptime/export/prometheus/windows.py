"""Sums over windows, built from what each evaluation recorded.

Guarantees: events are summed, and divided once, later; an empty stretch adds nothing to a sum and poisons none; a
window ends now and is as long as it says. A long window is a sum of shorter ones that lie behind one another, so
that none reads more than a few thousand samples. What was not observed yet counts as expected, as in the judge.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from keeptime.export.prometheus.names import (
    BAD,
    EXPECTED,
    OBSERVED,
    REQUESTS,
    SUMS,
    Chosen,
    window_name,
)
from keeptime.export.prometheus.rules import Recording
from keeptime.model.key import ObjectiveKey

BLOCKS = (7 * 86_400, 86_400, 6 * 3600)
"""Seconds of the windows that longer ones are made of; the shortest is summed sample by sample."""
ECHO = "1h"
"""Where Prometheus was down just when a block of a long window should end, its latest value within this counts."""


def parts(window: int) -> tuple[int, ...]:
    """Blocks that make up a window (seconds), newest first; the window itself where it is summed directly."""
    if window <= BLOCKS[-1]:
        return (window,)
    found: list[int] = []
    left = window
    for block in BLOCKS:
        if block < window:
            found += [block] * (left // block)
            left %= block
    return (*found, left) if left else tuple(found)


def needed(windows: Iterable[int]) -> tuple[int, ...]:
    """These windows and all that they are built from, shortest first."""
    found: set[int] = set()
    waiting = list(windows)
    while waiting:
        window = waiting.pop()
        if window not in found:
            found.add(window)
            waiting += [part for part in parts(window) if part != window]
    return tuple(sorted(found))


def sums(windows: Mapping[ObjectiveKey, Sequence[int]]) -> Iterator[Recording]:
    """Requests, bad ones and observed seconds over each objective's windows (seconds) and what they are made of."""
    needing: dict[int, list[ObjectiveKey]] = {}
    for key, own in windows.items():
        for window in needed(own):
            needing.setdefault(window, []).append(key)
    for window, keys in sorted(needing.items()):
        for now, total in SUMS.items():
            yield Recording(total, _sum(Chosen(keys), now, total, window), {"window": window_name(window)})


def _sum(chosen: Chosen, now: str, total: str, window: int) -> str:
    pieces = parts(window)
    if pieces == (window,):
        return f"sum_over_time({chosen.of(now)}[{window * 1000 - 1}ms])"
    text, start = "", 0
    for piece in pieces:
        series = chosen.of(total, window_name(piece))
        if start:
            text += f"\n+ ignoring (window) (last_over_time({series}[{ECHO}] offset {start}s) or 0 * {series})"
        else:
            text = series
        start += piece
    return text


def expected(chosen: Chosen, window: str, seconds: str, interval: int, rate: float) -> Recording:
    """Requests of a window, with what is expected in the part of it that was not observed yet.

    `seconds`: its length, as PromQL; `rate`: requests per evaluation, 0 where only what was seen can tell.
    """
    requests, observed = chosen.of(REQUESTS, window), chosen.of(OBSERVED, window)
    if rate:
        expr = f"{requests} + clamp_min({seconds} - {observed}, 0) / {interval} * {rate!r}"
    else:
        expr = f"{requests} * clamp_min({seconds} / clamp_min({observed}, {interval}), 1)"
    return Recording(EXPECTED, expr, {"window": window})


def over(chosen: Chosen, window: str, numerator: int, denominator: int) -> str:
    """PromQL that is there where more of the window's expected requests are bad than this share, exactly."""
    bad, events = chosen.of(BAD, window), chosen.of(EXPECTED, window)
    return f"sum without (window) ({bad} * {denominator} > {events} * {numerator})"


def convincing(chosen: Chosen, window: str, budget: float, weight: float) -> str:
    """PromQL that is there where chance no longer explains the window's bad requests.

    n·KL(k/n ‖ budget) of k bad in n requests reaches `weight` (W. Hoeffding, JASA 58, 1963, theorem 1).
    """
    bad, events = chosen.of(BAD, window), chosen.of(REQUESTS, window)
    share = f"({bad} / {events})"
    distance = (
        f"{bad} * ln({share} / {budget!r})"
        f" + ({events} - {bad}) * ln(clamp_min(1 - {share}, 1e-300) / {1 - budget!r})"
    )
    return f"sum without (window) ((({distance}) >= {weight!r}) and ({share} > {budget!r}))"
