"""What is shown of a way in which a contract's real traffic is observed."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TrafficView:
    """`kind`: of the observer; `said`: what it observes, fit to show. `results`: how often it got something, by
    what became of it (`ok`, and why not). `requests`: how many it counted. `problem`: why nothing can be had now,
    else "". `at`: Unix seconds of the last that it got, None before.
    """

    kind: str
    said: str
    results: Mapping[str, int] = field(default_factory=dict)
    requests: int = 0
    problem: str = ""
    at: float | None = None
