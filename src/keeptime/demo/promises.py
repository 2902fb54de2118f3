"""The contracts that a made-up past is of: three kinds of service, two promises each.

Guarantees: the same number of objectives gives the same texts. Each is a contract as anybody could have written it,
which `keeptime run` takes. Knows nothing of what happened.
"""

from collections.abc import Iterator
from dataclasses import dataclass

EACH = 2
"""Objectives of a contract, but for the last one of an odd number."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A service. `median`: seconds, in a quiet hour; `steep`: the larger, the fewer are slow; `failing`: share of
    requests; `rate`: requests a second over a usual day; 0 for one that is probed alone, once each `every` seconds.
    `restarts`: on Sundays from 02:00 for an hour, which its text excludes.
    """

    name: str
    text: str
    promises: tuple[str, ...]
    median: float
    steep: float
    failing: float
    rate: float = 0.0
    every: float = 30.0
    restarts: bool = False


_PEOPLE = """\
consumers:
  - name: {consumer}
    tell: ["log:"]
operators:
  tell: ["log:"]
"""

KINDS = (
    Kind(
        "search-ranking",
        "provider: ml-platform\nmodel: search ranking\nobserve:\n  - push: {}\n",
        ("99% of requests under 300ms over 28d", "99.9% of requests succeed over calendar month"),
        median=0.062, steep=3.6, failing=0.0002, rate=12.0,
    ),
    Kind(
        "fraud-scores",
        "provider: payments-ml\nmodel: fraud scores\nobserve:\n  - push: {}\n"
        "maintenance:\n  - start: 2026-01-04 02:00\n    lasts: 1h\n    repeat: FREQ=WEEKLY;BYDAY=SU\n"
        "    reason: weekly restart\n    author: payments-ml\n",
        ("99.5% of requests under 100ms over calendar month", "99.9% of requests succeed over 28d"),
        median=0.019, steep=4.0, failing=0.0003, rate=5.0, restarts=True,
    ),
    Kind(
        "sentiment",
        "provider: ml-platform\nmodel: sentiment\nendpoint:\n  url: http://127.0.0.1:5000/predict\n  method: POST\n"
        "  json: {data: [0.1]}\nobserve:\n  - probe: {every: 30s, timeout: 5s}\n",
        ("97% of requests under 500ms over 28d", "99% of requests succeed over 7d"),
        median=0.110, steep=3.4, failing=0.001,
    ),
)  # fmt: skip
CONSUMERS = ("checkout", "risk-desk", "support")


@dataclass(frozen=True, slots=True)
class Promised:
    """A contract's name, its text, and the kind of service that it is of."""

    name: str
    text: str
    kind: Kind


def promised(objectives: int) -> tuple[Promised, ...]:
    """Contracts with so many objectives in all."""
    return tuple(_contracts(objectives))


def _contracts(objectives: int) -> Iterator[Promised]:
    for nth, first in enumerate(range(0, objectives, EACH)):
        kind = KINDS[nth % len(KINDS)]
        again = nth // len(KINDS)
        name = f"{kind.name}-{again + 1}" if again else kind.name
        lines = "".join(f"  - {each}\n" for each in kind.promises[: objectives - first])
        people = _PEOPLE.format(consumer=CONSUMERS[nth % len(CONSUMERS)])
        yield Promised(name, f"contract: {name}\n{kind.text}objectives:\n{lines}{people}", kind)
