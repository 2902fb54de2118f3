"""How many requests, and how many bad ones, came since the last evaluation.

Guarantees: exact. Each counter's increase is the difference of two samples; nothing is extrapolated. A counter that
fell was reset, and counts from 0. One that comes back within an hour (a scrape that failed, a Prometheus that was
down) is counted on from where it was. A new counter has begun at 0 if its target was scraped before without it (the
first failure makes a series); else it is a baseline. Knows no windows and no promises.
"""

from collections.abc import Iterator

from keeptime.contract.counting import Counting, Cumulative, PerScrape, Term
from keeptime.export.prometheus.names import BAD_NOW, OBSERVED_NOW, REQUESTS_NOW, Chosen, labels_of
from keeptime.export.prometheus.rules import Recording
from keeptime.model.key import ObjectiveKey

OWN = "keeptime_objective_requests_total"
"""keeptime's own counter; all its series are there from the start."""
REMEMBERED = "1h"
"""So long a counter that was lost from sight is still known."""


def own_counting(key: ObjectiveKey) -> Cumulative:
    """keeptime's own counters of an objective: exactly what the embedded judge is given."""
    of = f'contract="{key.contract}",objective="{key.objective}"'
    name = OWN
    good, total = f'{name}{{{of},result="good"}}', f'{name}{{{of},result=~"good|bad"}}'
    return Cumulative((Term(1, good, True),), (Term(1, total, True),))


def increases(key: ObjectiveKey, counting: Counting, interval: int) -> Iterator[Recording]:
    """Requests, bad ones, and the seconds that were observed, since the last evaluation."""
    good, total = _good_and_total(counting, interval)
    labels = labels_of(key)
    yield Recording(REQUESTS_NOW, total, labels)
    yield Recording(BAD_NOW, f"clamp_min(sum({Chosen([key]).of(REQUESTS_NOW)}) - ({good}), 0)", labels)
    before = f"sum({Chosen([key]).of(REQUESTS_NOW)} offset {interval}s)"
    yield Recording(OBSERVED_NOW, f"(0 * {before} + {interval}) or vector(0)", labels)


def _good_and_total(counting: Counting, interval: int) -> tuple[str, str]:
    match counting:
        case Cumulative(good, total, requires):
            whole = _sum(total, interval)
            known = f"((({whole}) and (count({requires}) > 0)) or vector(0))" if requires else whole
            return _sum(good, interval), known
        case PerScrape(events, good):
            fresh = f"timestamp({events.split(' == ')[0]}) > time() - {interval}"
            return _count(f"({good}) and ({fresh})"), _count(f"({events}) and ({fresh})")


def _count(events: str) -> str:
    return f"(count({events}) or vector(0))"


def _sum(terms: tuple[Term, ...], interval: int) -> str:
    text = ""
    for term in terms:
        sign = ("- " if term.sign < 0 else "+ ") if text or term.sign < 0 else ""
        text += f"{' ' if text else ''}{sign}({_increase(term, interval)} or vector(0))"
    return text


def _increase(term: Term, interval: int) -> str:
    now = term.expression if term.plain else f"({term.expression})"
    span = REMEMBERED if term.plain else f"{REMEMBERED}:{interval}s"
    before = f"last_over_time({now}[{span}] offset {interval}s)"
    grown = f"({now} - {before} >= 0) or ({now} < {before})"
    if not term.plain or term.expression.startswith(OWN):
        return f"sum({grown})"
    begun = f"(({now} unless {before}) and on (job, instance) (up offset {interval}s == 1))"
    return f"sum({grown} or {begun})"
