"""The time that both of a pair go by: the database's, as far as its answers tell.

Guarantees: within half the time that an answer took of the database's clock; between two answers it goes with a
clock of this machine that never steps.
"""

from keeptime.clock import boot_ns, monotonic_ns, wall_ns


class AgreedClock:
    """This machine's own time, until the first answer. For any thread: what it holds is one number."""

    def __init__(self) -> None:
        self._ahead = wall_ns() - boot_ns()

    def agree(self, at_least: int, at_most: int) -> None:
        """The database's clock is by so many nanoseconds ahead of this machine's boot clock."""
        self._ahead = max(at_least, min(at_most, self._ahead))

    def wall_ns(self) -> int:
        return boot_ns() + self._ahead

    def monotonic_ns(self) -> int:
        return monotonic_ns()

    def machine_ahead(self) -> float:
        """Seconds that this machine's own clock is ahead of it."""
        return (wall_ns() - self.wall_ns()) / 1e9
