"""What a daemon stands on: where it keeps things, whose time it goes by, and whether it may tell.

Guarantees: a daemon alone has its own store, its machine's clock, and may always tell.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from keeptime.app.ports import Store
from keeptime.app.reports import Look
from keeptime.app.view import PairView
from keeptime.clock import Clock, SystemClock


class Opening(Protocol):
    """Opens the store, in the store's thread."""

    def __call__(self, *, tick_seconds: float, now: float) -> Store:
        """`now`: Unix seconds. Raises StoreError."""
        ...


def always() -> bool:
    return True


def alone() -> PairView | None:
    return None


def in_doubt(view: PairView | None) -> str:
    """Why the lease is in doubt, else ""."""
    return "" if view is None else view.problem


@dataclass(frozen=True, slots=True)
class Right:
    """`may_send()`: asked before each message. `view()`: of the pair. `stamps`: what messages are signed by."""

    may_send: Callable[[], bool] = always
    view: Callable[[], PairView | None] = alone
    stamps: Clock = field(default_factory=SystemClock)


@dataclass(frozen=True, slots=True)
class Footing:
    """`look`: the same store, to be read alone. `clock`: what steers the time by which is counted and judged."""

    open: Opening
    look: Look
    clock: Clock = field(default_factory=SystemClock)
    right: Right = field(default_factory=Right)
